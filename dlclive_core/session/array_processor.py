"""Adapts processors written for DeepLabCut-live."""

from __future__ import annotations

import inspect
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
from dlclive_core.errors import UsageError
from dlclive_core.session.passed_parts import refuse_class


@runtime_checkable
class DeepLabCutLiveProcessor(Protocol):
    """The processor interface of DeepLabCut-live: `process(pose, **kwargs)` on the array.

    `save(file)` is optional, and is called by nobody but your own script, as with DeepLabCut-live: after the run, with a name
    of your choice.
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


class ArrayProcessor(Processor):
    """Adapts a DeepLabCut-live processor to the `Processor` interface.

    The wrapped object receives the same array as in DeepLabCut-live: (K, 3) for one animal, otherwise (N, K, 3). The array
    is a copy, so it may be modified. The keywords are `frame_time` (the frame's capture time as wall time) and
    `record=True`, the two that DeepLabCut-live's own examples read. The returned array replaces the pose; None leaves the
    pose unchanged.

    Args:
        single_animal: pass and accept (K, 3). None: follow the model's card.
    """

    def __init__(self, processor: DeepLabCutLiveProcessor, *, single_animal: bool | None = None) -> None:
        self.processor = processor
        self._component: Processor | None = _as_component(processor)
        self.replays = getattr(processor, "replays", False) is True
        self._single_animal = single_animal
        self._wall_minus_clock = 0.0

    def check(self, card: ModelCard) -> None:
        if self._component is not None:
            self._component.check(card)

    def open(self, run: RunInfo) -> None:
        # DeepLabCut-live's processors subtract frame_time from time.time(), so they need wall time.
        self._wall_minus_clock = run.started_at.timestamp() - run.started_clock
        if self._single_animal is None:
            self._single_animal = len(run.card.individuals) == 1
        if self._component is not None:
            self._component.open(run)

    def close(self) -> None:
        if self._component is not None:
            self._component.close()

    @property
    def outputs(self) -> tuple[Path, ...]:
        return () if self._component is None else self._component.outputs

    @property
    def statistics(self) -> Mapping[str, float]:
        return {} if self._component is None else self._component.statistics

    def process(self, pose: Pose, frame: Frame) -> Pose:
        keywords = {"frame_time": frame.captured_at + self._wall_minus_clock, "record": True}
        return self.process_with(pose, keywords)

    def process_with(self, pose: Pose, keywords: dict[str, Any]) -> Pose:
        """Like `process`, with the caller's keywords, as `DLCLive.get_pose(frame, **keywords)` passes them on."""
        single = self._single_animal is not False
        array = (pose.single() if single else pose.keypoints).copy()
        result = self.processor.process(array, **keywords)
        if result is None:
            return pose
        keypoints = np.asarray(result, dtype=np.float32)
        if keypoints.ndim == 2:
            keypoints = keypoints[None]
        if keypoints.ndim != 3 or keypoints.shape[1:] != pose.keypoints.shape[1:]:
            raise UsageError(
                f"{type(self.processor).__name__}.process returned shape {np.shape(result)}; expected {array.shape}"
            )
        ids = pose.ids if keypoints.shape[0] == len(pose) else None
        return Pose(keypoints, pose.skeleton, ids=ids, unique=pose.unique, boxes=pose.boxes)
