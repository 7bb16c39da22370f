"""The processor that switches an output by the pose, and never acts on a pose that cannot be trusted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from dlclive_core import Frame, ModelCard, Output, Pose, Processor, Reason, RunInfo, Skeleton, UsageError
from dlclive_processors.checks import check_number
from dlclive_processors.frame_clock import FrameClock
from dlclive_processors.gate import Gate
from dlclive_processors.output.serial_output import SerialOutput
from dlclive_processors.polygon import Polygon

Condition = Callable[[Pose, Frame], bool]
_UNFIT = (Reason.STALE, Reason.GAP, Reason.CLOCK)


class Stimulate(Processor):
    """Switches an output on while a keypoint of any animal is in a region, or while your own condition holds.

    It decides inline, in `process`. The output is switched on at the frame in which the condition has held `debounce`
    times in a row, stays on as long as the output's own options allow, and is switched off at the first frame without a
    reason for it: the condition does not hold; no animal, or none detected with enough confidence; a keypoint is NaN; the
    frame is older than `max_age`, or stamped in the future; more than `lifespan` has passed since the previous frame;
    disarmed. It is switched on again only at the next onset of the condition. If frames stop coming, for whatever reason,
    the output is switched off without this processor: see `SerialOutput`. The pose passes through unchanged.

    Args:
        port: of a device with dlclive's firmware; see `SerialOutput` for it and for `channel`, `width`, `frequency`,
            `duration`, `lifespan`, `patience`, `events` and `overwrite`.
        polygon: corners [x, y] of the region, in px of the full frame.
        keypoint: name of the keypoint to watch.
        min_confidence: a keypoint below this counts as unseen.
        condition: instead of a region, a function of (pose, frame), called on the latency path. It is called only for
            poses with at least one confident keypoint and no confident keypoint that is not finite. An exception ends the
            session, with the output off.
        output: another output, instead of a port.
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
        min_confidence: float = 0.6,
        condition: Condition | None = None,
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
        if (condition is None) == (polygon is None or keypoint is None):
            raise UsageError("give either polygon and keypoint, or condition")
        self._polygon = Polygon(polygon) if polygon is not None else None
        self._keypoint = keypoint or ""
        self._condition = condition
        self._min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
        if int(check_number("debounce", debounce, least=1)) != debounce:
            raise UsageError(f"debounce is {debounce!r}; give a whole number of frames")
        self._max_age = check_number("max_age", max_age, above=0)
        self._lifespan = lifespan
        refractory = check_number("refractory", refractory, least=0)
        max_rate = check_number("max_rate", max_rate, above=0)
        self._gate = Gate(int(debounce), refractory, max_rate)
        self._gate.armed = armed
        if (port is None) == (output is None):
            raise UsageError("give either port, for example /dev/ttyACM0, or output")
        if output is not None and events is not None:
            raise UsageError("events is an option of the output; set it there")
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
        self._clock = FrameClock()
        self._skeleton: Skeleton | None = None
        self._column = 0
        self._last: float | None = None
        self._objections: Counter[Reason] = Counter()

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
        unfit = {reason.label: self._objections[reason] for reason in _UNFIT}
        return {"switched_on": self._gate.granted, "refused": self._gate.refused, **unfit, **self._driven.counts()}

    def arm(self) -> None:
        """Allow switching on, from the next onset of the condition. Thread-safe."""
        self._gate.armed = True

    def disarm(self) -> None:
        """Switch off now, and stay off until `arm`. Thread-safe."""
        with self._decision_lock:  # a decision made before must not take effect after this
            self._gate.armed = False
            self._driven.off(Reason.DISARMED)

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has no such keypoint."""
        if self._polygon is not None:
            card.skeleton.index(self._keypoint)

    def open(self, run: RunInfo) -> None:
        """Find the keypoint and open the output, which is off."""
        self._clock = FrameClock(run)
        if run.is_live and run.fps and self._uses_port and self._lifespan < 1 / run.fps:
            raise UsageError(
                f"Stimulate: lifespan is {self._lifespan:g} s, and the source gives {run.fps:g} frames per second; "
                f"give a lifespan of {1.5 / run.fps:.2g} or more, or the output is switched off between two frames"
            )
        self._watch(run.card.skeleton)
        self._gate.reset()
        self._objections.clear()
        self._last = None
        self._driven = self.output.rehearsal(run.clock) if run.is_replay else self.output
        self._driven.open(run.started_clock)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Decide, and renew the output's lease. Returns the pose unchanged."""
        if pose.skeleton is not self._skeleton:
            self._watch(pose.skeleton)
        moment = self._clock.now()
        age = self._clock.age(frame)
        reason = self._objection(age, moment)
        holds = False
        if reason is not None:
            self._objections[reason] += 1
        else:
            holds, reason = self._evaluate(pose, frame)
        with self._decision_lock:
            on = self._gate.decide(holds, self._driven.is_on, moment)
            self._driven.renew(on, reason, frame.index, age)
        self._last = moment
        return pose

    def close(self) -> None:
        """Switch off."""
        self._driven.close()

    def _watch(self, skeleton: Skeleton) -> None:
        self._column = skeleton.index(self._keypoint) if self._polygon is not None else 0
        self._skeleton = skeleton

    def _objection(self, age: float, moment: float) -> Reason | None:
        """Why this frame must not be acted on, whatever it shows; None if it may be."""
        if not self._gate.armed:
            return Reason.DISARMED
        if not age >= 0:  # from the future, or NaN: no time of our clock, so it may be of any age
            return Reason.CLOCK
        if age > self._max_age:
            return Reason.STALE
        if self._last is not None and moment - self._last > self._lifespan and self._clock.is_live:
            return Reason.GAP
        return None

    def _evaluate(self, pose: Pose, frame: Frame) -> tuple[bool, Reason]:
        """Whether the condition holds in this pose, and the reason; it does not hold without a valid animal."""
        if self._polygon is not None:
            points = pose.keypoints[:, self._column].astype(np.float64)
            is_visible = np.isfinite(points).all(axis=1) & (points[:, 2] >= self._min_confidence) & (points[:, 2] <= 1)
            if not is_visible.any():
                return False, Reason.MISSING
            return bool((is_visible & self._polygon.contains(points[:, :2])).any()), Reason.CONDITION
        assert self._condition is not None
        confident = pose.confidence >= self._min_confidence
        if not confident.any() or not np.isfinite(pose.keypoints[confident]).all():
            return False, Reason.MISSING
        return bool(self._condition(pose, frame)), Reason.CONDITION
