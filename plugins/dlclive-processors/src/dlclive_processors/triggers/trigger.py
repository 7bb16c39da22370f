"""The base of all triggers: reports when a condition begins and ends to hold, and switches an output."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from dlclive_core import (
    Frame,
    ModelCard,
    Output,
    Pose,
    Reason,
    RunInfo,
    Skeleton,
    TriggerEvent,
    UsageError,
    check_number,
    check_whole,
)
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.triggers.activations import Activations, Change
from dlclive_processors.triggers.combinable import Combinable
from dlclive_processors.triggers.condition import Condition, Reading, Subject
from dlclive_processors.triggers.event_log import TRIGGER_COLUMNS, EventLog, trigger_row
from dlclive_processors.triggers.fitness import Fitness
from dlclive_processors.triggers.scene import Scene, individual_names
from dlclive_processors.triggers.shared_options import share_options
from dlclive_processors.triggers.switch import Switch
from dlclive_processors.triggers.timeline import Timeline

NOT_OF_A_CONDITION = frozenset({"overwrite"})
"""Options that a combination ignores in its triggers: a run with --overwrite sets them everywhere."""


class Trigger(Combinable):
    """Reports when a condition begins and ends to hold, and switches an output on meanwhile. The pose passes unchanged.

    A subclass is a condition with options: its constructor calls this one, and takes `**options: Unpack[TriggerOptions]`, which
    the command line then shows as options of its own.

    Every beginning ("on") is followed by exactly one end of the same individual: "off" (the condition is False), "lost" (it
    is unknown: the animal, or what the condition depends on, is not seen), "stale", "gap" or "clock" (a frame that is unfit to
    act on), "disarmed", or "end" (of the run). The output is on while anyone is on.

    Unless the condition is False, the end comes at once, whatever `hold` says: nothing is done to an animal that is not seen.
    An output that has switched itself off (its duration is over, a watchdog) stays off until everyone has ended and one begins.

    All times are those of frames, so a recorded run gives the same events when it is replayed. What falls between two frames
    happens at the next one: with 30 frames per second, up to 33 ms later. Only whether a live frame is too old is decided by
    the clock of the computer, or, in a replay, by the moment at which the model had returned the pose.

    Args:
        condition: what is true of a pose.
        name: in events; default: that of the class, such as "speed".
        min_confidence: a keypoint below this counts as unseen.
        debounce: consecutive frames in which the condition must hold to begin.
        hold: seconds that it stays on at least, although the condition has become False.
        delay: seconds from the onset (after `debounce`) to the beginning. If the condition ends before, it is cancelled.
        refractory: seconds from the end of one activation to the next onset; an onset that comes sooner is refused, and not
            made up for.
        max_rate: most activations per second; None: no limit.
        max_age: seconds since capture after which a live frame is too old to act on. Nor is one stamped in the future.
        max_gap: seconds without a frame after which a live trigger begins anew.
        armed: whether it may begin; see `arm` and `disarm`.
        events: CSV file for the events, one line each, written at once; it holds every event even after `kill -9`.
        overwrite: whether `events` may replace an existing file.
        on_event: called with each event, on the latency path, in the session's thread, after the output was switched; an
            exception stops the session, with the output off.
        output: what is switched, such as `serial:/dev/ttyACM0`.

    Raises:
        UsageError: an invalid option, or an unknown keypoint when the run begins.
        OutputExistsError, DataError: `events` cannot be written.
        DLCLiveError: the output cannot be opened, or can no longer be trusted.
    """

    replays = True

    value_unit: ClassVar[str] = ""
    """The unit of what its condition measures, for the axes of pictures; empty where it has none, or it is not known."""

    def __init__(
        self,
        condition: Condition,
        *,
        name: str = "",
        min_confidence: float = 0.6,
        debounce: int = 1,
        hold: float = 0.0,
        delay: float = 0.0,
        refractory: float = 0.0,
        max_rate: float | None = None,
        max_age: float = 0.1,
        max_gap: float = 0.25,
        armed: bool = True,
        events: Path | None = None,
        overwrite: bool = False,
        on_event: Callable[[TriggerEvent], None] | None = None,
        output: Output | None = None,
    ) -> None:
        self._condition = condition
        self.dimensions = condition.dimensions
        self._name = name or _name_of(type(self))
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        self._activations = Activations(
            debounce=check_whole("debounce", debounce, least=1, of="of frames"),
            hold=check_number("hold", hold, least=0),
            delay=check_number("delay", delay, least=0),
            refractory=check_number("refractory", refractory, least=0),
            max_rate=None if max_rate is None else check_number("max_rate", max_rate, above=0),
        )
        self._max_gap = check_number("max_gap", max_gap, above=0)
        self._fitness = Fitness(check_number("max_age", max_age, above=0), self._max_gap)
        self._path = Path(events) if events is not None else None
        self._overwrite = overwrite
        self._on_event = on_event
        self._calls = True
        self._switch = Switch(output, armed)
        self._is_heard = any(each is not None for each in (events, on_event, output))
        given = {
            "name": name, "min_confidence": min_confidence, "debounce": debounce, "hold": hold, "delay": delay,
            "refractory": refractory, "max_rate": max_rate, "max_age": max_age, "max_gap": max_gap, "armed": armed,
            "events": events, "on_event": on_event, "output": output,
        }  # fmt: skip
        offered = inspect.signature(type(self)).parameters  # what a class sets by itself is no option of its user
        self._unused = tuple(key for key, value in given.items() if key in offered and value != _DEFAULTS[key])
        self._clock = FrameClock()
        self._timeline = Timeline(self._clock, self._max_gap)
        self._names: tuple[str, ...] = ()
        self._skeleton: Skeleton | None = None
        self._log: EventLog | None = None
        self._frame = 0

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        share_options(cls, Trigger)

    @property
    def condition(self) -> Condition:
        return self._condition

    @property
    def unused_options(self) -> Sequence[str]:
        return self._unused

    @property
    def output(self) -> Output | None:
        """What is switched."""
        return self._switch.output

    @property
    def on(self) -> tuple[str, ...]:
        """The individuals that are on; a pair is joined by `+`, the whole scene is empty text."""
        return tuple("+".join(subject) for subject in self._activations.on)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file of events, and the files of the output."""
        own = () if self._path is None else (self._path,)
        return own if self.output is None else (*own, *self.output.outputs)

    @property
    def statistics(self) -> Mapping[str, float]:
        """Number of activations (`switched_on`), of onsets that came too soon or too often (`refused`) or ended within `delay`
        (`cancelled`); number of frames that were not acted on: older than `max_age` (`stale`), after a gap (`gap`), stamped by
        another clock than the session's (`clock`); and the output's counters.
        """
        gate = self._activations.gate
        counts = {"switched_on": gate.granted, "refused": gate.refused, "cancelled": self._activations.cancelled}
        return {**counts, **self._fitness.counts(), **self._switch.counts()}

    def arm(self) -> None:
        """Allow beginnings: from the next frame, or from the one after it if `disarm` was called since the last.

        Thread-safe.
        """
        self._switch.arm()

    def disarm(self) -> None:
        """Switch off now, and stay off until `arm`. Thread-safe. The events are reported with the next frame."""
        self._switch.disarm()

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has no such keypoint."""
        self._condition.bind(card.skeleton)

    def open(self, run: RunInfo) -> None:
        """Find the keypoints, open the output, which is off, and create the events file."""
        self.close()
        if run.is_live and run.fps and self._max_gap < 1 / run.fps:
            raise UsageError(
                f"max_gap is {self._max_gap:g} s, and the source gives {run.fps:g} frames per second; "
                f"give {1.5 / run.fps:.2g} or more, or nothing is acted on"
            )
        self._bind(run.card.skeleton)
        self._names = run.card.individuals
        self._clock = FrameClock(run)
        self._timeline = Timeline(self._clock, self._max_gap)
        self._activations.reset()
        self._fitness.open(run.is_live)
        self._switch.open(run)
        self._calls = not run.is_replay
        if self._path is not None:
            self._log = EventLog(self._path, TRIGGER_COLUMNS, self._overwrite)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Decide, report, and renew the output's lease. Returns the pose unchanged."""
        self._frame = frame.index
        age = self._clock.age(frame)
        if not (age >= 0 and math.isfinite(self._clock.since_start(frame))):
            self._act(
                {}, None, frame.index, age, self._fitness.objection(math.nan, math.nan, armed=self._switch.may_be_on)
            )
            return pose
        try:
            if pose.skeleton is not self._skeleton and pose.skeleton != self._skeleton:
                self._bind(pose.skeleton)
            is_onward = self._timeline.advance(frame)
            time = self._timeline.time
            objection = self._fitness.objection(age, time, armed=self._switch.may_be_on)
            if not is_onward or self._fitness.came_after_gap:
                self._condition.reset()
            names = individual_names(pose, self._names)
            scene = Scene.of(pose, names, self._min_confidence, time, self._timeline.motion_time)
            readings = self._condition.evaluate(scene)  # also if the frame is unfit: what is remembered has no holes
        except BaseException:  # a session may go on without this processor's result, but not with its output on
            self._act({}, None, frame.index, age, None)
            raise
        if not is_onward:
            objection = objection or Reason.GAP
        self._act(readings, scene, frame.index, age, objection, restart=not is_onward)
        return pose

    def close(self) -> None:
        """Report "end" for everyone who is on, switch off, and close the file. Safe to call twice."""
        changes = self._activations.end_all("end", self._timeline.time)
        log, self._log = self._log, None
        events = [self._event(change, None) for change in changes]
        calls = [*self._notices(events), self._switch.close, *self._reports(events, log)]
        _call_all(calls if log is None else [*calls, log.close])

    def _bind(self, skeleton: Skeleton) -> None:
        self._condition.bind(skeleton)
        self._condition.reset()
        self._skeleton = skeleton

    def _act(
        self,
        readings: Mapping[Subject, Reading],
        scene: Scene | None,
        frame: int,
        age: float,
        objection: Reason | None,
        *,
        restart: bool = False,
    ) -> None:
        events: list[TriggerEvent] = []
        try:
            with self._switch.lock:
                may_be_on = self._switch.take_may_be_on()
                changes, reason = self._decide(readings, objection if may_be_on else Reason.DISARMED)
                if restart:
                    self._activations.restart()
                if self._is_heard:
                    events += [self._event(change, scene) for change in changes]
                renew = partial(self._switch.renew, bool(self._activations.on), reason, frame, age)
                _call_all([*self._notices(events), renew])
        finally:
            if events:  # every beginning and every end is reported, also if the output fails
                _call_all(self._reports(events, self._log))

    def _decide(self, readings: Mapping[Subject, Reading], objection: Reason | None) -> tuple[list[Change], Reason]:
        if objection is not None:
            return self._activations.end_all(objection.label, self._timeline.time), objection
        changes = self._activations.update(readings, self._timeline.time)
        for reading in readings.values():
            if reading.holds is not None:
                return changes, Reason.CONDITION
        return changes, Reason.MISSING

    def _event(self, change: Change, scene: Scene | None) -> TriggerEvent:
        x, y, confidence = (math.nan, math.nan, 0.0) if scene is None else self._condition.place(scene, change.subject)
        return TriggerEvent(
            trigger=self._name,
            frame=self._frame,
            time=self._timeline.time,
            individual="+".join(change.subject),
            event=change.event,
            begins=change.begins,
            x=x,
            y=y,
            confidence=confidence,
            value=change.value,
        )

    def _notices(self, events: Sequence[TriggerEvent]) -> list[Callable[[], None]]:
        return [partial(self._switch.notify, event) for event in events]

    def _reports(self, events: Sequence[TriggerEvent], log: EventLog | None) -> list[Callable[[], None]]:
        calls: list[Callable[[], None]] = []
        for event in events:
            if self._on_event is not None and self._calls:  # first: the file can be slow
                calls.append(partial(self._on_event, event))
            if log is not None:
                calls.append(partial(log.add, trigger_row(event)))
        return calls


_DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(Trigger.__init__).parameters.items()}


def _call_all(calls: Sequence[Callable[[], None]]) -> None:
    """Call all, in order, even if some raise; then raise the first error."""
    first: BaseException | None = None
    for call in calls:
        try:
            call()
        except BaseException as error:
            first = first or error
    if first is not None:
        raise first


def _name_of(kind: type) -> str:
    """`HeadDipTrigger` -> head-dip."""
    words = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9]+", kind.__name__.removesuffix("Trigger"))
    return "-".join(words).lower() or "trigger"
