"""The picture of a path: a readable PNG, with the path at its true position."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlclive_core import DataError
from dlclive_core.demo.picture import trajectory_picture

cv2 = pytest.importorskip("cv2", reason="reads the PNG back")

GREY = np.full((120, 160, 3), 100, np.uint8)


def draw(path: np.ndarray, target: Path, background: np.ndarray = GREY) -> tuple[np.ndarray, int]:
    """The picture as RGB floats, and its scale relative to the background."""
    trajectory_picture(background, path.astype(np.float32), target)
    picture = cv2.imread(str(target), cv2.IMREAD_COLOR)[:, :, ::-1].astype(float)
    return picture, picture.shape[1] // background.shape[1]


def colourful(picture: np.ndarray, x: float, y: float, zoom: int) -> float:
    """The picture's deviation from grey at a point of the background."""
    return float(np.ptp(picture[int(y * zoom), int(x * zoom)]))


def test_the_path_is_drawn_at_its_position_and_nowhere_else(tmp_path: Path) -> None:
    path = np.stack([np.linspace(20, 140, 60), np.full(60, 60.0)], axis=1)
    picture, zoom = draw(path, tmp_path / "path.png")
    assert all(colourful(picture, x, 60, zoom) > 40 for x in (40, 80, 110))
    assert all(colourful(picture, x, y, zoom) < 10 for x, y in ((80, 30), (80, 90), (8, 60), (155, 60)))
    assert np.abs(picture[60 * zoom, 40 * zoom] - picture[60 * zoom, 110 * zoom]).max() > 40  # the colour encodes time


def test_a_missing_position_breaks_the_path(tmp_path: Path) -> None:
    path = np.stack([np.linspace(20, 140, 61), np.full(61, 60.0)], axis=1)
    path[25:36] = np.nan
    picture, zoom = draw(path, tmp_path / "gap.png")
    assert colourful(picture, 80, 60, zoom) < 10
    assert colourful(picture, 50, 60, zoom) > 40


@pytest.mark.parametrize("path", [np.empty((0, 2)), np.full((5, 2), np.nan), np.asarray([[30.0, 40.0]])])
def test_a_path_without_a_segment_still_produces_a_picture(path: np.ndarray, tmp_path: Path) -> None:
    picture, zoom = draw(path, tmp_path / "none.png")
    assert picture.shape[0] >= 120 * zoom


def test_the_path_is_clipped_at_the_frame(tmp_path: Path) -> None:
    inside, _ = draw(np.asarray([[20.0, 20.0], [100.0, 60.0]]), tmp_path / "inside.png")
    picture, zoom = draw(np.asarray([[-50.0, -50.0], [400.0, 300.0]]), tmp_path / "beyond.png")
    assert picture.shape == inside.shape  # the picture does not grow
    on_the_line = [(x, -50 + (x + 50) * 350 / 450) for x in (30, 80, 130)]
    assert all(colourful(picture, x, y, zoom) > 40 for x, y in on_the_line)
    assert all(colourful(picture, x, y, zoom) < 10 for x, y in ((30, 100), (130, 30), (2, 2), (150, 8)))


def test_the_same_picture_is_written_twice_with_the_same_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    picture, _ = draw(np.empty((0, 2)), tmp_path / "a.png", noise)
    again, _ = draw(np.empty((0, 2)), tmp_path / "b.png", noise)
    assert np.array_equal(picture, again)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert picture.std() > 10


def test_a_missing_folder_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        trajectory_picture(GREY, np.empty((0, 2), np.float32), tmp_path / "none" / "path.png")
