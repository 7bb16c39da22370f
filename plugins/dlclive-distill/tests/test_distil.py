"""All of it in order, with a stand-in for the training: what is kept, what is refused, and what is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from dlclive_distill.distil import DRAFT, distil_with
from dlclive_distill.training.contract import TrainedStudent, TrainingProgress, TrainingSettings
from torch import Tensor, nn

from dlclive_core import (
    Distilled,
    DistillPlan,
    DistillProgress,
    DLCLiveError,
    FileLock,
    OutputExistsError,
    UnsupportedModelError,
    UsageError,
    load_model,
)
from dlclive_core.demo import MODEL


class Constant(nn.Module):
    """Answers the same for every frame, and marks bright ones."""

    outputs = ("keypoints", "unlike")

    def __init__(self, animals: int, keypoints: int) -> None:
        super().__init__()
        self.points: Tensor
        self.register_buffer("points", torch.tensor([80.0, 64.0, 0.9]).expand(1, animals, keypoints, 3).clone())

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        bright = image.to(torch.float32).mean(dim=(1, 2, 3)) / 255
        return {"keypoints": self.points + 0 * bright.view(-1, 1, 1, 1), "unlike": bright}


class StandIn:
    """Trains nothing."""

    def __init__(self, *, interrupted: bool = False) -> None:
        self.interrupted = interrupted
        self.settings: TrainingSettings | None = None
        self.folder: Path | None = None

    def __call__(
        self, footage: Any, settings: TrainingSettings, folder: Path, report: Callable[[TrainingProgress], None]
    ) -> TrainedStudent:
        self.settings, self.folder = settings, folder
        report(TrainingProgress(student="stand-in", step=3, steps=7, seconds=0.1, p50_px=1.5, p95_px=4.0))
        graph = Constant(*footage.train.keypoints.shape[1:3]).eval()
        size = footage.train.frames.shape[1:3]
        return TrainedStudent(
            graph=graph, size=size, student="stand-in", steps=7, seconds=90.0, interrupted=self.interrupted
        )


@pytest.fixture(scope="module")
def plan(teacher_file: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., DistillPlan]:
    """Plans whose working folder is prepared once: plan(max_error=...)."""
    out = tmp_path_factory.mktemp("out") / "student.onnx"

    def make(**options: Any) -> DistillPlan:
        return DistillPlan(
            **{"model": teacher_file, "videos": (clip,), "out": out, "training_frames": 100, "device": "cpu", **options}
        )

    return make


def run(plan: DistillPlan, **options: Any) -> tuple[Distilled, list[DistillProgress], StandIn]:
    seen: list[DistillProgress] = []
    training = StandIn(**options)
    return distil_with(plan, seen.append, training), seen, training


def test_a_student_within_the_bound_is_kept_with_what_was_measured_in_its_card(
    plan: Callable[..., DistillPlan],
) -> None:
    wanted = plan(max_error=1000, overwrite=True, minutes=3, seed=0, threads=1)
    distilled, seen, training = run(wanted)
    assert distilled.kept
    assert distilled.target == wanted.out
    assert distilled.unseen_from == (160,)
    assert (distilled.student, distilled.frames, distilled.steps) == ("stand-in", 100, 7)
    assert training.settings is not None
    assert (training.settings.minutes, training.settings.max_error, training.settings.threads) == (3, 1000, 1)
    assert training.folder is not None
    assert training.folder.is_dir()
    with load_model(wanted.out, device="cpu") as model:
        facts = model.card.student
        assert model.card.skeleton.keypoints == ("snout", "leftear", "rightear", "tailbase", "tail", "paw")
    assert facts is not None
    assert (facts.teacher, facts.videos, facts.student) == ("teacher.pt", ("mouse.mp4",), "stand-in")
    assert (facts.frames, facts.steps, facts.seed) == (100, 7, 0)
    assert facts.p95_px == pytest.approx(distilled.judgement.error.p95_px)
    assert facts.human_px is None
    assert distilled.judgement.marked == 0
    assert not (distilled.folder / DRAFT).exists()
    assert not list(wanted.out.parent.glob("*.part"))
    training_line = next(now for now in seen if now.stage == "training stand-in")
    assert (training_line.done, training_line.total, training_line.unit) == (3, 7, "steps")
    assert (training_line.p50_px, training_line.p95_px) == (1.5, 4.0)


@pytest.mark.parametrize("wrong", ["too short", "two sizes"])
def test_refused_videos_leave_no_folder(
    wrong: str, plan: Callable[..., DistillPlan], clip: Path, film: Callable[..., Path], tmp_path: Path
) -> None:
    other = film(tmp_path / "other.mp4", frames=20, size=(192, 160) if wrong == "two sizes" else (160, 128))
    refused = plan(videos=(other,) if wrong == "too short" else (clip, other), out=tmp_path / "student.onnx")
    with pytest.raises(DLCLiveError):
        run(refused)
    assert not refused.folder.exists()
    refused.folder.mkdir()  # one that was there stays
    with pytest.raises(DLCLiveError):
        run(refused)
    assert refused.folder.exists()


def test_a_student_beyond_the_bound_is_not_written_and_the_advice_says_what_helps(
    plan: Callable[..., DistillPlan], tmp_path: Path
) -> None:
    wanted = plan(max_error=0.01, overwrite=True)
    before = wanted.out.read_bytes() if wanted.out.exists() else None
    distilled, _, _ = run(wanted)
    assert not distilled.kept
    assert distilled.target is None
    assert (wanted.out.read_bytes() if wanted.out.exists() else None) == before
    assert (distilled.folder / DRAFT).exists()
    assert "more --minutes continues (now 30)" in distilled.advice
    assert "more videos" in distilled.advice
    assert "a larger --student" in distilled.advice


def test_what_was_best_when_the_user_stopped_is_kept_if_it_is_within_the_bound(
    plan: Callable[..., DistillPlan],
) -> None:
    distilled, _, _ = run(plan(max_error=1000, overwrite=True), interrupted=True)
    assert distilled.interrupted
    assert distilled.kept


def test_the_result_is_json(plan: Callable[..., DistillPlan]) -> None:
    distilled, _, _ = run(plan(max_error=1000, overwrite=True))
    values = json.loads(json.dumps(distilled.to_dict()))
    assert values["kept"] is True
    assert values["target"] == str(distilled.target)
    assert values["judgement"]["error"]["count"] == 40 * 6
    assert len(values["judgement"]["calibration"]) == 6


def test_a_file_that_appeared_meanwhile_is_not_replaced(plan: Callable[..., DistillPlan]) -> None:
    wanted = plan(max_error=1000)
    wanted.out.write_bytes(b"somebody's")
    with pytest.raises(OutputExistsError, match=r"appeared while the student was trained: it is in .*student\.onnx"):
        run(wanted)
    assert wanted.out.read_bytes() == b"somebody's"
    assert (wanted.folder / DRAFT).exists()


def test_a_second_process_is_refused(plan: Callable[..., DistillPlan]) -> None:
    wanted = plan(overwrite=True)
    wanted.folder.mkdir(exist_ok=True)
    lock = FileLock(wanted.folder / "lock")
    assert lock.acquire()
    try:
        with pytest.raises(OutputExistsError, match="another process works in"):
            run(wanted)
    finally:
        lock.release()


def test_an_onnx_teacher_and_a_project_of_other_keypoints_leave_nothing_behind(
    plan: Callable[..., DistillPlan], tmp_path: Path
) -> None:
    out = tmp_path / "student.onnx"
    with pytest.raises(UnsupportedModelError, match="heatmaps"):
        run(plan(model=MODEL, out=out))
    project = tmp_path / "project"
    (project / "labeled-data").mkdir(parents=True)
    (project / "config.yaml").write_text(
        "scorer: Ada\nmultianimalproject: false\nbodyparts: [nose]\nvideo_sets: {}\n", encoding="utf-8"
    )
    with pytest.raises(UsageError, match="has no keypoint 'snout', which the teacher finds"):
        run(plan(out=out, project=project))
    with pytest.raises(UsageError, match=r"is not a DeepLabCut project: give the folder that holds its config\.yaml"):
        run(plan(out=out, project=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
