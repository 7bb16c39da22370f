"""Processors written for DeepLabCut-live, as components."""

from __future__ import annotations

from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError


@runtime_checkable
class DeepLabCutLiveProcessor(Protocol):
    """What DeepLabCut-live asks of a processor: `process(pose, **kwargs)` on the array; `save(file)` is optional."""

    def process(self, pose: NDArray[np.floating[Any]], **kwargs: Any) -> NDArray[np.floating[Any]] | None: ...


def as_processor(processor: object) -> Processor:
    """A processor of ours as it is; an object in DeepLabCut-live's style in an adapter; anything else is a UsageError."""
    if isinstance(processor, Processor):
        return processor
    if callable(getattr(processor, "process", None)):
        return ArrayProcessor(cast(DeepLabCutLiveProcessor, processor))
    raise UsageError(
        f"{type(processor).__name__} is not a processor: it has no method process(pose, frame) or process(pose, **kwargs)"
    )


class ArrayProcessor(Processor):
    """An object in DeepLabCut-live's style, as a component.

    It is given the array that DeepLabCut-live would give it, (K, 3) for one animal and (N, K, 3) otherwise, a copy that it
    may write into, with `frame_time` (the frame's capture time on `clock`) and `record=True`, the two keywords that
    DeepLabCut-live's own examples read. What it returns is the pose from there on; None leaves the pose as it is.

    Args:
        single_animal: give and take (K, 3); None: as the model's card says.
    """

    def __init__(self, processor: DeepLabCutLiveProcessor, *, single_animal: bool | None = None) -> None:
        self.processor = processor
        self._single_animal = single_animal
        self._wall_minus_clock = 0.0

    def open(self, run: RunInfo) -> None:
        # DeepLabCut-live's processors subtract frame_time from time.time(), so they get wall time.
        self._wall_minus_clock = run.started_at.timestamp() - run.started_clock
        if self._single_animal is None:
            self._single_animal = len(run.card.individuals) == 1

    def process(self, pose: Pose, frame: Frame) -> Pose:
        keywords = {"frame_time": frame.captured_at + self._wall_minus_clock, "record": True}
        return self.process_with(pose, keywords)

    def process_with(self, pose: Pose, keywords: dict[str, Any]) -> Pose:
        """`process` with the caller's own keywords, as `DLCLive.get_pose(frame, **keywords)` passes them on."""
        single = self._single_animal is not False
        given = (pose.single() if single else pose.keypoints).copy()
        answer = self.processor.process(given, **keywords)
        if answer is None:
            return pose
        keypoints = np.asarray(answer, dtype=np.float32)
        if keypoints.ndim == 2:
            keypoints = keypoints[None]
        if keypoints.ndim != 3 or keypoints.shape[1:] != pose.keypoints.shape[1:]:
            raise UsageError(
                f"{type(self.processor).__name__}.process returned shape {np.shape(answer)}; expected {given.shape}"
            )
        ids = pose.ids if keypoints.shape[0] == len(pose) else None
        return Pose(keypoints, pose.skeleton, ids=ids, unique=pose.unique, boxes=pose.boxes)
