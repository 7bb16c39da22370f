"""Students that are told where their window lies in the teacher's grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dlclive_distill.footage import Footage, Labelled, label_varied, prepare_footage, varied
from dlclive_distill.teacher import SURE, Teacher
from dlclive_distill.training import samples
from dlclive_distill.training.family import FAMILY, StudentKind
from dlclive_distill.training.footing import Footing
from dlclive_distill.training.networks import GridPlace
from dlclive_distill.training.samples import fine_batch
from dlclive_distill.training.student import Student, as_batch

from dlclive_core import DistillProgress

GRID = 32
SIZE = (200, 310)  # height, width: neither is a multiple of the grid


@pytest.mark.parametrize("kind", [kind for kind in FAMILY if kind.windowed], ids=lambda kind: kind.name)
def test_windows_begin_on_the_grid_and_reach_every_pixel(kind: StudentKind, monkeypatch: pytest.MonkeyPatch) -> None:
    student = Student(kind, 2, SIZE, window=100, grid=GRID).eval()
    assert student.window == 96
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    frame = np.stack([rows % 256, columns % 256, columns // 256], axis=-1).astype(np.uint8)
    covered = np.zeros(SIZE, bool)
    for y in range(0, SIZE[0], 9):
        for x in range(0, SIZE[1], 9):
            centre = torch.tensor([[float(x), float(y)]])
            monkeypatch.setattr(student, "find", lambda _, centre=centre: (centre, torch.ones(1)))
            _, corner, window = student._look(as_batch(frame))
            left, top = (int(value) for value in corner[0])
            assert left % GRID == 0
            assert top % GRID == 0
            inside = frame[top : top + 96, left : left + 96]
            np.testing.assert_array_equal(window[0, : inside.shape[0], : inside.shape[1]], inside)
            if 48 <= x < SIZE[1] - 48 and 48 <= y < SIZE[0] - 48:
                assert abs(left + 48 - x) <= GRID / 2
                assert abs(top + 48 - y) <= GRID / 2
            covered[top : top + 96, left : left + 96] = True
    assert covered.all()


def test_the_place_in_the_grid_repeats_with_it() -> None:
    place = GridPlace(3, 4)
    with torch.no_grad():
        place.values.copy_(torch.arange(48.0).reshape(1, 3, 4, 4))
    added = place(torch.zeros(1, 3, 10, 7))[0]
    for row, column in ((0, 0), (3, 2), (9, 6), (5, 4)):
        assert torch.equal(added[:, row, column], place.values[0, :, row % 4, column % 4])


def _marked(count: int, corners: np.ndarray | None, side: tuple[int, int]) -> Labelled:
    """Frames whose red and green are x and y of the pixel in the whole frame."""
    first = np.zeros((count, 2), int) if corners is None else corners
    frames = np.empty((count, side[1], side[0], 3), np.uint8)
    for frame, (left, top) in zip(frames, first, strict=True):
        rows, columns = np.mgrid[top : top + side[1], left : left + side[0]]
        frame[:] = np.stack([columns, rows, 0 * rows], axis=-1)
    keypoints = np.ones((count, 1, 2, 3), np.float32)
    keypoints[:, 0, :, :2] = (first + np.array(side) / 2)[:, None] + np.array([[-7, 3], [9, 0]])
    maps = np.zeros((count, 2, side[1] // 16, side[0] // 16), np.float16)
    return Labelled(frames, keypoints, maps, tuple(range(count)), corners)


def test_pictures_of_parts_lie_on_the_grid_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "vary", lambda pictures, *_: pictures)
    corners = np.array([[32, 64], [64, 0], [96, 32]])
    parts = (_marked(3, None, (256, 224)), _marked(3, corners, (128, 128)))
    footing = Footing.of(parts, 16.0, GRID, np.arange(6), ("nose", "tail"), mirrored=True)
    np.testing.assert_array_equal(footing.whole, [0, 1, 2])
    pictures, targets = fine_batch(footing, 60, (64, 64), 8, np.random.default_rng(0), follows=True)
    for picture, points in zip(pictures.numpy(), targets.xy.numpy(), strict=True):
        left, top = int(picture[0, 0, 0]), int(picture[0, 0, 1])
        assert left % GRID == 0
        assert top % GRID == 0
        assert (np.diff(picture[0, :, 0].astype(int)) == 1).all()  # neither turned nor mirrored
        nose = points[0] * 8 + [left, top]
        assert any(np.allclose(nose, keypoint, atol=0.01) for keypoint in footing.keypoints[:, 0, 0, :2])


@pytest.fixture(scope="module")
def footage(teacher_file: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Footage, Teacher, Path]:
    folder = tmp_path_factory.mktemp("grid") / "student.onnx.distill"
    teacher = Teacher(teacher_file, "cpu")
    return prepare_footage([clip], teacher, folder, count=100, seed=5), teacher, folder


def test_varied_frames_have_the_labels_that_the_teacher_gives_the_whole_frame(
    footage: tuple[Footage, Teacher, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, teacher, folder = footage
    monkeypatch.setattr(varied, "window_side", lambda *_: 32)
    asked: list[np.ndarray] = []

    def label(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked.append(images[0].copy())
        return answer(images)

    answer = teacher.label
    monkeypatch.setattr(teacher, "label", label)
    copies = label_varied(made, teacher, folder, minutes=15, seed=5, mirrored=False)
    assert len(copies) == 2
    assert [len(copy) for copy in copies] == [100, 100]
    for number, frame in enumerate(asked):
        copy, row = copies[number // 100], number % 100
        assert copy.corners is not None
        left, top = copy.corners[row]
        assert left % teacher.grid == 0
        assert top % teacher.grid == 0
        kept = frame[top : top + copy.frames.shape[1], left : left + copy.frames.shape[2]]
        np.testing.assert_array_equal(copy.frames[row][: kept.shape[0], : kept.shape[1]], kept)
        keypoints, heatmaps = answer(frame[None])
        np.testing.assert_array_equal(copy.keypoints[row], keypoints[0])
        cells = heatmaps[0, :, round(top / teacher.stride) :, round(left / teacher.stride) :]
        cells = cells[:, : copy.heatmaps.shape[2], : copy.heatmaps.shape[3]]
        np.testing.assert_array_equal(copy.heatmaps[row][:, : cells.shape[1], : cells.shape[2]], cells)
    asked.clear()
    again = label_varied(made, teacher, folder, minutes=22.5, seed=5, mirrored=False)
    assert len(asked) == 100, "the first two copies are there"
    np.testing.assert_array_equal(again[1].frames, copies[1].frames)


def test_without_a_grid_frames_are_varied_once_and_kept_whole(
    footage: tuple[Footage, Teacher, Path], tmp_path: Path
) -> None:
    made, teacher, _ = footage
    (copy,) = label_varied(replace(made, grid=None), teacher, tmp_path, minutes=60, seed=5, mirrored=False)
    assert copy.corners is None
    assert copy.frames.shape == made.train.frames.shape
    assert (copy.keypoints[..., 2] >= SURE).any()


def test_varied_frames_continue_after_a_process_was_killed(
    footage: tuple[Footage, Teacher, Path], tmp_path: Path
) -> None:
    made, teacher, folder = footage
    whole = label_varied(made, teacher, folder, minutes=7.5, seed=5, mirrored=False)

    class Killed(BaseException):
        pass

    def at_thirty(now: DistillProgress) -> None:
        if now.done == 30:
            raise Killed

    with pytest.raises(Killed):
        label_varied(made, teacher, tmp_path, minutes=7.5, seed=5, mirrored=False, report=at_thirty)
    seen: list[DistillProgress] = []
    (again,) = label_varied(made, teacher, tmp_path, minutes=7.5, seed=5, mirrored=False, report=seen.append)
    assert seen[0].done == 30
    np.testing.assert_array_equal(again.frames, whole[0].frames)
    np.testing.assert_allclose(again.keypoints, whole[0].keypoints, atol=1e-3)


@pytest.mark.parametrize("why", ["the student sees whole frames", "the animal fills the frame"])
def test_whole_frames_are_kept_if_they_are_needed(
    why: str, footage: tuple[Footage, Teacher, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, teacher, _ = footage
    if why == "the animal fills the frame":
        monkeypatch.setattr(varied, "window_side", lambda *_: 128)
    whole = why == "the student sees whole frames"
    copies = label_varied(made, teacher, tmp_path, minutes=15, seed=5, mirrored=False, whole=whole)
    assert len(copies) == 2
    for copy in copies:
        assert copy.corners is None
        assert copy.frames.shape == made.train.frames.shape
        assert copy.heatmaps.shape == made.train.heatmaps.shape
    footing = Footing.of((made.train, *copies), 16.0, GRID, np.arange(300), ("nose",), mirrored=False)
    np.testing.assert_array_equal(footing.whole, np.arange(300))
