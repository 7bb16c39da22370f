"""Slots of live cameras that hand out frames of the same moment.

Without them each camera's newest frame would win by itself. Where the model is slower than the cameras, that would often be
frames of different moments: the newest of one camera is there already, that of the other is still on its way, or two models
that run in different threads take turns. Poses of different moments cannot be paired, and the work on them would be lost.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from dlclive_core.data.frame import Frame
from dlclive_core.session.handoff import Handoff

_KEPT = 4  # frames of a camera: enough for the time that they are on their way


class AlignedSlots:
    """The slots of V cameras.

    A session never waits: it gets the frame of the newest moment of which most cameras have one, and the others are to take
    theirs of the same moment next, even if they have newer ones by then. Frames that are not taken are dropped, and counted.

    Args:
        times: of each camera, gives a frame's time on the axis that all share.
        tolerance: the largest difference in time within a moment.
    """

    def __init__(self, times: Sequence[Callable[[Frame], float]], tolerance: float) -> None:
        self.lock = threading.Lock()
        self.slots: list[AlignedSlot | None] = [None] * len(times)
        self.times = tuple(times)
        self.tolerance = tolerance

    def slot(self, camera: int, changed: threading.Condition) -> AlignedSlot:
        """A new slot for a camera, for one run."""
        slot = self.slots[camera] = AlignedSlot(self, camera, changed)
        return slot

    def partners(self, camera: int, at: float) -> int:
        """How many other cameras have a frame of this moment; the caller holds the lock."""
        others = [slot for slot in self.slots if slot is not None and slot.camera != camera]
        return sum(slot.place_of(at) is not None for slot in others)

    def promise(self, camera: int, at: float) -> None:
        """Have the other cameras take their frames of this moment; the caller holds the lock."""
        for slot in self.slots:
            if slot is not None and slot.camera != camera:
                slot.promised = at


class AlignedSlot(Handoff[Frame]):
    """The slot of one camera: the newest few frames.

    Attributes:
        promised: a moment of which another camera's frame was taken; None if there is none that is still open.
    """

    def __init__(self, slots: AlignedSlots, camera: int, changed: threading.Condition) -> None:
        super().__init__(changed)
        self.camera = camera
        self.promised: float | None = None
        self._slots = slots

    def put(self, item: Frame) -> bool:
        """Add a frame; the oldest is dropped, unless it is promised."""
        with self._changed, self._slots.lock:
            if len(self._waiting) >= _KEPT and not self._ended:
                kept = self.place_of(self.promised) if self.promised is not None else None
                del self._waiting[1 if kept == 0 else 0]
                self.dropped += 1
            return self._add(item)

    def poll(self, count: int = 1) -> list[Frame]:
        """The frame to be processed next; older ones are dropped. Does not wait."""
        with self._changed, self._slots.lock:
            if not self._waiting:
                return []
            place = self._next()
            frame = self._waiting[place]
            for _ in range(place + 1):
                self._waiting.popleft()
            self.dropped += place
            if self._ended:  # none of the others will be taken
                self.left += len(self._waiting)
                self._waiting.clear()
            self._changed.notify_all()
            return [frame]

    def drain(self) -> None:
        """Discard and count the frames still waiting."""
        with self._changed, self._slots.lock:
            super().drain()

    def place_of(self, at: float) -> int | None:
        """The place of the frame that is nearest to this moment; None if none is near enough."""
        time, tolerance = self._slots.times[self.camera], self._slots.tolerance
        distances = [abs(time(frame) - at) for frame in self._waiting]
        near = [place for place, distance in enumerate(distances) if distance <= tolerance]
        return min(near, key=distances.__getitem__) if near else None

    def _next(self) -> int:
        time, slots = self._slots.times[self.camera], self._slots
        if self.promised is not None:
            place = self.place_of(self.promised)
            if place is not None:
                self.promised = None
                return place
        moments = [time(frame) for frame in self._waiting]
        counts = [slots.partners(self.camera, at) if math.isfinite(at) else -1 for at in moments]
        place = max(range(len(counts)), key=lambda number: (counts[number], number))
        if math.isfinite(moments[place]):
            slots.promise(self.camera, moments[place])
        return place
