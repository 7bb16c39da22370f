"""Adapts processors written for DeepLabCut-live."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import Processor
from dlclive_core.data.card import ModelCard
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.run_clock import RunClock
from dlclive_core.errors import UsageError
from dlclive_core.session.passed_parts import refuse_class
from dlclive_core.session.pose_arrays import best_animal, finite_keypoints, pose_of_array


@runtime_checkable
class DeepLabCutLiveProcessor(Protocol):
    """The processor interface of DeepLabCut-live: `process(pose, **kwargs)` on the array.

    `save(file)` is optional. Your own script calls it after the run, as with DeepLabCut-live; so it does with `stop()`.
    """

    def process(self, pose: NDArray[np.floating[Any]], **kwargs: Any) -> NDArray[np.floating[Any]] | None: ...


def as_processor(processor: object) -> Processor:
    """Return a `Processor` unchanged, and wrap a DeepLabCut-live processor in an adapter.

    A subclass of `Processor` whose `process` is DeepLabCut-live's, `process(self, pose, **kwargs)`, is wrapped, too: such
    scripts change only their import. Raises UsageError for anything else.
    """
    refuse_class(processor, "processor")
    if isinstance(processor, Processor):
        name = type(processor).__name__
        if type(processor).process is Processor.process and type(processor) is not Processor:
            raise UsageError(f"{name} has no method process(self, pose, frame), which returns a pose: write one")
        if _accepts(processor.process, 2):
            return processor
        if not _accepts(processor.process, 1):
            raise UsageError(f"{name}.process does not take (pose, frame): write process(self, pose, frame)")
    if callable(getattr(processor, "process", None)):
        return ArrayProcessor(cast(DeepLabCutLiveProcessor, processor))
    raise UsageError(
        f"{type(processor).__name__} is not a processor: it lacks a method process(pose, frame) or process(pose, **kwargs)"
    )


class ArrayProcessor(Processor):
    """Adapts a DeepLabCut-live processor to the `Processor` interface.

    The wrapped object receives the same array as in DeepLabCut-live: float32, (K, 3) for one animal, otherwise (N, K, 3),
    finite, with (0, 0, 0) for a keypoint that is missing. The array is a copy, so it may be modified. The returned array
    replaces the pose, and (0, 0, 0) in it is missing again; None leaves the pose unchanged.

    The keywords, of which a `process` that lists its own gets only these, are:

        frame_time: the frame's capture as wall time, in seconds, as `time.time()` tells it
        pose_time: the wall time when the model's pose was ready
        record: True

    A method `set_dlc_cfg` is called before the first frame with what is known of DeepLabCut's configuration:
    `cfg["metadata"]["bodyparts"]` has the names of the keypoints.

    Args:
        single_animal: pass and accept (K, 3). None: follow the model's card.
    """

    def __init__(self, processor: DeepLabCutLiveProcessor, *, single_animal: bool | None = None) -> None:
        self._single_animal = single_animal
        self._single = single_animal is not False
        self._clock = RunClock()
        self._adapt(processor)

    def _adapt(self, processor: DeepLabCutLiveProcessor) -> None:
        """Wrap another object from now on."""
        self.processor = processor
        self._component: Processor | None = _as_component(processor)
        self._keywords = _keywords_of(processor.process)
        self.replays = getattr(processor, "replays", False) is True

    @property
    def name(self) -> str:
        """What messages and the report call it."""
        return type(self.processor).__name__

    def check(self, card: ModelCard) -> None:
        if self._component is not None:
            self._component.check(card)

    def open(self, run: RunInfo) -> None:
        self._clock = run.clock
        self._single = len(run.card.individuals) == 1 if self._single_animal is None else self._single_animal
        if self._component is not None:
            self._component.open(run)
        set_cfg = getattr(self.processor, "set_dlc_cfg", None)
        if callable(set_cfg):
            set_cfg(_configuration(run.card))

    def close(self) -> None:
        if self._component is not None:
            self._component.close()

    @property
    def outputs(self) -> tuple[Path, ...]:
        return () if self._component is None else self._component.outputs

    @property
    def statistics(self) -> Mapping[str, float]:
        return {} if self._component is None else self._component.statistics

    @property
    def close_limit(self) -> float:
        return super().close_limit if self._component is None else self._component.close_limit

    def process(self, pose: Pose, frame: Frame) -> Pose:
        return self.process_with(pose, self.keywords(frame.captured_at, record=True))

    def keywords(self, captured_at: float, *, record: bool) -> dict[str, Any]:
        """The keywords for a frame, without those that the object's `process` does not take."""
        now = self._clock.now()
        # By what both clocks say now, because processors subtract frame_time from time.time(): the wall clock may have been
        # set since the run began, and on Windows the two drift apart.
        wall = time.time() - now
        posed_at = self._clock.posed_at
        values = {
            "frame_time": captured_at + wall,
            "pose_time": (posed_at if math.isfinite(posed_at) else now) + wall,
            "record": record,
        }
        return {name: value for name, value in values.items() if self._keywords is None or name in self._keywords}

    def process_with(self, pose: Pose, keywords: Mapping[str, Any]) -> Pose:
        """Like `process`, with the caller's keywords, as `DLCLive.get_pose(frame, **keywords)` passes them on."""
        shown = best_animal(pose) if self._single else pose
        array = finite_keypoints(shown)
        result = self.processor.process(array[0] if self._single else array, **keywords)
        return pose if result is None else pose_of_array(result, shown, self.name)


def _as_component(processor: object) -> Processor | None:
    """A processor that also has the lifecycle of ours; None for one without."""
    return processor if isinstance(processor, Processor) else None


def _accepts(method: Callable[..., object], count: int) -> bool:
    """Whether a method can be called with so many arguments."""
    try:
        inspect.signature(method).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True
    return True


def _keywords_of(method: Callable[..., object]) -> frozenset[str] | None:
    """The names of the keywords that a method takes; None if it takes any."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _configuration(card: ModelCard) -> dict[str, Any]:
    """The part of DeepLabCut's configuration that processors read; lists, as in a YAML file."""
    return {
        "metadata": {
            "bodyparts": list(card.skeleton.keypoints),
            "individuals": list(card.individuals),
            "unique_bodyparts": list(card.unique_keypoints),
        }
    }
