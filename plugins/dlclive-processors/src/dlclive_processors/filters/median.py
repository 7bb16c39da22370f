"""The running median: removes single wrong positions and keeps edges.

Each coordinate of each keypoint is the median of those measured in the last `window` frames. J. W. Tukey, Exploratory Data
Analysis, Addison-Wesley 1977; here causal: of the frames until now, not of those around it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from dlclive_core import Frame, check_whole
from dlclive_processors.filters.keypoint_filter import Array, KeypointFilter
from dlclive_processors.filters.memory import Record

LONGEST_WINDOW = 1000  # frames: bounds memory and time


class Median(KeypointFilter):
    """The median of every coordinate of every keypoint over the last `window` frames, this one included.

    Delay: a keypoint that moves steadily is followed (window - 1) / 2 frames late. Wrong positions that last less than half
    of the window leave no trace. Frames in which the keypoint is unseen do not count; of an even number of measurements,
    the median is the mean of the middle two.

    A keypoint unseen now is where the rest of the window says, with a confidence below `min_confidence`; when nothing
    younger than `window` frames and `max_gap` seconds is left, it is missing. See `KeypointFilter` for this, for
    individuals, and for recordings that go back.

    Args:
        window: frames.
        min_confidence: a keypoint below this counts as unseen.
        max_gap: seconds without a measurement after which a keypoint is forgotten.

    Raises:
        UsageError: an invalid option.
    """

    def __init__(self, *, window: int = 5, min_confidence: float = 0.6, max_gap: float = 0.5) -> None:
        super().__init__(min_confidence=min_confidence, max_gap=max_gap)
        self._window = check_whole("window", window, least=1, most=LONGEST_WINDOW)
        self._frame = self._window  # frames so far; a record of zeros is then older than the window

    def filter(
        self, keys: Sequence[Hashable], positions: Array, confidence: Array, frame: Frame
    ) -> tuple[Array, Array]:
        """Count the frame; then as in every filter."""
        self._frame += 1
        return super().filter(keys, positions, confidence, frame)

    def layout(self, coordinates: int) -> list[tuple[str, type, tuple[int, ...]]]:
        """The positions measured last, and the numbers of their frames. Each frame has a place of its own in the window."""
        return [("positions", float, (coordinates, self._window)), ("frames", int, (self._window,))]

    def start(self, state: Record, measured: Array) -> None:
        """With one position."""
        self._add(state, measured)

    def update(self, state: Record, measured: Array, since: Array) -> bool:
        """Add a position."""
        self._add(state, measured)
        return True

    def place(self, state: Record, since: Array, frame: Frame) -> Array:
        """The medians; NaN where the window is empty."""
        is_in_window = self._frame - state["frames"] < self._window
        ordered = np.sort(np.where(is_in_window[:, None], state["positions"], np.inf))
        count = is_in_window.sum(axis=1)
        points = np.arange(len(state))
        middle = 0.5 * (ordered[points, :, np.maximum(count - 1, 0) // 2] + ordered[points, :, count // 2])
        return np.where(count[:, None] > 0, middle, np.nan)

    def _add(self, state: Record, measured: Array) -> None:
        place = self._frame % self._window
        state["positions"][..., place] = measured
        state["frames"][:, place] = self._frame
