"""Boxes of conditions and the score of what is found in them, with DeepLabCut's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core.models.conditional.condition_boxes import condition_boxes

SHAPE = (100, 200, 3)
NAN = (np.nan, np.nan, 0)


@pytest.mark.parametrize(
    ("keypoints", "box"),
    [
        ([(20.3, 30.7, 1), (50.2, 60.9, 0.5)], (15.3, 25.7, 55.2, 65.9)),
        ([(20.3, 30.7, 1), (50.2, 60.9, 0)], (15.3, 25.7, 25.3, 35.7)),
        ([(20.3, 30.7, 1), NAN], (15.3, 25.7, 25.3, 35.7)),
        ([(20.3, 30.7, 1), (-1, -1, -1)], (15.3, 25.7, 25.3, 35.7)),
        ([(20.3, 30.7, 1), (-5, 70, 1)], (0, 25.7, 25.3, 75)),
        ([(1, 2, 1), (250, 150, 0.01)], (0, 0, 200, 100)),
        ([(20, 30, 0.05), (20, 30, 0.05)], (15, 25, 25, 35)),
    ],
)
def test_a_box_goes_around_what_is_there(keypoints: object, box: tuple[float, ...]) -> None:
    boxes, usable = condition_boxes(np.array([keypoints], float), 5, SHAPE)
    assert usable.tolist() == [True]
    assert boxes[0].tolist() == pytest.approx(box)


@pytest.mark.parametrize(
    "keypoints",
    [
        [NAN, NAN],
        [(20, 30, 0.0499), (50, 60, 0.04)],
        [(250, 150, 1), (260, 160, 1)],  # beyond the image
        [(210, 50, 1), (205.5, 60, 1)],  # less than a pixel of its box is in the image
    ],
)
def test_a_condition_of_nothing_has_no_box(keypoints: object) -> None:
    boxes, usable = condition_boxes(np.array([keypoints, [(20, 30, 1), (50, 60, 1)]], float), 5, SHAPE)
    assert usable.tolist() == [False, True]
    assert boxes[0].tolist() == [0, 0, 0, 0]
    none, usable = condition_boxes(np.zeros((0, 2, 3)), 5, SHAPE)
    assert (none.shape, usable.shape) == ((0, 4), (0,))


def test_a_box_smaller_than_a_pixel_is_none() -> None:
    conditions = np.array([[(20, 30, 1), (21, 31, 1)], [(20, 30, 1), (20.9, 31, 1)]], float)
    assert condition_boxes(conditions, 0, SHAPE)[1].tolist() == [True, False]
