"""Training pictures and their keypoints stay together."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_distill.training.placement import Placement, mirrored_order

SIDE = (96, 64)


def _frame_with_dot(x: int, y: int) -> np.ndarray:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[y - 1 : y + 2, x - 1 : x + 2] = 255
    return frame


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.4, 1.0), (-1.2, 1.1), (0.0, 0.9)])
def test_a_keypoint_is_where_its_pixels_are(angle: float, scale: float, mirrored: bool) -> None:
    x, y = 140, 90
    place = Placement.around(np.array([150.3, 95.8]), SIDE, angle=angle, scale=scale, mirrored=mirrored)
    cut = place.cut(_frame_with_dot(x, y), SIDE).astype(float)[..., 0]
    rows, columns = np.mgrid[: SIDE[1], : SIDE[0]]
    seen = np.array([(cut * (columns + 0.5)).sum(), (cut * (rows + 0.5)).sum()]) / cut.sum()
    told = place.to_cut(np.array([x + 0.5, y + 0.5]))
    assert np.abs(seen - told).max() < 0.1
    assert np.allclose(place.to_frame(told), [x + 0.5, y + 0.5])


def test_a_cut_that_is_not_turned_has_the_frames_own_pixels() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    place = Placement.around(np.array([150.3, 95.8]), SIDE)
    x, y = (int(value) for value in place.to_frame(np.zeros(2)))
    assert (place.cut(frame, SIDE) == frame[y : y + SIDE[1], x : x + SIDE[0]]).all()


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("snout", "leftear", "rightear", "tailbase"), (0, 2, 1, 3)),
        (("Left_Paw", "Right_Paw"), (1, 0)),
        (("ear_l", "ear_r", "nose"), (1, 0, 2)),
        (("EarL", "EarR"), (1, 0)),
        (("l_hip", "r_hip"), (1, 0)),
        (("leftear", "nose"), (0, 1)),  # no partner
        (("tail", "trail"), (0, 1)),
    ],
)
def test_left_and_right_change_places_in_a_mirror(names: tuple[str, ...], order: tuple[int, ...]) -> None:
    assert mirrored_order(names) == order
