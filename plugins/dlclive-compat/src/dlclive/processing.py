"""The caller's processor: what it is given, and when it is opened and closed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from dlclive.regions import Array
from dlclive_core import ArrayProcessor, ModelCard, RunClock, RunInfo, UsageError, as_processor


class PoseProcessor:
    """Calls `process(pose, **keywords)` of an object.

    The method is looked up on each call, because programs replace it to measure its time.

    Args:
        processor: an object with such a method.
        single_animal: poses are (K, 3), and not (N, K, 3).

    Attributes:
        clock: to be told when the network returned a pose, in `posed_at`.

    Raises:
        UsageError: it has no such method, or one for dlclive_core's typed poses.
    """

    def __init__(self, processor: Any, single_animal: bool) -> None:
        adapted = as_processor(processor)
        if not isinstance(adapted, ArrayProcessor):
            raise UsageError(
                f"{type(processor).__name__} takes (pose, frame), which is for dlclive_core.DLCLive: use that one, or write "
                "process(self, pose, **kwargs)"
            )
        self.processor, self.clock = processor, RunClock()
        self._adapted = ArrayProcessor(adapted.processor, single_animal=single_animal)
        self._is_open = False

    def open(self, card: ModelCard, size: tuple[int, int]) -> None:
        """Before the first pose: tell it the names of the keypoints (`set_dlc_cfg`), and open one of ours that has devices.

        Args:
            card: of the model.
            size: (width, height) of the frames.
        """
        if self._is_open:
            return
        self._adapted.open(
            RunInfo(
                card=card,
                source="DLCLive",
                is_live=True,
                frame_size=size,
                fps=None,
                frame_count=None,
                started_at=datetime.now(timezone.utc).astimezone(),
                started_clock=time.perf_counter(),
                clock=self.clock,
            )
        )
        self._is_open = True  # not before: the next frame would meet one that could not be opened

    def process(self, pose: Array, captured_at: float, keywords: Mapping[str, Any]) -> Array:
        """Give it a copy of a pose, and return what it returns; the pose itself where that is None.

        Args:
            pose: (K, 3) or (N, K, 3).
            captured_at: `time.perf_counter()` when the frame came, for `frame_time`.
            keywords: the caller's, which replace ours.
        """
        ours = self._adapted.keywords(captured_at, record=False)
        result = self.processor.process(pose.copy(), **{**ours, **keywords})
        return pose if result is None else result

    def close(self) -> None:
        """Close one of ours that has devices. Others are the caller's to stop and to save."""
        self._is_open = False
        self._adapted.close()
