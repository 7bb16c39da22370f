"""Animals put together from candidates: by hand, and any that can be told apart."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.models.assembly import assemble, order_by_identity
from dlclive_core.models.assembly.assemble import find_animals
from dlclive_core.models.assembly.assignment import assign
from dlclive_core.models.assembly.overlap import distinct

CHAIN = ((0, 1), (1, 2))
"""Three keypoints in a row."""

Floats = NDArray[np.float32]


def scene(
    points: list[list[tuple[float, float, float] | None]], edges: tuple[tuple[int, int], ...]
) -> tuple[Floats, Floats]:
    """Peaks (K, P, 3) from points[keypoint][candidate], and affinities (L, P, P) of nothing."""
    count = max(len(candidates) for candidates in points)
    peaks = np.full((len(points), count, 3), np.nan, dtype=np.float32)
    peaks[..., 2] = 0
    for keypoint, candidates in enumerate(points):
        for number, point in enumerate(candidates):
            if point is not None:
                peaks[keypoint, number] = point
    return peaks, np.zeros((len(edges), count, count), dtype=np.float32)


def two_animals() -> tuple[Floats, Floats]:
    """Two animals of three keypoints, the stronger one's candidates listed last."""
    peaks, affinities = scene(
        [
            [(10, 10, 0.9), (50, 50, 0.8)],
            [(12, 10, 0.7), (52, 50, 0.9)],
            [(14, 10, 0.6), (54, 50, 0.5)],
        ],
        CHAIN,
    )
    affinities[:, 0, 0] = 0.6
    affinities[:, 1, 1] = 0.8
    return peaks, affinities


def test_two_animals_come_out_the_stronger_one_first() -> None:
    peaks, affinities = two_animals()
    keypoints, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2))
    assert peak_indices.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert keypoints.dtype == np.float32
    np.testing.assert_array_equal(keypoints, peaks.transpose(1, 0, 2)[::-1])
    strengths = [
        animal.strength for animal in find_animals(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2))
    ]
    assert strengths == pytest.approx([0.8, 0.6])


def test_absent_animals_and_keypoints_are_nan_nan_0() -> None:
    peaks, affinities = two_animals()
    peaks[2, 0] = np.nan, np.nan, 0
    affinities[1, 0, 0] = 0
    keypoints, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=3, min_links=1))
    assert peak_indices.tolist() == [[1, 1, 1], [0, 0, -1], [-1, -1, -1]]
    assert np.isnan(keypoints[1, 2, :2]).all()
    assert keypoints[1, 2, 2] == 0
    assert np.isnan(keypoints[2, :, :2]).all()


def test_an_animal_needs_two_links() -> None:
    peaks, affinities = two_animals()
    affinities[1, 0, 0] = 0.04  # below the least affinity of a link
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2))
    assert peak_indices.tolist() == [[1, 1, 1], [-1, -1, -1]]


def test_pairs_are_chosen_for_the_largest_sum_not_the_largest_pair() -> None:
    """0.9 + 0.1 is less than 0.8 + 0.7."""
    peaks, affinities = two_animals()
    affinities[0] = [[0.9, 0.8], [0.7, 0.1]]
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2))
    assert sorted(peak_indices.tolist()) == [[0, 1, 1], [1, 0, 0]]


def test_only_the_surest_candidates_take_part_as_many_as_animals() -> None:
    peaks, affinities = scene(
        [
            [(90, 90, 0.2), (10, 10, 0.9)],
            [(91, 90, 0.2), (12, 10, 0.7)],
            [(92, 90, 0.2), (14, 10, 0.6), (30, 30, 0.7)],
        ],
        CHAIN,
    )
    affinities[:, 0, 0] = 1.0  # a perfect animal that nobody is sure of
    affinities[:, 1, 1] = 0.6
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2, min_links=1))
    assert peak_indices.tolist() == [[1, 1, 1], [0, 0, -1]]  # its last candidate is only the third surest
    peaks[0, 0, 2] = 0.09
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2, min_links=1))
    assert peak_indices.tolist() == [[1, 1, 1], [-1, -1, -1]]  # and its first one is below the least confidence


def test_an_animal_that_lies_on_a_stronger_one_is_dropped() -> None:
    peaks, affinities = two_animals()
    peaks[:, 0, :2] = [
        [51, 50],
        [52, 50],
        [53, 50],
    ]  # the weaker one inside, but only one of the three the other way round
    rules = AssemblyRules(edges=CHAIN, individuals=2)
    assert assemble(peaks, affinities, rules)[1].tolist() == [[1, 1, 1], [0, 0, 0]]
    peaks[:, 0, :2] = peaks[:, 1, :2]
    assert assemble(peaks, affinities, rules)[1].tolist() == [[1, 1, 1], [-1, -1, -1]]


def test_overlap_is_the_smaller_part_that_is_in_both_boxes() -> None:
    first_animal = [[0, 0], [10, 10], [4, 4], [6, 6]]
    second_animal = [[5, 5], [20, 20], [9, 9], [np.nan, np.nan]]  # both boxes hold (5..10): 2 of 4 here, 2 of 3 there
    points = np.array([first_animal, second_animal], dtype=np.float32)
    assert distinct(points, [1.0, 2.0], 0.51) == [1, 0]
    assert distinct(points, [1.0, 2.0], 0.5) == [1]
    assert distinct(points, [2.0, 1.0], 0.5) == [0]


def test_whole_animals_that_nothing_else_touches_come_first_and_have_all_their_links() -> None:
    edges = ((0, 1), (0, 2), (1, 2))
    peaks, affinities = scene([[(0, 0, 0.9)], [(1, 0, 0.9)], [(0, 1, 0.9)]], edges)
    affinities[:] = np.array([0.2, 0.4, 0.9]).reshape(3, 1, 1)
    (animal,) = find_animals(peaks, affinities, AssemblyRules(edges=edges, individuals=2))
    assert len(animal.links) == 3
    assert animal.strength == pytest.approx(0.5)


def test_an_animal_grows_along_its_strongest_links() -> None:
    """Two candidates for keypoint 2 are linked to one animal; the other animal has lost its keypoints 0 and 1."""
    edges = ((0, 1), (0, 2), (1, 2))
    peaks, affinities = scene([[(0, 0, 0.9)], [(1, 0, 0.9)], [(0, 1, 0.9), (9, 9, 0.8)]], edges)
    affinities[0, 0, 0] = 0.9
    affinities[1, 0] = [0.1, 0.5]
    affinities[2, 0] = [0.6, 0.3]
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=edges, individuals=2))
    assert peak_indices.tolist() == [[0, 0, 0], [-1, -1, -1]]
    affinities[1, 0] = [0.1, 0.7]
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=edges, individuals=2))
    assert peak_indices.tolist() == [[0, 0, 1], [-1, -1, -1]]


def test_parts_are_merged_where_there_are_more_than_animals() -> None:
    """Two animals of four keypoints, one of them in two parts that a weak link joins."""
    edges = ((0, 1), (2, 3), (1, 2))
    first_animal = [(10.0, 10.0, 0.9), (12.0, 10.0, 0.9), (14.0, 10.0, 0.9), (16.0, 10.0, 0.9)]
    peaks, affinities = scene([[point, (point[0], 90.0, 0.9)] for point in first_animal], edges)
    affinities[0] = affinities[1] = np.diag([0.9, 0.8])
    affinities[2] = [[0.3, 0.0], [0.0, 0.4]]
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=edges, individuals=2))
    assert peak_indices.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]


def test_a_single_animal_has_its_surest_candidates_linked_or_not() -> None:
    peaks, affinities = scene([[(1, 1, 0.05)], [(5, 5, 0.6), (9, 9, 0.7)], [None]], CHAIN)
    keypoints, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=1))
    assert peak_indices.tolist() == [[0, 1, -1]]
    assert keypoints[0, 0].tolist() == pytest.approx([1, 1, 0.05])


def test_animals_of_one_keypoint_are_the_surest_candidates() -> None:
    peaks, affinities = scene([[(1, 1, 0.2), (2, 2, 0.9), None, (4, 4, 0.5)]], ())
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=(), individuals=2))
    assert peak_indices.tolist() == [[1], [3]]
    _, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=(), individuals=4))
    assert peak_indices.tolist() == [[1], [3], [0], [-1]]


def test_nothing_in_nothing_out() -> None:
    peaks, affinities = scene([[None, None]] * 3, CHAIN)
    keypoints, peak_indices = assemble(peaks, affinities, AssemblyRules(edges=CHAIN, individuals=2))
    assert (peak_indices == -1).all()
    assert np.isnan(keypoints[..., :2]).all()


@st.composite
def separable(draw: st.DrawFn) -> tuple[Floats, Floats, AssemblyRules, NDArray[np.intp]]:
    """Animals far from each other, their candidates shuffled, strong affinities inside them and weak ones between."""
    animals, keypoints = draw(st.integers(1, 6)), draw(st.integers(3, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    edges = tuple(itertools.combinations(range(keypoints), 2))
    complete = draw(st.booleans())
    visible = rng.random((animals, keypoints)) < (1.0 if complete else 0.8)
    visible[:, :3] = True  # enough for two links
    shape = rng.uniform(0, 20, (keypoints, 2))
    places = np.array([rng.permutation(animals) for _ in range(keypoints)]).T  # (animals, keypoints)
    peaks = np.full((keypoints, animals, 3), np.nan, dtype=np.float32)
    peaks[..., 2] = 0
    for animal, keypoint in np.argwhere(visible):
        position = shape[keypoint] + 100 * animal
        peaks[keypoint, places[animal, keypoint]] = *position, rng.uniform(0.2, 1)
    # A candidate whose partner is missing goes to any other that it has enough affinity with.
    stray = 0.3 if complete else 0.04
    affinities = rng.uniform(0, stray, (len(edges), animals, animals)).astype(np.float32)
    for number, (source, target) in enumerate(edges):
        for animal in range(animals):
            affinities[number, places[animal, source], places[animal, target]] = rng.uniform(0.7, 1)
        affinities[number][~np.isfinite(peaks[source, :, 0])] = 0
        affinities[number][:, ~np.isfinite(peaks[target, :, 0])] = 0
    expected = np.where(visible, places, -1)
    return peaks, np.round(affinities, 3), AssemblyRules(edges=edges, individuals=animals), expected


@given(separable())
@settings(deadline=None, max_examples=60)
def test_animals_that_can_be_told_apart_are_recovered(
    case: tuple[Floats, Floats, AssemblyRules, NDArray[np.intp]],
) -> None:
    peaks, affinities, rules, expected = case
    keypoints, peak_indices = assemble(peaks, affinities, rules)
    assert sorted(peak_indices.tolist()) == sorted(expected.tolist())
    there = peak_indices >= 0
    assert np.isfinite(keypoints[there]).all()
    assert np.isnan(keypoints[~there][:, :2]).all()


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 1]),
)
@settings(deadline=None, max_examples=60)
def test_assignments_have_the_largest_sum(rows: int, columns: int, seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.random((3, 5, 5)), decimals)
    assigned = assign(values, np.full(3, rows), np.full(3, columns))
    for matrix, column_of in zip(values, assigned, strict=True):
        taken = column_of[column_of >= 0]
        assert len(set(taken.tolist())) == len(taken) == min(rows, columns)
        assert (column_of[rows:] == -1).all()
        total = sum(matrix[row, column] for row, column in enumerate(column_of) if column >= 0)
        small, wide = (matrix[:rows, :columns], columns) if rows <= columns else (matrix[:rows, :columns].T, rows)
        best = max(
            sum(small[row, column] for row, column in enumerate(order))
            for order in itertools.permutations(range(wide), len(small))
        )
        assert total == pytest.approx(best, abs=1e-12)


def test_individuals_are_ordered_by_confidence_times_score() -> None:
    """Animal 0 looks like individual 1, but animal 1 so much more that the sum is larger the other way round."""
    keypoints = np.array([[[0, 0, 0.5], [1, 1, 0.5]], [[5, 5, 1.0], [6, 6, 1.0]]], dtype=np.float32)
    scores = np.array([[[0.4, 0.6], [0.4, 0.6]], [[0.1, 0.9], [0.1, 0.9]]], dtype=np.float32)
    assert order_by_identity(keypoints, scores).tolist() == [0, 1]
    keypoints[1, :, 2] = 0.05
    assert order_by_identity(keypoints, scores).tolist() == [1, 0]


def test_missing_keypoints_say_nothing_about_the_individual() -> None:
    keypoints = np.full((2, 1, 3), np.nan, dtype=np.float32)
    keypoints[0, 0] = 3, 4, 0.9
    keypoints[1, 0, 2] = 0
    scores = np.array([[[0.2, 0.7]], [[np.nan, np.nan]]], dtype=np.float32)
    assert order_by_identity(keypoints, scores).tolist() == [1, 0]


def test_rules_survive_json() -> None:
    rules = AssemblyRules(edges=((0, 1), (2, 1)), individuals=4, min_affinity=0.1)
    assert AssemblyRules.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


@pytest.mark.parametrize(("edges", "individuals"), [(((0, 1),), 0), (((1, 1),), 2), (((-1, 1),), 2)])
def test_rules_that_cannot_be(edges: tuple[tuple[int, int], ...], individuals: int) -> None:
    with pytest.raises(ValueError, match=r"individual|edges"):
        AssemblyRules(edges=edges, individuals=individuals)
