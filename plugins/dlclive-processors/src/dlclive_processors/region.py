"""A keypoint in a region of the image: the simplest closed loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, Processor, RunInfo, Skeleton, UsageError
from dlclive_processors.checks import check_number
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.polygon import Polygon
from dlclive_processors.presence import Presence
from dlclive_processors.region_events import EventKind, EventLog, RegionEvent

MISSING = np.array([np.nan, np.nan, 0.0])


class RegionTrigger(Processor):
    """Tells when a keypoint of any individual enters or leaves a polygon; the pose passes through unchanged.

    A keypoint that was not found, is NaN, or has a confidence below `min_confidence` is never inside. An individual
    comes in after `debounce` frames in a row inside, and is out after `debounce` frames in a row not inside: that is
    the event "leave" if the last of these frames saw it outside, and "lost" if it did not see it. So what an "enter"
    switched on is switched off within `debounce` frames also when the animal is hidden, and an analysis can tell the
    two apart. `close` reports "end" for whoever is still inside.

    Individuals are told apart by `Pose.ids` where the pose has them, else by their row.

    Args:
        polygon: corners [x, y] in px of the full frame, at least three; see `Polygon` for points on the outline.
        keypoint: name of the keypoint that is watched.
        min_confidence: a keypoint below this does not count as seen.
        debounce: frames in a row that it takes to come in or be out; 1 reacts at once.
        events: CSV file for the events, one line each as it happens; it holds every event also after `kill -9`.
        overwrite: whether `events` may replace a file.
        on_event: called with each event, on the latency path, in the thread of the session; what it raises stops the
            session. With "leave", "lost" and "end" it must switch off what "enter" switched on.

    Raises:
        UsageError: an option that cannot be; an unknown keypoint when the run begins.
    """

    def __init__(
        self,
        *,
        polygon: Sequence[Sequence[float]],
        keypoint: str,
        min_confidence: float = 0.6,
        debounce: int = 1,
        events: Path | None = None,
        overwrite: bool = False,
        on_event: Callable[[RegionEvent], None] | None = None,
    ) -> None:
        self._polygon = Polygon(polygon)
        self._keypoint = keypoint
        self._min_confidence = check_number("region", "min_confidence", min_confidence, least=0, most=1)
        if int(check_number("region", "debounce", debounce, least=1)) != debounce:
            raise UsageError(f"processor 'region': debounce is {debounce!r}; give a whole number of frames")
        self._debounce = int(debounce)
        self._path = Path(events) if events is not None else None
        self._overwrite = overwrite
        self._on_event = on_event
        self._clock = FrameClock()
        self._names: tuple[str, ...] = ()
        self._skeleton: Skeleton | None = None
        self._column = 0
        self._log: EventLog | None = None
        self._present: dict[str, Presence] = {}
        self._last: tuple[int, float] = (0, 0.0)

    @property
    def inside(self) -> tuple[str, ...]:
        """The individuals that are in the region now."""
        return tuple(name for name, presence in self._present.items() if presence.inside)

    def open(self, run: RunInfo) -> None:
        """Find the keypoint in the model's skeleton and begin the file of events.

        Raises:
            UsageError: the model has no such keypoint.
            OutputExistsError, DataError: the file of events cannot be made.
        """
        self.close()
        self._watch(run.card.skeleton)
        self._clock = FrameClock(run)
        self._names = run.card.individuals
        if self._path is not None:
            self._log = EventLog(self._path, self._overwrite)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Look where the keypoint is and report who came in or went out. Returns the pose that was given."""
        if pose.skeleton is not self._skeleton:
            self._watch(pose.skeleton)
        self._last = frame.index, self._clock.since_start(frame)
        points = pose.keypoints[:, self._column].astype(np.float64)
        seen = np.isfinite(points).all(axis=1) & (points[:, 2] >= self._min_confidence)
        inside = seen & self._polygon.contains(points[:, :2])

        names = self._individuals(pose)
        for name, point, is_seen, is_inside in zip(names, points, seen, inside, strict=True):
            self._look(name, point, bool(is_seen), bool(is_inside))
        for name in self._present.keys() - set(names):
            self._look(name, MISSING, False, False)
        return pose

    def close(self) -> None:
        """Report "end" for whoever is inside, and close the file. Safe to call twice."""
        still, self._present = self.inside, {}
        log, self._log = self._log, None
        with ExitStack() as last:  # each of these is done, in the reverse order, whatever the others raise
            if log is not None:
                last.callback(log.close)
            for name in reversed(still):
                last.callback(self._report, name, "end", MISSING, log)

    def _watch(self, skeleton: Skeleton) -> None:
        self._column = skeleton.index(self._keypoint)
        self._skeleton = skeleton

    def _individuals(self, pose: Pose) -> tuple[str, ...]:
        if pose.ids is not None and len(set(pose.ids)) == len(pose):
            return pose.ids
        more = (f"individual_{row + 1}" for row in range(len(self._names), len(pose)))
        return (*self._names[: len(pose)], *more)

    def _look(self, name: str, point: NDArray[np.float64], seen: bool, inside: bool) -> None:
        presence = self._present.setdefault(name, Presence())
        if presence.update(inside, self._debounce):
            self._report(name, "enter" if inside else "leave" if seen else "lost", point, self._log)
        if not presence.inside and not presence.frames:  # nothing to remember, so a thousand identities cost nothing
            del self._present[name]

    def _report(self, name: str, kind: EventKind, point: NDArray[np.float64], log: EventLog | None) -> None:
        frame, time = self._last
        x, y, confidence = (float(value) for value in np.where(np.isfinite(point), point, MISSING))
        event = RegionEvent(frame=frame, time=time, individual=name, event=kind, x=x, y=y, confidence=confidence)
        if self._on_event is not None:  # first, because a callback may be waiting; the file can be slow
            self._on_event(event)
        if log is not None:
            log.add(event)
