"""All of it in order for several animals: a student that is kept, one that loses animals, the command with a real network."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_distill import distil as distilling
from dlclive_distill.footage import label_varied, prepare_footage
from dlclive_distill.labeller import Labeller, open_teacher
from dlclive_distill.mirror import mirror_holds
from dlclive_distill.training.contract import TrainedStudent, TrainingProgress, TrainingSettings
from torch import Tensor, nn

from dlclive_core import Distilled, DistillPlan, ModelCard, Skeleton, UsageError, load_model
from dlclive_core.cli import main

PAIR = Skeleton(("head", "tail"))
ANIMALS = np.array([[[30, 40, 0.9], [50, 40, 0.9]], [[100, 90, 0.9], [120, 90, 0.9]]], np.float32)


class Fixed:
    """A teacher that sees two animals, always at the same places, in an order that changes."""

    def __init__(self) -> None:
        self.path, self.sha256, self.stride, self.notices = Path("mice.pt"), "ab" * 32, 4.0, ("a notice",)
        self.animals, self.grid, self._calls = 2, None, 0
        self.card = ModelCard(
            net_type="dekr_w18", skeleton=PAIR, individuals=("mouse1", "mouse2"), multi_animal=True, scorer="DLC_mice"
        )

    def label(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._calls += 1
        poses = np.repeat(ANIMALS[None, :: 1 if self._calls % 2 else -1], len(images), axis=0)
        return poses, np.zeros((len(images), 2, 0, 0), np.float16)

    def map_size(self, width: int, height: int) -> tuple[int, int]:
        return 0, 0


class Constant(nn.Module):
    """Answers the same for every frame."""

    outputs = ("keypoints", "unlike")

    def __init__(self, animals: np.ndarray) -> None:
        super().__init__()
        self.points: Tensor
        self.register_buffer("points", torch.from_numpy(animals.copy())[None])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        nothing = 0 * image.to(torch.float32).mean(dim=(1, 2, 3))
        return {"keypoints": self.points + nothing.view(-1, 1, 1, 1), "unlike": nothing}


def stand_in(animals: np.ndarray) -> Callable[..., TrainedStudent]:
    def train(
        footage: Any, settings: TrainingSettings, folder: Path, report: Callable[[TrainingProgress], None]
    ) -> TrainedStudent:
        graph, size = Constant(animals).eval(), footage.train.frames.shape[1:3]
        return TrainedStudent(graph=graph, size=size, student="stand-in", steps=7, seconds=9.0, interrupted=False)

    return train


@pytest.fixture
def distil(monkeypatch: pytest.MonkeyPatch, clip: Path, tmp_path: Path) -> Callable[[np.ndarray], Distilled]:
    """Distill from the fixed teacher to a student that answers with these animals."""
    monkeypatch.setattr(distilling, "open_teacher", lambda *_: Fixed())
    plan = DistillPlan(
        model=Path("mice.pt"), videos=(clip,), out=tmp_path / "out.onnx", training_frames=100, device="cpu"
    )
    return lambda animals: distilling.distil_with(plan, lambda _: None, stand_in(animals))


def test_a_student_that_finds_them_all_is_kept_with_its_animals_in_the_card(
    distil: Callable[[np.ndarray], Distilled], clip: Path
) -> None:
    found = ANIMALS[::-1].copy()
    found[..., 1] += 1
    distilled = distil(found)
    assert distilled.target is not None
    assert distilled.notices[0] == "a notice"
    judgement = distilled.judgement
    assert (judgement.animals, judgement.error.count, judgement.error.p95_px) == (2, 40 * 2 * 2, 1)
    assert (judgement.lost, judgement.hallucinated) == (0, 0)
    assert json.loads(json.dumps(distilled.to_dict()))["judgement"]["animals"] == 2
    with load_model(distilled.target, device="cpu") as model:
        card, pose = model.card, model.predict(np.zeros((128, 160, 3), np.uint8))
    assert (card.individuals, card.multi_animal) == (("mouse1", "mouse2"), True)
    assert card.student is not None
    assert (card.student.lost, card.student.hallucinated, card.student.p95_px) == (0, 0, 1)
    assert np.array_equal(pose.keypoints, found)
    assert pose.ids is None


def test_a_student_that_loses_an_animal_is_not_kept_however_near_the_other_is(
    distil: Callable[[np.ndarray], Distilled],
) -> None:
    found = ANIMALS.copy()
    found[1, :, :2] += 40
    distilled = distil(found)
    assert not distilled.kept
    assert distilled.judgement.error.p95_px == 0
    assert distilled.judgement.lost == distilled.judgement.hallucinated == 0.5
    assert "more --minutes" in distilled.advice


@pytest.fixture(scope="module")
def mice(several_file: Path) -> Labeller:
    return open_teacher(several_file, "cpu")


def test_footage_of_several_animals_has_no_heatmaps_and_is_read_again(
    mice: Labeller, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    footage = prepare_footage([clip], mice, tmp_path / "work", count=100, seed=0)
    (varied,) = label_varied(footage, mice, tmp_path / "work", minutes=30, seed=0, mirrored=False)
    for labelled, count in ((footage.train, 100), (varied, 100), (footage.held_out, 40)):
        assert labelled.keypoints.shape == (count, 2, 6, 3)
        assert not labelled.has_heatmaps
    assert np.array_equal(
        footage.train.keypoints[3], mice.label(np.asarray(footage.train.frames[3])[None])[0][0], equal_nan=True
    )
    monkeypatch.setattr(type(mice), "label", None)
    again = prepare_footage([clip], mice, tmp_path / "work", count=100, seed=0)
    assert np.array_equal(again.train.keypoints, footage.train.keypoints, equal_nan=True)
    (varied,) = label_varied(again, mice, tmp_path / "work", minutes=30, seed=0, mirrored=False)
    assert varied.heatmaps.shape == (100, 6, 0, 0)


def test_footage_of_another_number_of_animals_is_refused(
    mice: Labeller, several_file: Path, clip: Path, tmp_path: Path
) -> None:
    prepare_footage([clip], mice, tmp_path / "work", count=100, seed=0)
    one = open_teacher(several_file, "cpu", animals=1)
    with pytest.raises(UsageError, match="holds the footage of --animals 2 and not 1"):
        prepare_footage([clip], one, tmp_path / "work", count=100, seed=0)


def test_mirrors_are_compared_animal_by_animal(clip: Path, tmp_path: Path) -> None:
    """The teacher sees the same two places in a mirror: it holds only where these are their own mirror images."""
    teacher = Fixed()
    footage = prepare_footage([clip], teacher, tmp_path / "work", count=100, seed=0)
    assert not mirror_holds(teacher, footage.train)

    class Turned(Fixed):
        def label(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            poses, nothing = super().label(images)
            poses = poses[:, ::-1].copy()
            poses[..., 0] = images.shape[2] - poses[..., 0]
            return poses, nothing

    assert mirror_holds(Turned(), footage.train)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, several_file: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run `dlclive distill mice.pt mouse.mp4 out.onnx OPTIONS...`: the exit code, and standard error."""

    def run(*options: object) -> tuple[int, str]:
        arguments = ["dlclive", "distill", several_file, clip, tmp_path / "out.onnx", *options]
        monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), capsys.readouterr().err

    return run


@pytest.mark.slow
def test_the_command_trains_and_judges_a_student_of_a_real_network_for_several_animals(
    command: Run, tmp_path: Path
) -> None:
    """Whose weights are random, so nobody can learn from it: what is refused is the student, and not the teacher."""
    code, err = command(
        "--steps", 3, "--student", "window-small", "--training-frames", 100, "--device", "cpu", "--threads", 1
    )
    assert code == 3
    assert "training window-small: 1 of 3 steps" in err
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "no file was written: of 2 animals at most, the student loses 100.0 %, and " in line
    assert "what helps: the same command with more --minutes" in line
    assert (tmp_path / "out.onnx.distill" / "student.onnx").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--animals", 3), "mice.pt finds 2 animals, and --animals asks for 3: give 2 at most"),
        (("--student", "whole"), "the student 'whole' finds one animal, and the teacher 2: choose from window-small"),
        (("--student", "window-smal"), "did you mean 'window-small'"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_any_work(
    command: Run, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    code, err = command("--device", "cpu", *options)
    assert code == 2
    (line,) = err.splitlines()
    assert message in line
    assert not (tmp_path / "out.onnx.distill").exists()
