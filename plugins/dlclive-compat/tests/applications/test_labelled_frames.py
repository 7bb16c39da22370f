"""`setup_video_writer` and `draw_pose_and_write`, which scripts call themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlclive.benchmark import draw_pose_and_write, setup_video_writer

from dlclive_core import DataError, UsageError


class Written:
    """Keeps what a writer is given."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []

    def write(self, image: np.ndarray) -> None:
        self.frames.append(image.copy())


def test_a_video_in_the_colours_of_the_map(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    colours, writer = setup_video_writer("a/film.avi", tmp_path, "now", 2, "bmy", 25, (64, 48))
    pose = np.array([[10, 10, 0.9], [40, 30, 0.9]])
    for _ in range(3):
        draw_pose_and_write(np.zeros((48, 64, 3), np.uint8), pose, None, colours, ["a", "b"], 0.5, 4, False, writer)
    writer.release()
    video = cv2.VideoCapture(str(tmp_path / "film_DLCLIVE_LABELLED_now.mp4"))
    frame = video.read()[1]
    assert frame.shape == (48, 64, 3)
    blue, _, red = frame[10, 10].tolist()
    assert blue > 100 > red  # bmy begins with blue, and OpenCV's frames are blue, green, red
    blue, green, red = frame[30, 40].tolist()
    assert red > 150 < green  # and ends with yellow
    assert blue < 120


def test_keypoints_that_are_not_drawn() -> None:
    writer = Written()
    pose = np.array([[np.nan, np.nan, 0.9], [20, 20, 0.4], [5, 5, 0.5]])
    draw_pose_and_write(np.zeros((40, 40, 3), np.uint8), pose, None, [(9, 9, 9)] * 3, list("abc"), 0.5, 3, True, writer)
    assert not writer.frames[0].any()


def test_several_animals_names_and_a_resized_copy() -> None:
    writer = Written()
    frame = np.zeros((40, 80, 3), np.uint8)
    poses = np.array([[[20, 20, 1.0]], [[60, 20, 1.0]]])
    draw_pose_and_write(frame, poses, 0.5, [(0, 0, 255)], ["nose"], 0.5, 2, True, writer)
    (drawn,) = writer.frames
    assert drawn.shape == (20, 40, 3)
    assert drawn[10, 10].tolist() == drawn[10, 30].tolist() == [0, 0, 255]
    assert not frame.any()


def test_more_keypoints_than_colours_in_the_map(tmp_path: Path) -> None:
    colours, writer = setup_video_writer("film.avi", tmp_path, "now", 700, "bmy", 25, (64, 48))
    writer.release()
    assert len(colours) == 700


def test_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'bmy'"):
        setup_video_writer("film.avi", tmp_path, "now", 2, "bmyy", 25, (64, 48))
    with pytest.raises(DataError, match="cannot write"):
        setup_video_writer("film.avi", tmp_path / "no", "now", 2, "bmy", 25, (64, 48))
