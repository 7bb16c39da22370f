"""Which animal is which: by the keypoints that the reference sees, all together, and not beyond a distance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dlclive_distill.matching import aligned, animal_distances, match_animals, reach_of


def animal(x: float, confidence: float = 0.9) -> list[list[float]]:
    """Three keypoints in a row, 10 px apart."""
    return [[x, 5, confidence], [x + 10, 5, confidence], [x + 20, 5, confidence]]


NOBODY = [[math.nan, math.nan, 0]] * 3


def poses(*animals: list[list[float]]) -> np.ndarray:
    return np.array(animals, np.float32)


def test_the_order_of_the_animals_does_not_matter() -> None:
    found, reference = poses(animal(102), animal(1), animal(51)), poses(animal(0), animal(50), animal(100))
    assert match_animals(found, reference).tolist() == [1, 2, 0]
    assert np.array_equal(aligned(found, reference, 10), found[[1, 2, 0]])


def test_the_sum_decides_and_not_the_nearest_pair() -> None:
    """The one at 8 is nearest to that at 10, and then 0 would be left with 30."""
    found, reference = poses(animal(8), animal(30)), poses(animal(10), animal(0))
    assert match_animals(found, reference).tolist() == [1, 0]


def test_animals_out_of_reach_are_not_the_same() -> None:
    found, reference = poses(animal(0), animal(90)), poses(animal(3), animal(50))
    assert match_animals(found, reference, 20).tolist() == [0, -1]
    result = aligned(found, reference, 20)
    assert np.isnan(result[1, :, :2]).all()
    assert (result[1, :, 2] == 0).all()


def test_an_animal_that_is_not_there_is_nobodys_match() -> None:
    assert match_animals(poses(NOBODY, animal(5)), poses(animal(0), NOBODY), 100).tolist() == [1, -1]
    assert match_animals(np.zeros((0, 3, 3), np.float32), poses(animal(0))).tolist() == [-1]
    assert match_animals(poses(animal(0)), np.zeros((0, 3, 3), np.float32)).tolist() == []


def test_a_keypoint_that_is_elsewhere_does_not_tear_a_pair_apart() -> None:
    found = poses(animal(1))
    found[0, 2, :2] = 500, 500
    assert animal_distances(found, poses(animal(0)))[0, 0] == 1


def test_keypoints_that_the_reference_does_not_see_do_not_count() -> None:
    reference = poses(animal(0))
    reference[0, :2] = [[400, 400, 0.05], [math.nan, math.nan, 0]]
    assert animal_distances(poses(animal(2)), reference)[0, 0] == 2


def test_the_reach_is_half_an_animal() -> None:
    assert reach_of(np.stack([poses(animal(0), NOBODY), poses(animal(70), animal(9))]), 0.6) == pytest.approx(10)
    assert reach_of(poses(NOBODY)[None], 0.6) == math.inf
