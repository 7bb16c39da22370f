"""Joins the views of several sessions to the frames of one more: the source of a 3-D session, and what feeds it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dlclive_core.components import FrameSource, Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.frame_set import FrameSet, View
from dlclive_core.data.pose import Pose
from dlclive_core.errors import EndOfStream, UsageError
from dlclive_core.views.pairing import Pairing

PairBy = Literal["time", "device", "number"]
PAIR_BY: tuple[PairBy, ...] = ("time", "device", "number")

AHEAD = 32
"""Frames of a recording that wait for those of the other cameras."""
_READY = 8  # sets of recordings that wait for the 3-D session
_POLL = 0.05  # seconds: how soon the end of another session is noticed
_PIXEL = np.zeros((1, 1), np.uint8)
_PIXEL.flags.writeable = False


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How views are paired. See `MultiViewRig`."""

    pair_by: PairBy = "time"
    tolerance: float = 0.005
    wait: float = 0.05
    min_views: int = 2


class ViewJoin(FrameSource):
    """A source of `FrameSet`s, from the poses that `ViewCollector`s put into it.

    Of live cameras, the newest set wins, and `skipped` counts those that were overwritten. Recordings are paired without loss.

    Args:
        cameras: names.
        is_live: whether the cameras are.
        fps: the rate that the first camera declares, once it is open.
        options: how views are paired.
        is_over: tells for each camera whether its session is over.
        is_read: tells whether somebody reads the sets; else nobody waits for them.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        *,
        is_live: bool,
        fps: Callable[[], float | None],
        options: JoinOptions,
        is_over: Callable[[int], bool],
        is_read: Callable[[], bool],
    ) -> None:
        self.cameras = tuple(cameras)
        self.is_live = is_live
        self.name = " + ".join(cameras)
        self._options, self._declared_fps = options, fps
        self._is_over, self._is_read = is_over, is_read
        self._changed = threading.Condition()
        self._begin()

    def _begin(self) -> None:
        options, self.skipped = self._options, 0
        self._ready: deque[tuple[View | None, ...]] = deque()
        tolerance = 0.0 if options.pair_by == "number" else options.tolerance
        self.pairing = Pairing(len(self.cameras), tolerance=tolerance, min_views=options.min_views, room=2 * AHEAD)

    def open(self) -> None:
        """Begin with nothing."""
        self._begin()
        fps, options = self._declared_fps(), self._options
        self.fps = None if self.is_live else fps
        self.notices = ()
        if fps and options.pair_by != "number" and options.tolerance > 0.5 / fps:
            self.notices = (
                f"{self.name}: tolerance is {options.tolerance:g} s, more than half the time between frames at {fps:g} "
                "frames/s: a frame may be paired with its neighbour's partner",
            )

    def put(self, camera: int, view: View, at: float) -> None:
        """Add a camera's view, with its time on the axis that all share. Waits while recordings have enough sets ready."""
        due = time.perf_counter() + self._options.wait if self.is_live else math.inf
        with self._changed:
            self.pairing.add(camera, view, at, due)
            if not self._is_read():  # the session of the poses in space is over: nothing is kept for it
                self.pairing.give_up()
                return
            self._pair()
            while not self.is_live and len(self._ready) > _READY and self._is_read():
                self._changed.wait(_POLL)

    def wait_for_others(self, camera: int, timeout: float) -> bool:
        """Wait until a recording is not far ahead of the others. False if it still is after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.pairing.waiting(camera) < AHEAD or not self._is_read(), timeout)

    def read(self, timeout: float) -> Frame:
        """The next set; of live cameras the newest. Raises TimeoutError; EndOfStream once all cameras are over."""
        deadline = time.perf_counter() + timeout
        with self._changed:
            while not self._ready:
                over = [self._is_over(camera) for camera in range(len(self.cameras))]
                for camera, ended in enumerate(over):
                    if ended:
                        self.pairing.end(camera)
                self._pair()
                if self._ready:
                    break
                if all(over):
                    raise EndOfStream
                now = time.perf_counter()
                if now >= deadline:
                    raise TimeoutError(f"no frames of {self.name} at the same time")
                self._changed.wait(max(0.0, min(deadline - now, _POLL, self.pairing.next_due - now)))
            views = self._ready.popleft()
            self._changed.notify_all()
        reference = views[0]
        assert reference is not None
        captured = min(view.frame.captured_at for view in views if view is not None)
        frame = reference.frame
        return FrameSet(_PIXEL, frame.index, captured, frame.device_time, self.name, views)

    def close(self) -> None:
        """Count what waits as left over."""
        with self._changed:
            self.pairing.give_up()
            self._changed.notify_all()

    def _pair(self) -> None:
        """Make sets of what waits; the caller holds the lock."""
        self._ready.extend(self.pairing.sets(time.perf_counter() if self.is_live else -math.inf))
        while self.is_live and len(self._ready) > 1:
            self._ready.popleft()
            self.skipped += 1
        self._changed.notify_all()


class FrameTimes:
    """The time of a camera's frames, on the axis that all cameras share.

    Args:
        pair_by: see `MultiViewRig`.
        is_live: whether the camera is.
        offset: seconds to add.

    Attributes:
        fps: the declared rate, for recordings without times.
    """

    def __init__(self, pair_by: PairBy, *, is_live: bool, offset: float = 0.0) -> None:
        self._pair_by, self._is_live, self._offset = pair_by, is_live, offset
        self.fps: float | None = None

    @property
    def off_by(self) -> str:
        """The name of a difference between two times."""
        return "off_by_frames" if self._pair_by == "number" else "off_by_s"

    def of(self, frame: Frame) -> float:
        """The time of a frame in seconds, or its number; NaN if it has none."""
        if self._pair_by == "number":
            return float(frame.index)
        if self._pair_by == "time" and self._is_live:
            return frame.captured_at + self._offset
        if frame.device_time is not None:
            return frame.device_time + self._offset
        return frame.index / self.fps + self._offset if self.fps and not self._is_live else math.nan


class ViewCollector(Processor):
    """Hands a session's poses to a `ViewJoin`, as the last processor. The pose passes unchanged.

    Args:
        join: gets them.
        camera: its place among the join's cameras.
        times: of its frames.
        check_size: called with (width, height) of the frames when it is known, and when it changes.
    """

    def __init__(
        self, join: ViewJoin, camera: int, times: FrameTimes, check_size: Callable[[int, tuple[int, int]], None]
    ) -> None:
        self._join, self.camera = join, camera
        self.times = times
        self._check_size = check_size
        self._size: tuple[int, int] | None = None

    def open(self, run: RunInfo) -> None:
        """Look at the size of the frames. Raises DataError if the camera is not calibrated for it."""
        self.times.fps, self._size = run.fps, None
        if run.frame_size is not None:
            self._note(run.frame_size)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Hand the pose on. Raises UsageError for a frame without the time by which frames are paired."""
        size = (frame.image.shape[1], frame.image.shape[0])
        if size != self._size:
            self._note(size)
        at = self.times.of(frame)
        name = self._join.cameras[self.camera]
        if math.isnan(at) and frame.device_time is None:
            raise UsageError(f"frames of {name} have no time of their own (device_time): use pair_by='number'")
        self._join.put(self.camera, View(name, replace(frame, image=_PIXEL), pose), at)
        return pose

    def pace(self, timeout: float) -> bool:
        """Whether the next frame of a recording may be read; waits for it at most `timeout` seconds."""
        return self._join.wait_for_others(self.camera, timeout)

    @property
    def statistics(self) -> Mapping[str, float]:
        """How many frames were paired; by reason, how many were not; and how far the nearest was from the reference's then."""
        account = self._join.pairing.accounts[self.camera]
        off_by = {} if math.isnan(account.off_by) else {self.times.off_by: account.off_by}
        return {**account.statistics(), **off_by}

    def _note(self, size: tuple[int, int]) -> None:
        self._check_size(self.camera, size)
        self._size = size
