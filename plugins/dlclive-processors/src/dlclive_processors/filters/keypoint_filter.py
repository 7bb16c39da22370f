"""What all filters of keypoints have in common: who is who, what counts as seen, how time passes, when to forget."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, Processor, RunInfo, check_number
from dlclive_processors.filters.memory import Memory, Record
from dlclive_processors.frame_clock import FrameClock, FrameTimes, times_only
from dlclive_processors.individuals import individual_keys

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FARTHEST = 1e6  # px: larger than any image, so a position beyond it (or infinite) is invalid
LONGEST_GAP = 1e5  # s: more than a day; keeps powers of the time finite
SHORTEST_STEP = 1e-6  # s: frames nearer than this have the same time
FIRST_INTERVAL = 1 / 30  # s: assumed between frames until two of them differ in time


class KeypointFilter(Processor):
    """A filter with a memory of its own for every keypoint of every individual.

    A filter says what it remembers (`layout`), how that begins (`start`), what a new measurement changes (`update`), and
    which position follows from it (`place`). It sees flat arrays of P keypoints, and D coordinates of each.

    A keypoint is seen where its position is finite and its confidence at least `min_confidence`. The output:

    - seen: the filter's position and the model's own confidence;
    - unseen for at most `max_gap` seconds: the filter's position and a confidence below `min_confidence`: the model's, or 0
      if that is not lower, so that no trigger that requires a confident keypoint acts on a position that nobody saw;
    - unseen for longer: missing (NaN, NaN, 0). The next measurement begins anew and is returned unchanged.

    Times are those of the frames, never of the call. If they go back, as in a recording that begins again, everything is
    forgotten. Individuals are identified by `Pose.ids` if all are different, else by their row; of those absent, at most
    `memory.MOST_ABSENT` are remembered. Unique keypoints and boxes pass through.

    Args:
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds for which an unseen keypoint is remembered.

    Raises:
        UsageError: an invalid option.
    """

    replays = True
    dimensions = (2, 3)

    def __init__(self, *, min_confidence: float, max_gap: float) -> None:
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        self._memory = Memory(check_number("max_gap", max_gap, above=0, most=LONGEST_GAP))
        self._clock = FrameClock()
        self._last: FrameTimes | None = None
        self._interval = FIRST_INTERVAL
        self._layouts: dict[int, np.dtype[np.void]] = {}

    def open(self, run: RunInfo) -> None:
        """Forget an earlier run."""
        self._clock = FrameClock(run)
        self.forget()

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Return a new pose with filtered positions."""
        # Each coordinate is contiguous, (D + 1, N, K): numpy is then several times faster.
        planes = pose.keypoints.transpose(2, 0, 1).astype(np.float64, order="C")
        positions, confidence = self.filter(individual_keys(pose), planes[:-1].transpose(1, 2, 0), planes[-1], frame)
        filtered = np.empty_like(pose.keypoints)
        filtered[..., :-1], filtered[..., -1] = positions, confidence
        filtered.flags.writeable = False  # or the pose would copy it
        return replace(pose, keypoints=filtered)

    def filter(
        self, keys: Sequence[Hashable], positions: Array, confidence: Array, frame: Frame
    ) -> tuple[Array, Array]:
        """Filter arrays: what `process` does with a pose, in any number of coordinates.

        Args:
            keys: N different keys of individuals.
            positions: (N, K, D), NaN where missing.
            confidence: (N, K).
            frame: of which only the times are used.

        Returns:
            Positions (N, K, D) and confidences (N, K).
        """
        self._pass_time(frame)
        memory, shape, coordinates = self._memory, confidence.shape, positions.shape[-1]
        rows = memory.rows(keys, shape[1], self._layout(coordinates))
        records, since = memory.records[rows].reshape(-1), memory.since[rows].reshape(-1)
        measured, confidence = positions.reshape(-1, coordinates), confidence.reshape(-1)
        seen = confidence >= self._min_confidence
        for is_near in np.abs(measured.T) < FARTHEST:
            seen &= is_near
        known = since <= memory.max_gap
        again, first = seen & known, seen & ~known
        if np.count_nonzero(again):
            points = _indices(again)
            state, before = _taken(records, points), _taken(since, points)
            accepted = self.update(state, _taken(measured, points), before)
            records[points] = state
            if accepted is True:
                since[points] = 0.0
            else:
                seen[points], since[points] = accepted, np.where(accepted, 0.0, before)
        if new := np.count_nonzero(first):
            state = np.zeros(new, records.dtype)
            self.start(state, measured[first])
            records[first], since[first] = state, 0.0
            known |= first
        if not isinstance(rows, slice):  # then they are copies
            memory.records[rows], memory.since[rows] = records.reshape(shape), since.reshape(shape)

        if np.count_nonzero(known) == len(known):
            filtered = self.place(records, since, frame) if len(known) else measured
        else:
            filtered = np.full(measured.shape, np.nan)
            if len(points := known.nonzero()[0]):
                filtered[points] = self.place(records[points], since[points], frame)
        sure = seen | (confidence < self._min_confidence)  # a NaN is neither; where the position is not seen, it is low
        confidence = confidence.copy()
        confidence[~sure | np.isnan(filtered[:, 0])] = 0.0
        return filtered.reshape(positions.shape), confidence.reshape(shape)

    def close(self) -> None:
        """Forget everything."""
        self.forget()

    def forget(self) -> None:
        """Forget all keypoints and the time."""
        self._memory.forget()
        self._last = None
        self._interval = FIRST_INTERVAL

    def interval(self, since: Array) -> Array:
        """Seconds since the last measurements, for rates: (P,), above 0.

        A frame with the time of the one before counts as one interval later; else a clock that stands still would stop
        the filter, and a rate would be infinite.
        """
        return np.where(since >= SHORTEST_STEP, since, self._interval)

    def advance(self, state: Record, seconds: float) -> None:
        """Let a time pass, for filters whose records are those of the present. By default, records stay as they were written.

        Args:
            state: (P,) records of all that is remembered, to be written into; some hold nothing.
            seconds: above 0, at most `max_gap`.
        """

    @abstractmethod
    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """The fields of a record, as for `numpy.dtype`, for positions with D coordinates."""

    @abstractmethod
    def start(self, state: Record, measured: Array) -> None:
        """Write the records of keypoints that are new or were forgotten.

        Args:
            state: (P,) records, all zero, to be written into.
            measured: (P, D) positions.
        """

    @abstractmethod
    def update(self, state: Record, measured: Array, since: Array) -> Mask | bool:
        """Use new measurements of keypoints that are remembered.

        Args:
            state: (P,) records, to be written into.
            measured: (P, D) positions in px.
            since: (P,) seconds since the last accepted measurement; 0 for a frame with the same time.

        Returns:
            (P,) which measurements were accepted, or True for all. A keypoint whose measurement was not counts as unseen.
        """

    @abstractmethod
    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The positions to return, in an array of their own: (P, D), NaN where there is none.

        Args:
            state: (P,) records.
            since: (P,) seconds since they were updated: 0 where the keypoint is seen.
            frame: the present frame.
        """

    def _pass_time(self, frame: Frame) -> None:
        step = self._clock.between(self._last, frame) if self._last is not None else 0.0
        if 0 < step <= self._memory.max_gap:
            self._memory.advance(step)
            self.advance(self._memory.records.reshape(-1), step)
            self._interval = step if step >= SHORTEST_STEP else self._interval
        elif step != 0:  # a gap longer than any memory; a time that goes back; NaN, which tells nothing
            self.forget()
        self._last = times_only(frame)

    def _layout(self, coordinates: int) -> np.dtype[np.void]:
        if coordinates not in self._layouts:
            self._layouts[coordinates] = np.dtype(self.layout(coordinates))
        return self._layouts[coordinates]


def _indices(mask: Mask) -> NDArray[np.intp] | slice:
    """An index for what the mask selects: a slice, which copies nothing, if that is everything."""
    return slice(None) if np.count_nonzero(mask) == len(mask) else mask.nonzero()[0]


def _taken(array: Any, points: NDArray[np.intp] | slice) -> Any:
    """array[points]; `take` is the faster way to copy records."""
    return array[points] if isinstance(points, slice) else array.take(points, axis=0)
