"""Filters treat a pose in space as one in pixels, with a coordinate more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import Exponential, KalmanPredictor, Median, OneEuro, Outliers

from dlclive_core import Frame, Pose, Pose3D, Processor, RunInfo, Skeleton

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
FILTERS: dict[str, Callable[[], Processor]] = {
    "one-euro": OneEuro,
    "exponential": lambda: Exponential(time_constant=0.1),
    "median": Median,
    "outliers": lambda: Outliers(max_speed=1e5),
    "kalman": KalmanPredictor,
}


@pytest.mark.parametrize("name", FILTERS)
def test_x_and_y_are_filtered_as_in_the_plane_and_z_as_x(name: str, make_run: Callable[..., RunInfo]) -> None:
    random = np.random.default_rng(1)
    flat, deep = FILTERS[name](), FILTERS[name]()
    assert 3 in deep.dimensions
    flat.open(make_run())
    deep.open(make_run())
    for number in range(30):
        plane = np.full((2, 4, 3), 0.9, np.float32)
        plane[..., :2] = 5 * number + random.normal(0, 2, (2, 4, 2))
        space = np.insert(plane, 2, plane[..., 0], axis=2)  # z = x
        frame = Frame(np.zeros((2, 2, 3), np.uint8), number, 0.0, number * 0.01)
        in_plane = flat.process(Pose(plane, SKELETON), frame)
        in_space = deep.process(Pose3D(space, SKELETON, unit="mm"), frame)
        assert isinstance(in_space, Pose3D)
        assert in_space.unit == "mm"
        np.testing.assert_allclose(in_space.positions[..., 2], in_plane.positions[..., 0], rtol=1e-5)
        if name != "outliers":  # a jump is one of all coordinates together
            np.testing.assert_allclose(in_space.positions[..., :2], in_plane.positions, rtol=1e-5)
