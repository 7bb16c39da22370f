"""Students of several animals: where they look, what they leave out, and that the file answers as the network does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from dlclive_distill.footage import Footage, Labelled
from dlclive_distill.training import (
    TrainedStudent,
    TrainingProgress,
    TrainingSettings,
    guard_fitting,
    train,
    trainer,
)
from dlclive_distill.training.family import FAMILY, student_kind
from dlclive_distill.training.footing import Footing
from dlclive_distill.training.peaks import highest_peaks
from dlclive_distill.training.samples import coarse_batch, fine_batch, thumbnails_of
from dlclive_distill.training.several import SeveralStudent, make_student
from dlclive_distill.training.student import Reading, Student
from dlclive_distill.training.targets import coarse_targets
from dlclive_distill.training.votes import Votes
from dlclive_torch.onnx_file import write_onnx
from torch import Tensor

from dlclive_core import ModelCard, Skeleton, UsageError, load_model
from dlclive_core.models.outputs import read_poses
from tests.students import FACTS

NAMES = ("nose", "tail")
SIZE = (160, 192)  # height, width
SMALL = student_kind("window-small")


def bars(count: int, animals: int = 2, seed: int = 3) -> Labelled:
    """Dark bars on a grey ground, one end bright; the last one is away in every fourth frame. Their order is random."""
    random = np.random.default_rng(seed)
    frames = np.full((count, *SIZE, 3), 128, np.uint8)
    keypoints = np.full((count, animals, 2, 3), np.nan, np.float32)
    keypoints[..., 2] = 0
    for number, frame in enumerate(frames):
        places: list[tuple[int, int]] = []
        while len(places) < (animals - 1 if number % 4 == 3 else animals):
            x, y = int(random.integers(24, 168)), int(random.integers(10, 150))
            if all(abs(x - other) > 44 or abs(y - high) > 20 for other, high in places):
                places.append((x, y))
        for row, (x, y) in zip(random.permutation(animals), places, strict=False):
            frame[y - 3 : y + 3, x - 20 : x + 20] = 20
            frame[y - 6 : y + 6, x + 12 : x + 20] = 250
            keypoints[number, row] = [[x + 16, y, 1], [x - 20, y, 1]]
    return Labelled(frames, keypoints, np.zeros((count, 2, 0, 0), np.float16), (0,))


def footing(labelled: Labelled) -> Footing:
    return Footing.of((labelled,), 8.0, None, np.arange(len(labelled)), NAMES, mirrored=False)


def settings(**more: object) -> TrainingSettings:
    values: dict[str, object] = {"minutes": 5.0, "seed": 0, "device": "cpu", "max_error": 2.0, "threads": 1}
    values |= {"keypoints": NAMES, "mirrored": False, "steps": 4, "student": "window-small"}
    return TrainingSettings(**{**values, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedStudent, list[TrainingProgress]]:
    """A student of two bars, which are learnt in a few hundred steps of few pictures."""
    seen: list[TrainingProgress] = []
    labelled = bars(120)
    footage = Footage(train=labelled, held_out=labelled, stride=8.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "BATCH", 8)
        patch.setattr(trainer, "COARSE_BATCH", 8)
        patch.setattr(guard_fitting, "_DAMAGED", 60)
        return train(footage, settings(steps=300), tmp_path_factory.mktemp("training"), seen.append), seen


def answer(student: torch.nn.Module, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        outputs = student(torch.tensor(frames))
    return outputs["keypoints"].numpy(), outputs["unlike"].numpy()


def test_it_finds_each_animal_in_frames_it_has_not_seen_and_leaves_out_what_is_away(
    learned: tuple[TrainedStudent, list[TrainingProgress]],
) -> None:
    trained, seen = learned
    assert seen[-1].p50_px < 4
    unseen = bars(24, seed=77)
    found, _ = answer(trained.graph, unseen.frames)
    assert found.shape == (24, 2, 2, 3)
    right = wrong = 0
    for poses, truth in zip(found, unseen.keypoints, strict=True):
        present = truth[truth[:, 0, 2] > 0]
        answered = poses[poses[:, :, 2].max(1) > 0]
        near = np.linalg.norm(answered[:, None, :, :2] - present[None, :, :, :2], axis=-1).mean(-1) < 8
        right += int((near.sum(0) == 1).sum())
        wrong += int((~near.any(1)).sum())
    total = int((unseen.keypoints[:, :, 0, 2] > 0).sum())
    assert right >= 0.9 * total
    assert wrong <= 0.1 * total


def test_a_missing_animal_is_missing_in_the_pose(learned: tuple[TrainedStudent, list[TrainingProgress]]) -> None:
    trained, _ = learned
    found, _ = answer(trained.graph, bars(40, seed=5).frames[3::4])
    card = ModelCard(net_type="test", skeleton=Skeleton(NAMES), individuals=("a", "b"), student=FACTS)
    missing = 0
    for keypoints in found:
        (pose,) = read_poses({"keypoints": keypoints[None], "unlike": np.zeros(1, np.float32)}, card)
        gone = pose.confidence.max(axis=1) == 0
        assert np.isnan(pose.xy[gone]).all()
        assert np.isfinite(pose.xy[~gone]).all()
        missing += int(gone.sum())
    assert missing >= 8  # one in each of ten frames


def test_an_empty_frame_has_no_animals(learned: tuple[TrainedStudent, list[TrainingProgress]]) -> None:
    trained, _ = learned
    found, unlike = answer(trained.graph, np.full((1, *SIZE, 3), 128, np.uint8))
    assert np.isnan(found[..., :2]).all()
    assert (found[..., 2] == 0).all()
    assert np.isfinite(unlike).all()


class Answers(SeveralStudent):
    """A student whose networks answer as told."""

    def __init__(self, keypoints: Tensor, found: Tensor, unlike: Tensor) -> None:
        super().__init__(SMALL, keypoints.shape[2], SIZE, 96, keypoints.shape[1])
        self._reading = Reading(
            keypoints.flatten(0, 1),
            torch.zeros(found.numel(), 1, 1, 1),
            Votes(*(keypoints.flatten(0, 1)[..., each] for each in (slice(0, 2), 2, 2))),
            found.flatten(),
        )
        self.guard = torch.nn.Module()
        self.guard.forward = lambda *_: unlike.flatten()  # type: ignore[method-assign]

    def read(self, image: Tensor) -> Reading:
        return self._reading


def animal(x: float, confidence: float = 0.9) -> Tensor:
    return torch.tensor([[x, 50.0, confidence], [x + 30, 50.0, confidence]])


def answered(animals: list[Tensor], found: list[float], unlike: list[float] | None = None) -> tuple[list[bool], float]:
    """Which rows have an animal, and "unlike"."""
    keypoints, chances = torch.stack(animals)[None], torch.tensor([found])
    student = Answers(keypoints, chances, torch.tensor([unlike or [0.0] * len(found)]))
    outputs = student(torch.zeros(1, *SIZE, 3, dtype=torch.uint8))
    there = outputs["keypoints"][0, :, 0, 2] > 0
    assert torch.isnan(outputs["keypoints"][0, ~there][..., :2]).all()
    assert torch.equal(outputs["keypoints"][0, there], keypoints[0, there])
    return there.tolist(), float(outputs["unlike"][0])


def test_the_second_answer_for_the_same_animal_is_left_out() -> None:
    assert answered([animal(40), animal(42), animal(80)], [0.9, 0.8, 0.7])[0] == [True, False, True]
    assert answered([animal(40), animal(60)], [0.9, 0.8])[0] == [True, True]  # side by side


def test_what_only_one_network_sees_is_no_animal() -> None:
    assert answered([animal(40), animal(80), animal(120, 0.1)], [0.9, 0.1, 0.9])[0] == [True, False, False]


def test_an_answer_that_is_left_out_itself_hides_no_other() -> None:
    assert answered([animal(40, 0.1), animal(41)], [0.9, 0.8])[0] == [False, True]


def test_unlike_is_the_worst_of_the_animals_and_of_none_that_of_the_highest_peak() -> None:
    assert answered([animal(40), animal(80), animal(120)], [0.9, 0.8, 0.1], [0.2, 0.7, 5.0])[1] == pytest.approx(0.7)
    assert answered([animal(40, 0.1), animal(80, 0.1)], [0.2, 0.1], [3.0, 9.0])[1] == pytest.approx(3.0)


def test_peaks_are_the_highest_cells_of_their_surroundings() -> None:
    logits = torch.full((2, 8, 10), -6.0)
    logits[0, 2, 2], logits[0, 2, 3], logits[0, 6, 8], logits[0, 4, 8] = 3.0, 2.0, 4.0, 3.5
    logits[1, 5, 5] = logits[1, 5, 6] = 1.0  # of equal ones, the first
    cells, found = highest_peaks(logits, 3)
    assert cells[0, 0].tolist() == pytest.approx([8.5, 6.5], abs=0.05)
    assert 2.5 < cells[0, 1, 0] < 3.5  # pulled by its neighbour
    assert found[0, :2].tolist() == pytest.approx([torch.sigmoid(torch.tensor(value)).item() for value in (4.0, 3.0)])
    assert found[1, 0] == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item())
    assert (found[1, 1:] < 0.01).all()


def test_two_centres_three_cells_apart_are_two_peaks_of_the_target() -> None:
    centres = np.array([[[20.0, 20.0], [44.0, 20.0]], [[20.0, 20.0], [np.nan, np.nan]]])
    chance = coarse_targets(centres, (20, 24))
    cells, found = highest_peaks(torch.logit(chance.clamp(1e-4, 1 - 1e-4)), 2)
    assert sorted(cells[0, :, 0].tolist()) == pytest.approx([2.5, 5.5], abs=0.2)
    assert found[1, 1] < 0.5


def test_windows_at_the_edge_show_a_reflection_and_the_animal_in_the_middle() -> None:
    student = SeveralStudent(SMALL, 2, SIZE, 96, 2)
    image = torch.arange(SIZE[0] * SIZE[1] * 3).reshape(1, *SIZE, 3)
    windows = student._cut(image, torch.tensor([-10, 40]), torch.tensor([5, 120]))
    assert torch.equal(windows[0, 10:], image[0, :86, 5:101])
    assert torch.equal(windows[0, :10], image[0, 1:11, 5:101].flip(0))
    assert torch.equal(windows[1, :, :72], image[0, 40:136, 120:])
    assert torch.equal(windows[1, :, 72:], image[0, 40:136, 167:191].flip(1))


def test_the_target_is_the_animal_in_the_middle_and_the_others_are_in_view() -> None:
    labelled = bars(20)
    pictures, targets = fine_batch(footing(labelled), 200, (96, 96), SMALL.cell, np.random.default_rng(0), follows=True)
    middle = torch.tensor([96 / SMALL.cell / 2] * 2)
    there = targets.sure[:, 0] > 0
    centres = targets.xy[there].mean(1)
    assert (centres - middle).norm(dim=1).max() < 0.3 * 96 / SMALL.cell + 0.1
    assert 0.03 < (~there).float().mean() < 0.2  # windows beside the animals
    assert (targets.heatmaps[~there] == 0).all()
    bright = (pictures > 200).flatten(1).any(1)
    assert bright[~there].any()  # an animal is in view, and not asked for
    assert targets.heatmaps.amax((2, 3)).max() == pytest.approx(1, abs=0.01)


def test_a_second_animal_nearby_limits_how_far_off_its_window_is() -> None:
    labelled = bars(1)
    labelled.keypoints[0] = [[[60, 50, 1], [60, 70, 1]], [[80, 50, 1], [80, 70, 1]]]
    _, targets = fine_batch(footing(labelled), 300, (96, 96), SMALL.cell, np.random.default_rng(0), follows=True)
    off = (targets.xy.mean(1) * SMALL.cell - 48).norm(dim=1)[targets.sure[:, 0] > 0]
    assert (off < 14).float().mean() > 0.85


def test_half_of_the_pictures_show_animals_close_together_though_few_frames_do() -> None:
    labelled = bars(40)
    for number in range(40):  # in one frame of forty they are side by side
        below = 80 if number == 7 else 150
        labelled.keypoints[number] = [[[60, 60, 1], [100, 60, 1]], [[60, below, 1], [100, below, 1]]]
    ground = footing(labelled)
    assert ground.rooms[7].tolist() == [20, 20]
    assert ground.rooms[8].tolist() == [90, 90]
    _, targets = fine_batch(ground, 400, (96, 96), SMALL.cell, np.random.default_rng(0), follows=True)
    off = (targets.xy.mean(1) * SMALL.cell - 48).norm(dim=1)[targets.sure[:, 0] > 0]
    assert (off < 9).float().mean() > 0.5  # of animals that have room, a third
    _, chance, _ = coarse_batch(ground, thumbnails_of((labelled,)), 400, np.random.default_rng(0))
    apart = (torch.stack([row.nonzero()[:, 0].float().std() for row in chance > 0.9]) * 8) < 25
    assert 0.4 < apart.float().mean() < 0.6


def test_coarse_targets_show_all_animals_that_are_there() -> None:
    labelled = bars(16)
    ground = footing(labelled)
    _, chance, weights = coarse_batch(ground, thumbnails_of((labelled,)), 60, np.random.default_rng(1))
    peaks, found = highest_peaks(torch.logit(chance.clamp(1e-4, 1 - 1e-4)), 2)
    assert peaks.shape == (60, 2, 2)
    assert 0.6 < (found[:, 1] > 0.5).float().mean() < 0.9  # three of four frames have two
    assert (weights == 1).all()


def test_a_frame_with_an_animal_of_which_the_teacher_is_unsure_teaches_the_coarse_network_nothing() -> None:
    labelled = bars(8)
    labelled.keypoints[:, 0, :, 2] = 0.25
    _, _, weights = coarse_batch(footing(labelled), thumbnails_of((labelled,)), 20, np.random.default_rng(1))
    assert (weights == 0).all()


Networks = Callable[[str], tuple[np.ndarray, np.ndarray]]


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_file_answers_as_the_network(runtime: str, count: int, exported: tuple[SeveralStudent, Path]) -> None:
    """Also which animals are missing, and for one image and two."""
    pytest.importorskip("openvino" if runtime == "openvino" else "onnxruntime")
    student, file = exported
    frames = bars(8, seed=9).frames[2 : 2 + count]  # the second has one animal
    expected, unlike = answer(student, frames)
    with load_model(file, runtime, device="cpu", precision="fp32", profile=None) as model:
        poses = model.predict_batch(list(frames))
    assert [len(pose) for pose in poses] == [3] * count
    for pose, keypoints, value in zip(poses, expected, unlike, strict=True):
        assert np.array_equal(np.isnan(pose.keypoints), np.isnan(keypoints))
        assert np.allclose(pose.keypoints, keypoints, atol=2e-3, equal_nan=True)
        assert pose.unlike == pytest.approx(value, rel=1e-3)
        assert np.isfinite(pose.xy).any()


@pytest.fixture(scope="module")
def exported(
    learned: tuple[TrainedStudent, list[TrainingProgress]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[SeveralStudent, Path]:
    """The student of two bars, as one of three animals: what is there, and what is not."""
    graph = learned[0].graph
    student = SeveralStudent(SMALL, 2, SIZE, graph.window, 3).eval()  # type: ignore[arg-type]
    student.merge_averaging()  # as the trained one
    student.load_state_dict(graph.state_dict())
    file = tmp_path_factory.mktemp("file") / "student.onnx"
    card = ModelCard(
        net_type="test", skeleton=Skeleton(NAMES), individuals=("a", "b", "c"), multi_animal=True, input_size=SIZE,
        student=FACTS,
    )  # fmt: skip
    write_onnx(student, card, file)
    return student, file


def test_a_student_of_one_animal_is_the_same_network_as_before() -> None:
    assert type(make_student(SMALL, 2, SIZE, 96)) is Student
    assert type(make_student(SMALL, 2, SIZE, 96, 1)) is Student


def test_the_student_without_windows_is_refused_for_several_animals(tmp_path: Path) -> None:
    labelled = bars(20)
    footage = Footage(train=labelled, held_out=labelled, stride=8.0)
    with pytest.raises(UsageError, match="'whole' finds one animal, and the teacher 2: choose from window-small, "):
        train(footage, settings(student="whole"), tmp_path, lambda _: None)


def test_without_a_name_only_students_with_windows_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlclive_distill.training import course

    labelled = bars(20)
    kinds = course._fitting(Footage(train=labelled, held_out=labelled, stride=8.0))
    assert kinds == [kind for kind in FAMILY if kind.windowed]
