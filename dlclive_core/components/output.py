"""The base class of outputs, which triggers switch."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from dlclive_core.components.base import Component
from dlclive_core.data.run_clock import RunClock
from dlclive_core.data.trigger_event import Reason, TriggerEvent
from dlclive_core.errors import PluginError
from dlclive_core.hookspecs import ComponentInfo, OutputInfo


class PartBuilder(Protocol):
    """Builds a component that is an option of another one, such as a trigger's output.

    A class whose instances are options has a class method `from_option(text, parts)`. Then a constructor may have

        def __init__(self, *, output: Output | None = None) -> None: ...

    on the command line `output=serial:/dev/ttyACM0` or, with several options, `output={serial:/dev/ttyACM0,width=0.01}`; in a
    session file `output: {serial: {port: /dev/ttyACM0, width: 0.01}}`.
    """

    def build(self, kind: type[ComponentInfo], text: str) -> Any:
        """Build the component that the text describes. Raises UsageError, PluginError, DependencyError."""


class Output(Component):
    """An output that is on or off. Used by the session's thread, except `off`, which any thread may call.

    A package offers its own as `OutputInfo` through the hook `dlclive_register_outputs`; its options are the arguments of its
    constructor.

    Attributes:
        fails_safe: whether the device itself switches off when the computer fails.
        safety: one line on what keeps it from staying on, or that nothing does.
    """

    fails_safe: ClassVar[bool] = False
    safety: ClassVar[str] = "nothing switches it off when the computer fails"

    @classmethod
    def from_option(cls, text: str, parts: PartBuilder) -> Output:
        """Build the output that an option names: `serial:/dev/ttyACM0`. Raises UsageError, PluginError, DependencyError."""
        output = parts.build(OutputInfo, text)
        if not isinstance(output, cls):
            raise PluginError(f"output {text!r} is a {type(output).__name__}, not a {cls.__name__}")
        return output

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that it writes, so that no two write the same one."""
        return ()

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """Whether it is on, as far as known: False once its duration is over or a watchdog has switched it off."""

    def counts(self) -> Mapping[str, float]:
        """Counters and measurements since `open`, for the report."""
        return {}

    def rehearsal(self, clock: RunClock) -> Output:
        """What its owner opens in its place where `RunInfo.is_replay`: it drives nothing, and this output stays closed.

        By default a `DryOutput` that stays on for as long as it is requested.
        """
        return DryOutput(clock)

    def open(self, origin: float) -> None:
        """Open the output, which is off. `origin` is the `time.perf_counter()` of the run's time zero."""

    @abstractmethod
    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        """Set at every pose whether the output is to be on. An output that is not renewed in time is switched off.

        Args:
            on: the requested state.
            reason: of the request, for the events file.
            frame, age: number and age, in seconds, of the frame behind the decision.

        Raises:
            DLCLiveError: the output can no longer be trusted; the session must end.
        """

    def notify(self, event: TriggerEvent) -> None:
        """Hear of an event of the trigger, for outputs that send messages. Called before `renew` for the same frame.

        Must not wait: it is on the latency path.
        """

    @abstractmethod
    def off(self, reason: Reason) -> None:
        """Switch off at once."""

    def close(self) -> None:
        """Switch off and release all resources. Safe to call twice."""


class DryOutput(Output):
    """Takes the place of an output in a replay: it is on whenever the output would have been, and drives nothing.

    It does not know what only the device knows: that it refused, that its watchdog tripped, that poses came too late.

    Args:
        clock: of the replay.
        longest: seconds after which the output would have switched itself off.
    """

    fails_safe = True
    safety = "it drives nothing"

    def __init__(self, clock: RunClock, longest: float = math.inf) -> None:
        self._clock, self._longest = clock, longest
        self._began: float | None = None

    @property
    def is_on(self) -> bool:
        return self._began is not None and self._clock.now() - self._began < self._longest

    def renew(self, on: bool, reason: Reason, frame: int, age: float) -> None:
        if not on:
            self._began = None
        elif self._began is None:
            self._began = self._clock.now()

    def off(self, reason: Reason) -> None:
        self._began = None

    def close(self) -> None:
        self._began = None
