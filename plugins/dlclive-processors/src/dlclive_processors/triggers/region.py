"""A keypoint in a region of the image: the simplest closed loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Frame, ModelCard, Pose, RunInfo, Skeleton, check_number, check_whole
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.triggers.combinable import Combinable
from dlclive_processors.triggers.condition import Condition
from dlclive_processors.triggers.event_log import EventLog
from dlclive_processors.triggers.in_region import InRegion
from dlclive_processors.triggers.polygon import Polygon
from dlclive_processors.triggers.presence import Presence
from dlclive_processors.triggers.region_events import REGION_COLUMNS, EventKind, RegionEvent, region_row
from dlclive_processors.triggers.scene import individual_names

MISSING = np.array([np.nan, np.nan, 0.0])


class RegionTrigger(Combinable):
    """Reports when a keypoint of any individual enters or leaves a polygon; the pose passes through unchanged.

    A keypoint that was not detected, is NaN, or has a confidence below `min_confidence` is never inside. An individual
    enters after `debounce` consecutive frames inside, and is out after `debounce` consecutive frames not inside: the event
    is "leave" if it was seen outside in the last of these frames, and "lost" if it was not seen. So whatever "enter"
    switches on is switched off within `debounce` frames even if the animal is hidden, and an analysis can distinguish the
    two. `close` reports "end" for every individual still inside.

    Individuals are identified by `Pose.ids`, if the pose has them, else by their row.

    Args:
        polygon: corners [x, y] in px of the full frame, at least three; see `Polygon` for points on the outline.
        keypoint: name of the keypoint to watch.
        min_confidence: a keypoint below this counts as unseen.
        debounce: consecutive frames required to enter or to be out; 1 reacts at once.
        events: CSV file for the events, one line each, written at once; it holds every event even after `kill -9`.
        overwrite: whether `events` may replace an existing file.
        on_event: called with each event, on the latency path, in the session's thread; an exception stops the session.
            On "leave", "lost" and "end" it must switch off what "enter" switched on. Not called in a replay.

    Raises:
        UsageError: an invalid option, or an unknown keypoint when the run begins.
    """

    replays = True
    option_advice: ClassVar[Mapping[str, str]] = {
        "output": "to switch one, take stimulate, or all:of=[{region:...}],output=...",
        **{
            option: f"write all:of=[{{region:...}}],{option}=..."
            for option in ("name", "hold", "delay", "refractory", "max_rate", "max_age", "max_gap", "armed")
        },
    }

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
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        self._debounce = check_whole("debounce", debounce, least=1, of="of frames")
        self._path = Path(events) if events is not None else None
        self._overwrite = overwrite
        self._on_event = on_event
        given = {
            "min_confidence": min_confidence != 0.6,
            "debounce": debounce != 1,
            "events": events,
            "on_event": on_event,
        }
        self._unused = tuple(option for option, value in given.items() if value)
        self._calls = True
        self._clock = FrameClock()
        self._names: tuple[str, ...] = ()
        self._skeleton: Skeleton | None = None
        self._column = 0
        self._log: EventLog | None = None
        self._present: dict[str, Presence] = {}
        self._last: tuple[int, float] = (0, 0.0)

    @property
    def condition(self) -> Condition:
        return InRegion(self._polygon, self._keypoint)

    @property
    def unused_options(self) -> Sequence[str]:
        return self._unused

    @property
    def inside(self) -> tuple[str, ...]:
        """The individuals that are in the region now."""
        return tuple(name for name, presence in self._present.items() if presence.inside)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file of events."""
        return () if self._path is None else (self._path,)

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has no such keypoint."""
        card.skeleton.index(self._keypoint)

    def open(self, run: RunInfo) -> None:
        """Find the keypoint in the model's skeleton and create the events file.

        Raises:
            UsageError: the model has no such keypoint.
            OutputExistsError, DataError: the events file cannot be created.
        """
        self.close()
        self._watch(run.card.skeleton)
        self._clock = FrameClock(run)
        self._calls = not run.is_replay
        self._names = run.card.individuals
        if self._path is not None:
            self._log = EventLog(self._path, REGION_COLUMNS, self._overwrite)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Report individuals that enter or leave. Returns the pose unchanged."""
        if pose.skeleton is not self._skeleton:
            self._watch(pose.skeleton)
        self._last = frame.index, self._clock.since_start(frame)
        points = pose.keypoints[:, self._column].astype(np.float64)
        visible = np.isfinite(points).all(axis=1) & (points[:, 2] >= self._min_confidence)
        inside = visible & self._polygon.contains(points[:, :2])

        names = individual_names(pose, self._names)
        for name, point, is_visible, is_inside in zip(names, points, visible, inside, strict=True):
            self._update(name, point, bool(is_visible), bool(is_inside))
        for name in [each for each in self._present if each not in names]:
            self._update(name, MISSING, False, False)
        return pose

    def close(self) -> None:
        """Report "end" for every individual inside, and close the file. Safe to call twice."""
        inside, self._present = self.inside, {}
        log, self._log = self._log, None
        with ExitStack() as stack:  # all callbacks run, in reverse order, even if some raise
            if log is not None:
                stack.callback(log.close)
            for name in reversed(inside):
                stack.callback(self._report, name, "end", MISSING, log)

    def _watch(self, skeleton: Skeleton) -> None:
        self._column = skeleton.index(self._keypoint)
        self._skeleton = skeleton

    def _update(self, name: str, point: NDArray[np.float64], seen: bool, inside: bool) -> None:
        presence = self._present.setdefault(name, Presence())
        if presence.update(inside, self._debounce):
            self._report(name, "enter" if inside else "leave" if seen else "lost", point, self._log)
        if not presence.inside and not presence.frames:  # forget it, so that many identities cost nothing
            del self._present[name]

    def _report(self, name: str, kind: EventKind, point: NDArray[np.float64], log: EventLog | None) -> None:
        frame, time = self._last
        x, y, confidence = (float(value) for value in np.where(np.isfinite(point), point, MISSING))
        event = RegionEvent(frame=frame, time=time, individual=name, event=kind, x=x, y=y, confidence=confidence)
        if self._on_event is not None and self._calls:  # first: the file can be slow
            self._on_event(event)
        if log is not None:
            log.add(region_row(event))
