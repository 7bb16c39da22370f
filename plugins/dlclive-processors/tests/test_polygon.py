"""Which points lie in a polygon, against half planes and against areas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dlclive_processors.triggers.polygon import Polygon
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlclive_core import UsageError

SQUARE = [[10, 20], [30, 20], [30, 50], [10, 50]]


def test_a_rectangle_has_its_left_and_upper_edge() -> None:
    x, y = np.meshgrid(np.arange(0, 60, 0.5), np.arange(0, 60, 0.5))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    expected = (points[:, 0] >= 10) & (points[:, 0] < 30) & (points[:, 1] >= 20) & (points[:, 1] < 50)
    for corners in (SQUARE, SQUARE[::-1], SQUARE[2:] + SQUARE[:2], [*SQUARE, SQUARE[0]]):
        np.testing.assert_array_equal(Polygon(corners).contains(points), expected)


def test_a_concave_region() -> None:
    """A U: the notch is outside."""
    region = Polygon([[0, 0], [10, 0], [10, 30], [20, 30], [20, 0], [30, 0], [30, 40], [0, 40]])
    points = np.array([[5, 5], [15, 5], [25, 5], [15, 35], [15, 29.9], [-1, 5], [31, 5]])
    np.testing.assert_array_equal(region.contains(points), [True, False, True, True, False, False, False])


def test_nan_and_infinite_points_are_never_inside() -> None:
    nan, inf = math.nan, math.inf
    points = np.array([[nan, 30], [20, nan], [nan, nan], [inf, 30], [-inf, 30], [20, inf], [20, -inf]])
    assert not Polygon(SQUARE).contains(points).any()
    assert Polygon(SQUARE).contains(np.empty((0, 2))).shape == (0,)


corner_angles = st.lists(st.floats(0, 2 * math.pi), min_size=3, max_size=9, unique=True)
point = st.tuples(st.floats(-150, 150), st.floats(-150, 150))


@settings(deadline=None)
@given(angles=corner_angles, points=st.lists(point, min_size=1, max_size=20), flip=st.booleans())
def test_a_convex_region_is_the_intersection_of_its_half_planes(
    angles: list[float], points: list[tuple[float, float]], flip: bool
) -> None:
    """Corners on a circle: inside is on the same side of every edge. Points on an edge are left out."""
    corners = [(100 * math.cos(angle), 100 * math.sin(angle)) for angle in sorted(angles)]
    start, end = np.array(corners), np.roll(np.array(corners), -1, axis=0)
    run = end - start
    assume((np.hypot(*run.T) > 1).all())
    towards = np.array(points)[:, None] - start
    distance = (run[:, 0] * towards[..., 1] - run[:, 1] * towards[..., 0]) / np.hypot(*run.T)
    clear = (np.abs(distance) > 1e-6).all(axis=1)
    is_inside = Polygon(corners[::-1] if flip else corners).contains(np.array(points))
    np.testing.assert_array_equal(is_inside[clear], (distance > 0).all(axis=1)[clear])


@settings(deadline=None)
@given(
    middle=st.tuples(st.floats(1, 99), st.floats(1, 99)),
    points=st.lists(st.tuples(st.floats(0, 99.99), st.floats(0, 99.99)), min_size=1, max_size=20),
    along=st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_adjacent_regions_neither_overlap_nor_leave_gaps(
    middle: tuple[float, float], points: list[tuple[float, float]], along: list[float]
) -> None:
    """A square cut into four triangles: every point of it, also one on a cut, is in exactly one."""
    corners = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    regions = [Polygon([corners[n], corners[(n + 1) % 4], middle]) for n in range(4)]
    cuts = [(a * middle[0], a * middle[1]) for a in along]
    everywhere = np.array([*points, *cuts, middle])
    counts = np.sum([region.contains(everywhere) for region in regions], axis=0)
    np.testing.assert_array_equal(counts, 1)


@settings(deadline=None, max_examples=30)
@given(radii=st.lists(st.floats(10, 100), min_size=5, max_size=15))
def test_a_star_contains_its_share_of_random_points(radii: list[float]) -> None:
    """The area by counting points is the area by the triangles from its middle."""
    turn = 2 * math.pi / len(radii)
    corners = [(r * math.cos(n * turn), r * math.sin(n * turn)) for n, r in enumerate(radii)]
    area = sum(0.5 * a * b * math.sin(turn) for a, b in zip(radii, radii[1:] + radii[:1], strict=True))
    x, y = np.meshgrid(np.linspace(-100, 100, 201), np.linspace(-100, 100, 201))
    inside = Polygon(corners).contains(np.stack([x.ravel(), y.ravel()], axis=1))
    assert inside.sum() == pytest.approx(area, abs=700)  # a point per px^2, wrong only along the outline


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([], "has 0 different corners in a row; give at least 3"),
        ([[0, 0], [1, 1]], "has 2 different corners"),
        ([[0, 0], [1, 1], [1, 1], [0, 0]], "has 2 different corners"),
        ([[0, 0], [1, 0], [float("nan"), 1]], "corner 3 of the polygon is [nan, 1]; give finite numbers"),
        ([[0, 0], [1, 0], [1, float("inf")]], "give finite numbers"),
        ([[0, 0], [1, 0], [1]], "corner 3 of the polygon is [1]; give [x, y] in pixels"),
        ([[0, 0], [1, 0], ["a", 1]], "corner 3"),
        ([0, 0, 100], "corner 1 of the polygon is 0"),
        ([[0, 0], [50, 50], [100, 100]], "lie on a line"),
        ([[1000, 1000], [1000.1, 1000.1], [1000.3, 1000.3], [1000.2, 1000.2]], "lie on a line"),
        ([[0, 0], [100, 100], [100, 0], [0, 100]], "edge after corner 1 crosses the one after corner 3"),
    ],
)
def test_invalid_corners_are_refused(corners: list[list[float]], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Polygon(corners)
    assert message in str(caught.value)
