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
        points = scene.points if self.columns is None else scene.points[:, self.columns]
        before = self._aligned(scene.names, points, scene.motion_time)
        seen = ~np.isnan(points[:, :, 0])
        steps = points - before
        both = ~np.isnan(steps[:, :, 0])
        counts = both.sum(axis=1)
        steps[~both] = 0.0
        means = (steps.sum(axis=1) / np.maximum(counts, 1)[:, None]).tolist()
        is_seen = np.any(seen, axis=1)
        self._before = points if is_seen.all() else np.where(is_seen[:, None, None], points, before)
        rows = zip(scene.names, is_seen.tolist(), counts.tolist(), means, strict=True)
        now = scene.motion_time
        return [self._advance(name, now, step, count > 0) if seen else math.nan for name, seen, count, step in rows]

    def _aligned(self, names: tuple[str, ...], points: NDArray[np.float64], now: float) -> NDArray[np.float64]:
        """Where the keypoints of these individuals were when each was last seen; NaN for a new one."""
        if self._before is not None and names == self._names and self._before.shape == points.shape:
            return self._before
        if self._before is not None:
            self._last_seen.update(zip(self._names, self._before, strict=True))
        recent = {name: path for name, path in self._paths.items() if now - path[-1][0] <= LONGEST_STEP}
        self._paths = recent
        self._last_seen = {name: place for name, place in self._last_seen.items() if name in recent}
        aligned = np.full(points.shape, np.nan)
        for row, name in enumerate(names):
            place = self._last_seen.get(name)
            if place is not None and place.shape == aligned[row].shape:
                aligned[row] = place
        self._names = names
        return aligned

    def _advance(self, name: str, now: float, step: Sequence[float], is_connected: bool) -> float:
        path = self._paths.setdefault(name, deque())
        if not path or not is_connected or now - path[-1][0] > LONGEST_STEP:
            path.clear()
            path.append((now, tuple(0.0 for _ in step)))
            return math.nan
        last, place = path[-1]
        if now <= last:  # two frames with one time: the later one counts
            path.pop()
        path.append((now, tuple([a + b for a, b in zip(place, step, strict=True)])))
        oldest = now - self._window - SLACK
        while len(path) > 2 and path[0][0] < oldest:
            path.popleft()
        return speed_of(path)


def speed_of(path: Sequence[tuple[float, tuple[float, ...]]]) -> float:
    """The length of the Theil-Sen velocity of a path, oldest point first; NaN for fewer than two times."""
    times, places = zip(*[path[index] for index in _spread(len(path))], strict=True)
    pairs = _pairs(times)
    if not pairs:
        return math.nan
    middle, is_odd = divmod(len(pairs), 2)
    velocity = []
    for along in zip(*places, strict=True):
        slopes = sorted([(along[j] - along[i]) * rate for i, j, rate in pairs])
        velocity.append(slopes[middle] if is_odd else 0.5 * (slopes[middle - 1] + slopes[middle]))
    return math.hypot(*velocity)


@lru_cache(maxsize=64)  # the times of a frame's individuals are mostly the same
def _pairs(times: tuple[float, ...]) -> Sequence[tuple[int, int, float]]:
    """Each pair of points i < j, and 1 / (t_j - t_i)."""
    pairs = ((i, j) for j in range(1, len(times)) for i in range(j) if times[j] - times[i] > _SHORTEST)
    return [(i, j, 1.0 / (times[j] - times[i])) for i, j in pairs]


@lru_cache(maxsize=4096)
def _spread(count: int) -> Sequence[int]:
    """Up to 5 of this many points, spread evenly, with the first and the last."""
    if count <= _MOST:
        return range(count)
    return [round(number * (count - 1) / (_MOST - 1)) for number in range(_MOST)]
