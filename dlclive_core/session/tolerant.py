"""Processors that may fail without ending the session."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from dlclive_core.components import PoseModel, Processor, Sink
from dlclive_core.data.card import ModelCard
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError, nearest, one_line
from dlclive_core.session.array_processor import ArrayProcessor, DeepLabCutLiveProcessor, as_processor
from dlclive_core.session.component_calls import checked_pose
from dlclive_core.session.report import ProcessorResult

_log = logging.getLogger(__name__)

OnError = Literal["stop", "skip", "disable"]
ON_ERROR: tuple[OnError, ...] = ("stop", "skip", "disable")


class Tolerant(Processor):
    """Wraps a processor that may raise in `process` without ending the session. The report counts the failures.

    The output of a processor that raises is no longer renewed, so the device switches it off; "disable" also closes the
    processor at once.

    Args:
        processor: the processor that may fail; objects in DeepLabCut-live's style are accepted.
        on_error: "skip": pass this pose on unchanged, and try again with the next one. "disable": close the processor and
            pass all later poses on unchanged. "stop": end the session, as without this wrapper.

    Attributes:
        failures: how often the processor raised in this run.
        disabled: the processor was closed after it raised.
        error: the first error of this run.
    """

    def __init__(self, processor: Processor | DeepLabCutLiveProcessor, on_error: OnError = "skip") -> None:
        if on_error not in ON_ERROR:
            raise UsageError(f"on_error is {on_error!r}; {nearest(str(on_error), ON_ERROR)}")
        self.processor = as_processor(processor)
        self.replays = self.processor.replays
        self.dimensions = self.processor.dimensions
        self.on_error = on_error
        self.failures = 0
        self.disabled = False
        self.error: BaseException | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        return self.processor.outputs

    def check(self, card: ModelCard) -> None:
        self.processor.check(card)

    def open(self, run: RunInfo) -> None:
        self.failures, self.disabled, self.error = 0, False, None
        self.processor.open(run)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if self.disabled:
            return pose
        name, where = processor_name(self), f"frame {frame.index}"
        try:
            return checked_pose(self.processor.process(pose, frame), pose, name, where)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if self.on_error == "stop":
                raise
            self._failed(error, frame)
            return pose

    def close(self) -> None:
        self.processor.close()

    @property
    def statistics(self) -> Mapping[str, float]:
        return self.processor.statistics

    @property
    def close_limit(self) -> float:
        return self.processor.close_limit

    def _failed(self, error: BaseException, frame: Frame) -> None:
        self.failures += 1
        self.disabled = self.on_error == "disable"
        if self.error is None:
            self.error = error
            action = "is closed; poses bypass it" if self.disabled else "is skipped when it fails"
            name = processor_name(self)
            _log.error("processor %s failed at frame %d and %s: %s", name, frame.index, action, one_line(error))
        if self.disabled:
            try:
                self.processor.close()
            except KeyboardInterrupt:
                raise
            except BaseException as closing:
                _log.error("processor %s could not be closed: %s", processor_name(self), one_line(closing))


def processor_name(processor: Processor) -> str:
    """The name of the user's own class, without its wrappers."""
    if isinstance(processor, Tolerant):
        return processor_name(processor.processor)
    return processor.name if isinstance(processor, ArrayProcessor) else type(processor).__name__


def numbers_of(component: Processor | Sink | PoseModel, name: str) -> dict[str, float]:
    """The statistics of a processor, sink or model; empty if they cannot be read, because that must not cost the report."""
    try:
        return {str(key): _number(key, value) for key, value in dict(component.statistics).items()}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _log.error("%s could not report its statistics: %s", name, one_line(error))
        return {}


def processor_result(processor: Processor) -> ProcessorResult:
    """The processor's entry in the report."""
    name = processor_name(processor)
    statistics = numbers_of(processor, f"processor {name}")
    if isinstance(processor, Tolerant):
        failures, disabled, error_line = processor.failures, processor.disabled, one_line(processor.error)
        return ProcessorResult(name, failures, disabled, error_line, statistics)
    return ProcessorResult(name, statistics=statistics)


def _number(name: object, value: object) -> float:
    """A statistic. Raises TypeError if it is not a number; NaN is one, and is null in JSON."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float):
        raise TypeError(f"{name!r} is {value!r:.60}, not a number")
    return value
