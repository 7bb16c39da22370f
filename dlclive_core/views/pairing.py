"""Which frames of several cameras belong together.

The first camera is the reference: each of its frames makes a set, with the frame of each other camera that is nearest in time,
if it is near enough. Pure bookkeeping, without threads or clocks, so that every case can be tested.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from dlclive_core.data.frame_set import View

_MOST_MISSES = 1000
_CLOCK_SET_BACK = 1.0
"""In seconds, or frames: a step back by more is a clock that began anew; by less, a frame out of order."""

REASONS = ("alone", "late", "order", "full", "left")


@dataclass(slots=True)
class Waiting:
    """A view that waits for those of the other cameras.

    Attributes:
        at: its time, on the axis that all cameras share, in seconds, or its number.
        due: when it is given up, on the caller's clock.
    """

    view: View
    at: float
    due: float


@dataclass(slots=True)
class Account:
    """What became of one camera's views: `received == paired + sum(unpaired) + waiting`, always.

    Attributes:
        paired: views in sets.
        unpaired: by reason: "alone", no frame of the other cameras is near enough in time; "late", those of the other cameras
            did not come in time; "order", its time is none, or not after that of the frame before; "full", too many were
            waiting; "left", still waiting at the end.
    """

    received: int = 0
    paired: int = 0
    unpaired: Counter[str] = field(default_factory=Counter)
    _misses: list[float] = field(default_factory=list)

    def note_miss(self, difference: float) -> None:
        """Note how much later (below 0: earlier) than the reference's frame the nearest one was, if not near enough."""
        if math.isfinite(difference) and len(self._misses) < _MOST_MISSES:
            self._misses.append(difference)

    @property
    def off_by(self) -> float:
        """The median of these differences: what `offsets` has to make up for, if it is always the same; NaN for none."""
        return median(self._misses) if self._misses else math.nan

    def statistics(self) -> dict[str, float]:
        """For the report."""
        return {
            "paired": self.paired,
            **{f"unpaired_{name}": self.unpaired[name] for name in REASONS if self.unpaired[name]},
        }


class Pairing:
    """Collects the views of V cameras and makes sets of them.

    Args:
        cameras: V, at least 2.
        tolerance: the largest difference in time between a frame and that of the reference.
        min_views: the fewest views of a set.
        room: how many views of a camera may wait; more are given up, the oldest first.

    Attributes:
        accounts: of each camera.
    """

    def __init__(self, cameras: int, *, tolerance: float, min_views: int, room: int) -> None:
        self.accounts = tuple(Account() for _ in range(cameras))
        self._tolerance, self._min_views, self._room = tolerance, min_views, room
        self._waiting: tuple[deque[Waiting], ...] = tuple(deque() for _ in range(cameras))
        self._last = [-math.inf] * cameras
        self._passed = [-math.inf] * cameras  # the time of the last view that is not waiting any more
        self._is_over = [False] * cameras
        self._is_silent = [False] * cameras  # was waited for in vain, and is not waited for until it is heard of again

    def waiting(self, camera: int) -> int:
        """How many views of a camera wait."""
        return len(self._waiting[camera])

    @property
    def next_due(self) -> float:
        """When the oldest view of the reference is given up; infinity for none."""
        return self._waiting[0][0].due if self._waiting[0] else math.inf

    def add(self, camera: int, view: View, at: float, due: float = math.inf) -> None:
        """Add a view of a camera."""
        account, queue = self.accounts[camera], self._waiting[camera]
        account.received += 1
        self._is_silent[camera] = False
        if not math.isfinite(at) or self._last[camera] - _CLOCK_SET_BACK <= at <= self._last[camera]:
            account.unpaired["order"] += 1
            return
        if at < self._last[camera]:
            self._give_up(camera, len(queue), "order")
        self._last[camera] = at
        if len(queue) >= self._room:
            self._give_up(camera, 1, "full")
        queue.append(Waiting(view, at, due))

    def end(self, camera: int) -> None:
        """No more views of this camera will come."""
        self._is_over[camera] = True

    def sets(self, now: float = -math.inf) -> list[tuple[View | None, ...]]:
        """The sets that are complete, or that can wait no longer at `now`."""
        found = []
        while self._waiting[0]:
            reference = self._waiting[0][0]
            partners = [self._partner(camera, reference.at) for camera in range(1, len(self._waiting))]
            is_late = reference.due <= now
            if not is_late and any(partner is None for partner in partners):
                break
            for camera, partner in enumerate(partners, 1):
                self._is_silent[camera] |= partner is None
            found += self._taken(reference, partners, "late" if None in partners else "alone")
        if self._is_over[0] and not self._waiting[0]:
            for camera in range(1, len(self._waiting)):
                self._give_up(camera, len(self._waiting[camera]), "alone")
        return found

    def give_up(self) -> None:
        """Count what waits as left over at the end."""
        for camera in range(len(self._waiting)):
            self._give_up(camera, len(self._waiting[camera]), "left")

    def _partner(self, camera: int, at: float) -> int | None:
        """The place of a camera's nearest view among those that wait: -1 if none is near enough, None if one may still come."""
        queue = self._waiting[camera]
        while queue and queue[0].at < at - self._tolerance:  # later frames of the reference are even further away
            self._give_up(camera, 1, "alone")
        near = [place for place, waiting in enumerate(queue) if waiting.at <= at + self._tolerance]
        if near:
            return min(near, key=lambda place: abs(queue[place].at - at))
        if self._last[camera] > at + self._tolerance:
            later = queue[0].at - at if queue else math.inf
            earlier = self._passed[camera] - at
            self.accounts[camera].note_miss(later if later < -earlier else earlier)
            return -1
        return -1 if self._is_over[camera] or self._is_silent[camera] else None

    def _taken(self, reference: Waiting, partners: Sequence[int | None], reason: str) -> list[tuple[View | None, ...]]:
        """Take the reference's first view, with its partners if there are enough of them."""
        self._waiting[0].popleft()
        places = [-1 if place is None else place for place in partners]
        if 1 + sum(place >= 0 for place in places) < self._min_views:
            self.accounts[0].unpaired[reason] += 1
            return []
        self.accounts[0].paired += 1
        views: list[View | None] = [reference.view]
        for camera, place in enumerate(places, 1):
            if place < 0:
                views.append(None)
                continue
            self._give_up(camera, place, "alone")  # those before it are further away
            taken = self._waiting[camera].popleft()
            self._passed[camera] = taken.at
            views.append(taken.view)
            self.accounts[camera].paired += 1
        return [tuple(views)]

    def _give_up(self, camera: int, count: int, reason: str) -> None:
        for _ in range(count):
            self._passed[camera] = self._waiting[camera].popleft().at
        if count:
            self.accounts[camera].unpaired[reason] += count
