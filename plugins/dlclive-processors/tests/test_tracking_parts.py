"""The parts of the tracker against their formulas, written out for one animal or one keypoint at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from dlclive_processors.tracking.association import Association
from dlclive_processors.tracking.detections import DetectionFinder, Detections
from dlclive_processors.tracking.rows import IdentityRows
from dlclive_processors.tracking.similarity import BoxSimilarity, KeypointSimilarity
from dlclive_processors.tracking.tracks import START_SPEED, Tracks
from numpy.typing import NDArray

from dlclive_core import Pose, Skeleton

SKELETON = Skeleton(("a", "b", "c", "d"))
NOISE = 0.03


def find(keypoints: object, *, boxes: bool = False, size: float | None = None, most: int = 99) -> Detections:
    pose = Pose(np.asarray(keypoints, np.float32), SKELETON)
    return DetectionFinder(boxes=boxes, min_confidence=0.6, size=size).find(pose, most)


def scattered(seed: int, count: int = 5) -> NDArray[np.float32]:
    """(N, 4, 3) animals of about 60 px near each other, with missing keypoints."""
    rng = np.random.default_rng(seed)
    keypoints = np.empty((count, 4, 3), np.float32)
    keypoints[..., :2] = rng.uniform(100, 200, (count, 1, 2)) + rng.normal(0, 20, (count, 4, 2))
    keypoints[..., 2] = rng.uniform(0.2, 1.0, (count, 4))
    keypoints[rng.random((count, 4)) < 0.2] = (np.nan, np.nan, 0)
    return keypoints


def test_the_size_of_an_animal_is_the_same_however_it_turns() -> None:
    """The corners of a 60 x 20 rectangle, spread from its middle: 6 times the variance is 6 (30^2 + 10^2)."""
    corners = np.array([[30, 10], [30, -10], [-30, 10], [-30, -10]])
    for angle in (0.0, 0.4, 1.3, 3.0):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        keypoints = np.full((1, 4, 3), 0.9)
        keypoints[0, :, :2] = corners @ turn.T + (300, 200)
        assert find(keypoints).areas[0] == pytest.approx(6 * (30**2 + 10**2), rel=1e-4)
    keypoints[0, :, :2] = (300, 200)
    assert find(keypoints).areas[0] == 10.0**2  # nothing is smaller
    assert find(keypoints, size=50).areas[0] == 50.0**2


def test_similarity_is_the_oks_of_coco() -> None:
    """Without uncertainty, the mean of exp(-d^2 / (2 s^2 (2 sigma)^2)) over the keypoints that both have."""
    ours, theirs = find(scattered(1)), find(scattered(2, 3))
    known = ours.seen
    similarity, value = KeypointSimilarity(0.1).between(ours.points, known, ours.areas, np.zeros(len(ours)), theirs)
    for i, j in itertools.product(range(len(ours)), range(len(theirs))):
        terms = [
            math.exp(-(abs(p - q) ** 2) / (2 * area * 0.2**2))
            for p, q, a, b in zip(ours.points[i], theirs.points[j], known[i], theirs.seen[j], strict=True)
            for area in [ours.areas[i]]
            if a and b
        ]
        assert similarity[i, j] == pytest.approx(sum(terms) / len(terms) if terms else 0.0, rel=1e-9, abs=1e-12)
    np.testing.assert_array_equal(similarity, value)


def test_the_value_of_a_pair_is_the_expectation_of_its_oks() -> None:
    """Over predictions that scatter as their variance says, sampled 200 000 times."""
    rng = np.random.default_rng(0)
    measure, area, variance = KeypointSimilarity(0.1), np.array([3000.0]), np.array([150.0])
    keypoints = np.full((1, 4, 3), 0.9)
    keypoints[0, :, :2] = [[0, 0], [30, 0], [0, 20], [30, 20]]
    detection = find(keypoints)
    expected = detection.points + (8 + 5j)
    _, value = measure.between(expected, None, area, variance, detection)
    shift = rng.normal(0, math.sqrt(150.0), 200_000) + 1j * rng.normal(0, math.sqrt(150.0), 200_000)
    sampled = np.exp(-(np.abs(8 + 5j + shift) ** 2) / (2 * 3000.0 * 0.2**2)).mean()
    assert value[0, 0] == pytest.approx(sampled, rel=0.01)


def test_the_overlap_of_boxes_is_intersection_over_union() -> None:
    """Counted in pixels; uncertainty makes both boxes larger by its standard deviation."""
    boxes = [(0, 0, 40, 20), (10, 5, 60, 30), (200, 200, 210, 230), (0, 0, 40, 20)]
    pose = Pose(np.full((4, 4, 3), 0.9, np.float32), SKELETON, boxes=np.array([(*box, 1) for box in boxes], np.float32))
    found = DetectionFinder(boxes=True, min_confidence=0.6, size=None).find(pose, 9)
    for buffer in (0, 3):
        variance = np.full(4, float(buffer**2))
        similarity, value = BoxSimilarity().between(found.points, None, found.areas, variance, found)
        np.testing.assert_allclose(value, similarity * (found.areas / (found.areas + variance))[:, None])
        for i, j in itertools.product(range(4), repeat=2):
            one, other = (
                {(x, y) for x in range(a - buffer, c + buffer) for y in range(b - buffer, d + buffer)}
                for a, b, c, d in (boxes[i], boxes[j])
            )
            assert similarity[i, j] == pytest.approx(len(one & other) / len(one | other))
    np.testing.assert_allclose(BoxSimilarity().among(found)[0], [1, 450 / 1600, 0, 1], rtol=1e-6)


def test_boxes_lie_around_the_keypoints_that_were_seen() -> None:
    keypoints = np.full((1, 4, 3), 0.9)
    keypoints[0, :, :2] = [[10, 40], [30, 20], [20, 60], [500, 500]]
    keypoints[0, 3, 2] = 0.05
    found = find(keypoints, boxes=True)
    np.testing.assert_allclose(found.points[0], [10 + 20j, 30 + 60j])
    assert found.areas[0] == 20 * 40


def test_a_track_is_a_plain_kalman_filter_of_the_animals_middle() -> None:
    """All keypoints seen, irregular times: position, velocity and covariance as with matrices written out."""
    rng = np.random.default_rng(3)
    body = rng.normal(0, 30, (4, 2))
    middle = np.cumsum(rng.normal(5, 3, (40, 2)), axis=0) + 300
    steps = rng.uniform(0.01, 0.05, 40)
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    area = 6 * ((body - body.mean(axis=0)) ** 2).sum(axis=1).mean()
    for number, (place, step) in enumerate(zip(middle, steps, strict=True)):
        keypoints = np.full((1, 4, 3), 0.9)
        keypoints[0, :, :2] = body + place
        detections = find(keypoints)
        if number == 0:
            tracks.begin(detections)
            state = np.stack([body.mean(axis=0) + place, np.zeros(2)])
            covariance = np.diag([NOISE**2 * area, START_SPEED**2 * area])
            continue
        tracks.advance(step)
        f = np.array([[1, step], [0, 1]])
        q = 25 * area * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        state, covariance = f @ state, f @ covariance @ f.T + q
        gain = covariance[:, 0] / (covariance[0, 0] + NOISE**2 * area)
        state = state + gain[:, None] * (body.mean(axis=0) + place - state[0])
        covariance = (np.eye(2) - np.outer(gain, [1, 0])) @ covariance
        tracks.measure(np.array([0]), detections, np.array([0]))
    assert tracks.position[0] == pytest.approx(complex(*state[0]), abs=1e-2)
    assert tracks.velocity[0] == pytest.approx(complex(*state[1]), rel=1e-3)
    assert [tracks.p00[0], tracks.p01[0], tracks.p11[0]] == pytest.approx(
        [covariance[0, 0], covariance[0, 1], covariance[1, 1]], rel=1e-3
    )


def test_some_of_several_tracks_are_updated_as_if_they_were_alone() -> None:
    keypoints = np.full((3, 4, 3), 0.9)
    keypoints[..., :2] = np.random.default_rng(0).normal([[[100, 100]], [[300, 100]], [[500, 100]]], 20, (3, 4, 2))
    together, alone = Tracks(5.0, NOISE), Tracks(5.0, NOISE)
    together.clear(4)
    alone.clear(4)
    together.begin(find(keypoints))
    alone.begin(find(keypoints[2:]))
    moved = find(np.add(keypoints, (7, 3, 0)))
    for tracks in (together, alone):
        tracks.advance(0.03)
    before = together.position[1]
    together.measure(np.array([2, 0]), moved, np.array([2, 0]))
    alone.measure(np.array([0]), moved, np.array([2]))
    assert together.position[1] == before
    assert together.missed.tolist() == [0, 1, 0]
    assert together.row.tolist() == [0, -1, 2]
    for name in ("position", "velocity", "p00", "p01", "p11", "offsets", "area"):
        np.testing.assert_allclose(getattr(together, name)[2], getattr(alone, name)[0])


def test_each_track_gets_its_own_detection_in_whatever_order() -> None:
    keypoints = np.full((3, 4, 3), 0.9)
    keypoints[..., :2] = np.random.default_rng(0).normal([[[100, 100]], [[300, 100]], [[500, 100]]], 20, (3, 4, 2))
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    tracks.begin(find(keypoints))
    tracks.advance(0.03)
    tracks.measure(np.array([2, 0, 1]), find(keypoints[[1, 2, 0]]), np.array([1, 2, 0]))
    assert tracks.row.tolist() == [2, 0, 1]
    np.testing.assert_allclose(tracks.expected, find(keypoints).points, atol=1)


def test_hidden_keypoints_are_expected_where_the_body_has_them() -> None:
    """An animal walks 6 px per frame; its hind half is hidden from the start, then the fore half."""
    body = np.array([[40, 0], [20, 10], [-20, 10], [-40, 0]])
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    for number in range(60):
        keypoints = np.full((1, 4, 3), 0.9)
        keypoints[0, :, :2] = np.add(body, (100 + 6 * number, 100))
        keypoints[0, [2, 3] if number < 20 else [0, 1] if number >= 40 else []] = (np.nan, np.nan, 0)
        detections = find(keypoints)
        if number == 0:
            tracks.begin(detections)
        else:
            tracks.advance(1 / 30)
            tracks.measure(np.array([0]), detections, np.array([0]))
        truth = body @ (1, 1j) + (100 + 6 * number + 100j)
        known = slice(2) if number < 20 else slice(4)
        np.testing.assert_allclose(tracks.expected[0, known], truth[known], atol=2.5)
        assert tracks.is_complete == (number >= 20)


def test_a_piece_of_an_animal_does_not_change_its_size() -> None:
    keypoints = np.full((1, 4, 3), 0.9)
    keypoints[0, :, :2] = [[0, 0], [50, 0], [0, 30], [50, 30]]
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    tracks.begin(find(keypoints))
    area = tracks.area[0]
    one, two = keypoints.copy(), keypoints.copy()
    one[0, 1:] = two[0, 2:] = (np.nan, np.nan, 0)
    tracks.measure(np.array([0]), find(one), np.array([0]))
    assert tracks.area[0] == area
    tracks.measure(np.array([0]), find(two), np.array([0]))
    assert tracks.area[0] == pytest.approx(0.9 * area + 0.1 * find(two).areas[0])


def test_an_unseen_animal_is_expected_further_on_but_not_for_ever() -> None:
    keypoints = np.full((1, 4, 3), 0.9)
    keypoints[0, :, :2] = [[0, 0], [50, 0], [0, 30], [50, 30]]
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    tracks.begin(find(keypoints))
    tracks.velocity[:], tracks.p11[:] = 300.0, 100.0
    start = tracks.position[0]
    for _ in range(9):
        tracks.advance(1 / 30)
    assert 70 < (tracks.position[0] - start).real < 90
    variance = tracks.variance[0]
    for _ in range(600):
        tracks.advance(1 / 30)
    assert (tracks.position[0] - start).real < 300 * 0.6
    assert variance < tracks.variance[0] == tracks.area[0]


@pytest.mark.parametrize("seed", range(20))
def test_pairs_have_the_largest_sum_of_all_ways(seed: int) -> None:
    """Against all permutations, for tracks with identities and sure detections."""
    ours, theirs = find(scattered(seed, 4)), find(scattered(seed + 100, 4))
    ours.sure[:] = theirs.sure[:] = True
    tracks = Tracks(5.0, NOISE)
    tracks.clear(4)
    tracks.begin(ours)
    tracks.identity[:] = range(len(tracks))
    tracks.advance(0.1)
    measure = KeypointSimilarity(0.3)
    found, matched = Association(measure, 0.05, 1.0).pairs(tracks, theirs)
    similarity, value = measure.between(tracks.expected, tracks.known, tracks.area, tracks.variance, theirs)
    value[similarity < 0.05] = 0
    best = max(sum(value[i, j] for i, j in enumerate(way)) for way in itertools.permutations(range(len(theirs))))
    assert value[found, matched].sum() == pytest.approx(best)
    assert (value[found, matched] > 0).all()


@pytest.mark.parametrize("names", [("ann", "bob"), None])
def test_rows_of_identities_keep_how_unlike_the_training_the_frame_is(names: tuple[str, ...] | None) -> None:
    pose = Pose(scattered(1, 2), SKELETON, unlike=1.5)
    tracks = Tracks.__new__(Tracks)  # what the rows need of them
    tracks.identity, tracks.row = np.array([0, 1]), np.array([1, 0])
    placed, seen = IdentityRows(names).place(pose, tracks)
    assert (placed.unlike, seen) == (1.5, 2)
