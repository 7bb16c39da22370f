"""Components that fail on purpose, for tests of error handling."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import Processor, Sink
from dlclive_core.data.estimate import Estimate
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.errors import SourceError
from dlclive_core.testing.blobs import BlobModel, BlobSource, LiveBlobSource


class FailingSource(BlobSource):
    """A BlobSource that raises SourceError instead of returning frame `at`."""

    def __init__(self, at: int = 5, frames: int = 20) -> None:
        super().__init__(frames=frames)
        self._at = at
        self.closed = 0

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        if frame.index == self._at:
            raise SourceError(f"blobs: the cable was pulled at frame {self._at}")
        return frame

    def close(self) -> None:
        self.closed += 1


class StallingSource(LiveBlobSource):
    """A live BlobSource that stalls once and recovers by itself.

    Args:
        at: the number of the first frame that is late.
        seconds: duration of the stall; meanwhile `trouble` is set.
        frames: number of frames, including those lost during the stall, which `lost` counts.
        interval: seconds between two frames.
    """

    def __init__(self, at: int = 20, seconds: float = 5.0, frames: int = 10_000, interval: float = 0.01) -> None:
        super().__init__(frames=frames, interval=interval)
        self._at, self._seconds = at, seconds
        self._until = 0.0

    def open(self) -> None:
        super().open()
        self._until = 0.0
        self.lost, self.reconnects, self.trouble = 0, 0, ""

    def read(self, timeout: float) -> Frame:
        if self._next == self._at and not self.reconnects:
            self._until = self._until or time.perf_counter() + self._seconds
            left = self._until - time.perf_counter()
            if left > 0:
                self.trouble = f"{self.name}: no frame for {self._seconds - left:.1f} s"
                time.sleep(min(left, timeout))
                raise TimeoutError(self.trouble)
            self.reconnects, self.trouble = 1, ""
            self.lost = round(self._seconds / self._interval)
            self._next += self.lost
            self._due = time.perf_counter()
        return super().read(timeout)


class FailingModel(BlobModel):
    """A BlobModel that raises after `at` predictions, including those of the warm-up."""

    def __init__(self, at: int = 5) -> None:
        super().__init__()
        self._left = at

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("the GPU fell off the bus")
        return super().predict(image, boxes=boxes)


class FailingProcessor(Processor):
    """Raises at frame `at`; `closed` counts calls of `close`."""

    def __init__(self, at: int = 5) -> None:
        self._at = at
        self.closed = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if frame.index == self._at:
            raise ValueError("no laser on this port")
        return pose

    def close(self) -> None:
        self.closed += 1


class FailingSink(Sink):
    """Raises OSError when it writes frame `at`."""

    def __init__(self, at: int = 5) -> None:
        self._at = at
        self.written: list[int] = []
        self.closed = 0
        self.finished = 0

    def write(self, estimate: Estimate) -> None:
        if estimate.frame.index == self._at:
            raise OSError(28, "No space left on device")
        self.written.append(estimate.frame.index)

    def finish(self) -> None:
        self.finished += 1

    def close(self) -> None:
        self.closed += 1
