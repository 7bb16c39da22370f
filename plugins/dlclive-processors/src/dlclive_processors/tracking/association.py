"""Which detection belongs to which track, and which detections are the same animal twice."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dlclive_core import Pose
from dlclive_processors.tracking.detections import Detections, Floats, Places, Points, squares, strengths
from dlclive_processors.tracking.similarity import BoxSimilarity, KeypointSimilarity
from dlclive_processors.tracking.tracks import Tracks

Pairs = tuple[Places, Places]
FEW = 8
"""So few distances are faster without numpy."""
NONE: Places = np.empty(0, dtype=np.intp)


class Association:
    """Finds the pairs of tracks and detections, in three rounds, each among what the one before it has left.

    1. Tracks with an identity, and sure detections.
    2. Tracks with an identity, and the other detections: an animal that is half hidden is detected with low confidence, but
       where it is expected (Zhang et al. 2022, "ByteTrack: Multi-object tracking by associating every detection box", ECCV).
    3. Tracks that have no identity yet, and sure detections.

    The pairs of a round are those with the largest sum of values. A pair of less than the least similarity is none.

    Args:
        measure: of similarity.
        least: the least similarity of a pair, above 0.
        duplicate_from: detections of this similarity or more are one animal.
    """

    def __init__(self, measure: KeypointSimilarity | BoxSimilarity, least: float, duplicate_from: float) -> None:
        self._measure, self._least, self._duplicate_from = measure, least, duplicate_from

    def pairs(self, tracks: Tracks, detections: Detections) -> Pairs:
        """(A,) places of tracks and (A,) of their detections."""
        if not len(tracks) or not len(detections):
            return NONE, NONE
        known = None if tracks.is_complete else tracks.known
        similarity, value = self._measure.between(tracks.expected, known, tracks.area, tracks.variance, detections)
        value[similarity < self._least] = 0.0
        if -1 not in tracks.identity.tolist() and np.count_nonzero(detections.sure) == len(detections):
            return _best(value)
        named, sure = tracks.identity >= 0, detections.sure
        found: list[Pairs] = []
        free_tracks, free_detections = np.ones(len(tracks), bool), np.ones(len(detections), bool)
        for tracks_of_round, detections_of_round in ((named, sure), (named, ~sure), (~named, sure)):
            ours = np.flatnonzero(free_tracks & tracks_of_round)
            theirs = np.flatnonzero(free_detections & detections_of_round)
            if len(ours) and len(theirs):
                rows, columns = _best(value[np.ix_(ours, theirs)])
                found.append((ours[rows], theirs[columns]))
                free_tracks[ours[rows]] = free_detections[theirs[columns]] = False
        if not found:
            return NONE, NONE
        return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])

    def without_duplicates(self, detections: Detections, pose: Pose) -> Detections:
        """Drop detections that lie on a stronger one of the pose, by their mean confidence."""
        if len(detections) < 2:
            return detections
        if not _any_near(detections.centres, detections.areas):
            return detections
        doubled = self._measure.among(detections) >= self._duplicate_from
        np.fill_diagonal(doubled, False)
        if not doubled.any():
            return detections
        order = np.argsort(-strengths(pose)[detections.rows], kind="stable")
        kept = np.zeros(len(detections), bool)
        for place in order:
            kept[place] = not (doubled[place] & kept).any()
        return detections.take(kept)


def _any_near(centres: Points, areas: Floats) -> bool:
    """Whether two centres are nearer to each other than the size of the largest animal."""
    limit = max(areas.tolist())
    if len(centres) > FEW:
        return bool(np.count_nonzero(squares(centres[:, None] - centres) < limit) > len(centres))
    places, limit = centres.tolist(), math.sqrt(limit)  # numpy's calls take longer than so few distances
    return any(abs(a - b) < limit for place, a in enumerate(places) for b in places[:place])


def _best(value: Floats) -> Pairs:
    """The pairs with the largest sum of values, without those of no value."""
    rows, columns = linear_sum_assignment(value, maximize=True)
    good: NDArray[np.bool_] = value[rows, columns] > 0.0
    return (rows, columns) if np.count_nonzero(good) == len(good) else (rows[good], columns[good])
