"""The processor that switches an output by the pose, and never acts on a pose that cannot be trusted."""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from dlclive_core import (
    Frame,
    ModelCard,
    OptionError,
    Output,
    Pose,
    Processor,
    Reason,
    RunInfo,
    Skeleton,
    UsageError,
    check_number,
    check_whole,
    first_of,
)
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.output.serial_output import SerialOutput
from dlclive_processors.triggers.condition import Condition
from dlclive_processors.triggers.fitness import Fitness
from dlclive_processors.triggers.gate import Gate
from dlclive_processors.triggers.in_region import InRegion
from dlclive_processors.triggers.polygon import Polygon
from dlclive_processors.triggers.rule import Rule
from dlclive_processors.triggers.scene import Scene, individual_names
from dlclive_processors.triggers.timeline import Timeline

PoseFunction = Callable[[Pose, Frame], bool]


class Stimulate(Processor):
    """Switches an output on while a keypoint of any animal is in a region, or while a rule or your own function holds.

    It decides inline, in `process`. The output is switched on at the frame in which the condition has held `debounce`
    times in a row, stays on as long as the output's own options allow, and is switched off at the first frame without a
    reason for it: the condition does not hold; no animal, or none detected with enough confidence; a keypoint is NaN; the
    frame is older than `max_age`, or stamped in the future; more than `lifespan` has passed since the previous frame;
    disarmed. It is switched on again only at the next onset of the condition. If frames stop coming, for whatever reason,
    the output is switched off without this processor: see `SerialOutput`. The pose passes through unchanged.

    Args:
        port: of a device with dlclive's firmware; see `SerialOutput` for it and for `channel`, `width`, `frequency`,
            `duration`, `lifespan`, `patience`, `events` and `overwrite`. With `output`, they are options of the output, but for
            `lifespan`: seconds without a pose after which the condition begins anew.
        polygon: corners [x, y] of the region, in px of the full frame.
        keypoint: name of the keypoint to watch.
        when: instead of a region, a rule that must hold for any animal: `snout.y < tail_base.y and speed() > 50`; see `Rule`.
        min_confidence: a keypoint below this counts as unseen.
        condition: instead of a region, a function of (pose, frame), called on the latency path. It is called only for
            poses with at least one confident keypoint and no confident keypoint that is not finite. An exception ends the
            session, with the output off.
        output: another output, instead of a port: on the command line its name and options, `output={name:option=value}`.
        debounce: consecutive frames required to switch on; switching off is immediate.
        max_age: seconds since capture after which a live frame is too old to act on.
        refractory: seconds after switching off during which the output is not switched on again.
        max_rate: most activations per second.
        armed: whether it may switch on; see `arm` and `disarm`.

    Raises:
        UsageError: invalid or conflicting options; an unknown keypoint when the run begins.
        DependencyError, OutputError: the output cannot be opened, or can no longer be trusted.
        DataError: `events` cannot be written.
    """

    replays = True

    def __init__(
        self,
        port: str | None = None,
        *,
        polygon: Sequence[Sequence[float]] | None = None,
        keypoint: str | None = None,
        when: str | None = None,
        min_confidence: float = 0.6,
        condition: PoseFunction | None = None,
        output: Output | None = None,
        channel: int = 0,
        width: float = 0.01,
        frequency: float = 0.0,
        duration: float = 1.0,
        lifespan: float = 0.07,
        patience: float = 3.0,
        debounce: int = 1,
        max_age: float = 0.1,
        refractory: float = 0.0,
        max_rate: float = 10.0,
        armed: bool = True,
        events: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        if [condition is not None, when is not None, polygon is not None and keypoint is not None].count(True) != 1:
            raise UsageError("give either polygon and keypoint, or when, or condition")
        if when is not None and (polygon is not None or keypoint is not None):
            raise UsageError(
                "give either polygon and keypoint, or when; a region in a rule is inside(keypoint, x1, y1, ...)"
            )
        self._condition: Condition | None = None
        if when is not None:
            self._condition = Rule(when)
        elif polygon is not None:
            self._condition = InRegion(Polygon(polygon), keypoint or "")
        self._function = condition
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        debounce = check_whole("debounce", debounce, least=1, of="of frames")
        self._lifespan = check_number("lifespan", lifespan, above=0, most=60)
        self._fitness = Fitness(check_number("max_age", max_age, above=0), self._lifespan)
        refractory = check_number("refractory", refractory, least=0)
        max_rate = check_number("max_rate", max_rate, above=0)
        self._gate = Gate(debounce, refractory, max_rate)
        self._gate.armed = armed
        if (port is None) == (output is None):
            raise UsageError("give either port, for example /dev/ttyACM0, or output")
        if output is not None:
            given = {
                "channel": channel, "width": width, "frequency": frequency, "duration": duration, "patience": patience,
                "events": events,
            }  # fmt: skip
            _refuse_given(given, output)
        self.output = output or SerialOutput(
            port=port or "",
            channel=channel,
            width=width,
            frequency=frequency,
            duration=duration,
            lifespan=lifespan,
            patience=patience,
            events=events,
            overwrite=overwrite,
        )
        self._driven = self.output
        self._uses_port = port is not None
        self._decision_lock = threading.Lock()
        self._moment = -math.inf
        self._clock = FrameClock()
        self._timeline = Timeline(self._clock, lifespan)
        self._names: tuple[str, ...] = ()
        self._skeleton: Skeleton | None = None

    @property
    def refused(self) -> int:
        """Number of onsets refused because they came too soon or too often."""
        return self._gate.refused

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files of the output."""
        return self.output.outputs

    @property
    def statistics(self) -> Mapping[str, float]:
        """Number of activations (`switched_on`) and of onsets that came too soon or too often (`refused`); number of frames
        not acted on, by the reason: older than `max_age` (`stale`), after a gap (`gap`), stamped in the future, by another
        clock than the session's (`clock`); and the output's counters.
        """
        own = {"switched_on": self._gate.granted, "refused": self._gate.refused, **self._fitness.counts()}
        return {**own, **self._driven.counts()}

    def arm(self) -> None:
        """Allow switching on from the next frame, at which the condition begins anew: if it holds, that is an onset.

        Thread-safe.
        """
        self._gate.armed = True

    def disarm(self) -> None:
        """Switch off now, and stay off until `arm`. Thread-safe."""
        with self._decision_lock:  # a decision made before must not take effect after this
            self._gate.armed = False
            self._driven.off(Reason.DISARMED)

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has no such keypoint."""
        if self._condition is not None:
            self._condition.bind(card.skeleton)

    def open(self, run: RunInfo) -> None:
        """Find the keypoint and open the output, which is off."""
        self._clock = FrameClock(run)
        self._timeline = Timeline(self._clock, self._lifespan)
        self._names = run.card.individuals
        if run.is_live and run.fps and self._lifespan < 1 / run.fps:
            raise UsageError(
                f"Stimulate: lifespan is {self._lifespan:g} s, and the source gives {run.fps:g} frames per second; "
                f"give a lifespan of {1.5 / run.fps:.2g} or more, or the output is switched off between two frames"
            )
        self._watch(run.card.skeleton)
        self._gate.reset()
        self._moment = -math.inf
        self._fitness.open(run.is_live)
        self._driven = self.output.rehearsal(run.clock) if run.is_replay else self.output
        self._driven.open(run.started_clock)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Decide, and renew the output's lease. Returns the pose unchanged."""
        # A recording is read faster or slower than it was made: its own time counts.
        moment = self._clock.now() if self._clock.is_live else self._clock.since_start(frame)
        age = self._clock.age(frame)
        reason = self._fitness.objection(age, moment, armed=self._gate.armed)
        if not self._clock.is_live and moment < self._moment:  # it went back: what was, is not a past of this frame
            self._gate.restart()
            reason = reason or Reason.GAP
        self._moment = moment
        try:
            if pose.skeleton is not self._skeleton and pose.skeleton != self._skeleton:
                self._watch(pose.skeleton)
            holds, why = self._evaluate(pose, frame, is_timed=age >= 0, is_fit=reason is None)
        except BaseException:  # a session may go on without this processor's result, but not with its output on
            with self._decision_lock:
                self._gate.decide(False, self._driven.is_on, moment)
                self._driven.off(Reason.MISSING)
            raise
        with self._decision_lock:
            on = self._gate.decide(holds and reason is None, self._driven.is_on, moment)
            self._driven.renew(on, why if reason is None else reason, frame.index, age)
        return pose

    def close(self) -> None:
        """Switch off."""
        self._driven.close()

    def _watch(self, skeleton: Skeleton) -> None:
        if self._condition is not None:
            self._condition.bind(skeleton)
            self._condition.reset()
        self._skeleton = skeleton

    def _evaluate(self, pose: Pose, frame: Frame, *, is_timed: bool, is_fit: bool) -> tuple[bool, Reason]:
        """Whether the condition holds in this pose, and the reason; it does not hold without a valid animal."""
        if self._condition is not None:
            return self._any_animal(self._condition, pose, frame) if is_timed else (False, Reason.CLOCK)
        assert self._function is not None
        if not is_fit:
            return False, Reason.MISSING
        confident = pose.confidence >= self._min_confidence
        if not confident.any() or not np.isfinite(pose.keypoints[confident]).all():
            return False, Reason.MISSING
        return bool(self._function(pose, frame)), Reason.CONDITION

    def _any_animal(self, condition: Condition, pose: Pose, frame: Frame) -> tuple[bool, Reason]:
        """Evaluate it also in frames that are not acted on: what it remembers has no holes."""
        is_onward = not math.isfinite(self._clock.since_start(frame)) or self._timeline.advance(frame)
        if not is_onward or self._fitness.came_after_gap:
            condition.reset()
        names = individual_names(pose, self._names)
        times = self._timeline.time, self._timeline.motion_time
        readings = condition.evaluate(Scene.of(pose, names, self._min_confidence, *times)).values()
        if all(reading.holds is None for reading in readings):
            return False, Reason.MISSING
        return any(reading.holds for reading in readings), Reason.CONDITION


_DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(Stimulate.__init__).parameters.items()}


def _refuse_given(options: Mapping[str, object], output: Output) -> None:
    """Raise UsageError for options of a port that were given to a processor with another output."""
    names = [name for name, value in options.items() if value != _DEFAULTS[name]]
    device = f"serial:{output.port}" if isinstance(output, SerialOutput) else "serial:PORT"
    # A path has been resolved already; as it is now, it may not be written there.
    values = {name: "FILE" if isinstance(value, Path) else value for name, value in options.items()}
    if names:
        raise first_of(
            [
                OptionError(
                    f"{name} has no effect beside output; if the output has this option, set it there: "
                    f"output={{{device},{name}={values[name]}}}",
                    name,
                )
                for name in names
            ]
        )
