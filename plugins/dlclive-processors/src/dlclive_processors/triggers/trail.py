"""How fast a part of each animal moves."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dlclive_processors.triggers.activations import SLACK
from dlclive_processors.triggers.scene import Scene

LONGEST_STEP = 1.0
"""Seconds between two sightings after which a path begins anew: what happened in between is not known."""

_SHORTEST = 1e-9  # seconds; frames nearer to each other have one time
_MOST = 5  # points of a path that are compared in pairs: 10 pairs


Path = deque[tuple[float, tuple[float, ...]]]
"""Times and positions of one individual, oldest first."""


class Trail:
    """The paths of a part of each individual: of one keypoint, of several, or of all that are seen (the body).

    A path is the sum of steps from frame to frame. A step is the mean displacement of those keypoints that are seen in both
    frames, so a path does not jump when a keypoint is hidden or found: for one keypoint it is the keypoint's own path, for
    several that of their centroid, as long as the same ones are seen.

    The velocity is, for each coordinate, the median of the slopes (x_j - x_i) / (t_j - t_i) of all pairs i < j of up to 5
    frames, spread evenly over the last `window` seconds: H. Theil, A rank-invariant method of linear and polynomial regression
    analysis, Proc. Kon. Ned. Akad. v. Wetensch. 53 (1950) 386; P. K. Sen, Estimates of the regression coefficient based on
    Kendall's tau, J. Amer. Statist. Assoc. 63 (1968) 1379. One jump in five frames changes it little. The speed is its length;
    it lags by about half a window. If no earlier frame lies in the window, because frames are rare, the one before is used.

    Args:
        window: seconds.
        columns: of the keypoints; None: all.
    """

    def __init__(self, window: float, columns: Sequence[int] | None = None) -> None:
        self._window = window
        self.columns = None if columns is None else list(columns)
        self.reset()

    def reset(self) -> None:
        """Forget all paths."""
        self._names: tuple[str, ...] = ()
        self._before: NDArray[np.float64] | None = None
        self._last_seen: dict[str, NDArray[np.float64]] = {}
        self._paths: dict[str, Path] = {}

    def update(self, scene: Scene) -> list[float]:
        """Take the next frame; return the speed [px/s] of each individual, NaN where it is unknown or not seen."""
        now, points = scene.motion_time, scene.planes  # (D, N, K)
        if self.columns is not None:
            points = points.take(self.columns, axis=2)
        if not points.shape[2]:
            return [math.nan] * len(scene.names)
        before = self._aligned(scene.names, points, now)
        steps = points - before
        lacking = np.isnan(steps[0])
        counts = [points.shape[2]] * points.shape[1]
        if np.count_nonzero(lacking):
            counts = [full - few for full, few in zip(counts, np.add.reduce(lacking, axis=1).tolist(), strict=True)]
            np.copyto(steps, 0.0, where=lacking)
        # One after another, as `accumulate` adds: the order, and so the last bit, does not depend on the number of animals.
        sums = np.add.accumulate(steps, axis=2)[:, :, -1].T.tolist()
        is_unseen = np.logical_and.reduce(np.isnan(points[0]), axis=1).tolist()
        self._before = np.where(np.array(is_unseen)[:, None], before, points) if True in is_unseen else points
        rows = zip(scene.names, is_unseen, counts, sums, strict=True)
        return [math.nan if unseen else self._advance(name, now, total, count) for name, unseen, count, total in rows]

    def _aligned(self, names: tuple[str, ...], points: NDArray[np.float64], now: float) -> NDArray[np.float64]:
        """Where the keypoints of these individuals were when each was last seen, (D, N, K); NaN for a new one."""
        if self._before is not None and names == self._names and self._before.shape == points.shape:
            return self._before
        if self._before is not None:
            self._last_seen.update(zip(self._names, self._before.swapaxes(0, 1), strict=True))
        recent = {name: path for name, path in self._paths.items() if now - path[-1][0] <= LONGEST_STEP}
        self._paths = recent
        self._last_seen = {name: place for name, place in self._last_seen.items() if name in recent}
        aligned = np.full(points.shape, np.nan)
        for row, name in enumerate(names):
            place = self._last_seen.get(name)
            if place is not None and place.shape == aligned[:, row].shape:
                aligned[:, row] = place
        self._names = names
        return aligned

    def _advance(self, name: str, now: float, total: Sequence[float], count: int) -> float:
        """Continue a path by the mean of `count` displacements, given their sum; return the speed."""
        path = self._paths.get(name)
        if path is None:
            path = self._paths[name] = deque()
        if not path or not count or now - path[-1][0] > LONGEST_STEP:
            path.clear()
            path.append((now, (0.0,) * len(total)))
            return math.nan
        last, place = path[-1]
        if now <= last:  # two frames with one time: the later one counts
            path.pop()
        path.append((now, tuple([a + b / count for a, b in zip(place, total, strict=True)])))
        oldest = now - self._window - SLACK
        while len(path) > 2 and path[0][0] < oldest:
            path.popleft()
        return speed_of(path)


def speed_of(path: Sequence[tuple[float, tuple[float, ...]]]) -> float:
    """The length of the Theil-Sen velocity of a path, oldest point first; NaN for fewer than two times."""
    times, places = zip(*[path[index] for index in _spread(len(path))], strict=True)
    pairs, rates = _pairs(times)
    if not pairs:
        return math.nan
    middle, is_odd = divmod(len(pairs), 2)
    velocity = []
    for along in zip(*places, strict=True):
        if len(pairs) == 10:  # nearly always; written out, it takes a third of the time
            a, b, c, d, e = along
            ab, ac, bc, ad, bd, cd, ae, be, ce, de = rates
            slopes = [
                (b - a) * ab, (c - a) * ac, (c - b) * bc, (d - a) * ad, (d - b) * bd, (d - c) * cd,
                (e - a) * ae, (e - b) * be, (e - c) * ce, (e - d) * de,
            ]  # fmt: skip
        else:
            slopes = [(along[j] - along[i]) * rate for (i, j), rate in zip(pairs, rates, strict=True)]
        slopes.sort()
        velocity.append(slopes[middle] if is_odd else 0.5 * (slopes[middle - 1] + slopes[middle]))
    return math.hypot(*velocity)


@lru_cache(maxsize=64)  # the times of a frame's individuals are mostly the same
def _pairs(times: tuple[float, ...]) -> tuple[Sequence[tuple[int, int]], Sequence[float]]:
    """The pairs of points i < j, and 1 / (t_j - t_i) of each."""
    pairs = [(i, j) for j in range(1, len(times)) for i in range(j) if times[j] - times[i] > _SHORTEST]
    return pairs, [1.0 / (times[j] - times[i]) for i, j in pairs]


@lru_cache(maxsize=4096)
def _spread(count: int) -> Sequence[int]:
    """Up to 5 of this many points, spread evenly, with the first and the last."""
    if count <= _MOST:
        return range(count)
    return [round(number * (count - 1) / (_MOST - 1)) for number in range(_MOST)]
