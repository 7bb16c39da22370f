"""Frames whose images nobody can change: not their source, and not a processor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.frame import Frame, read_only

_FIRST = 16  # frames: more buffers than drivers and decoders go round in


class ReusedBuffers:
    """Makes images read-only, and copies those of a source whose images share memory with earlier ones.

    A source that writes into the array of an earlier frame would change it in queues, sinks and processors. The first frames
    are copied and their memory is remembered, so that none is wrong before the source shows what it does.
    """

    def __init__(self) -> None:
        self._memories: list[NDArray[np.uint8]] = []
        self._left = _FIRST
        self._copies = False

    def keep(self, frame: Frame) -> Frame:
        """The frame with an image that will not change."""
        image = frame.image
        if type(image) is not np.ndarray:  # the model says what is wrong with it
            return frame
        if not self._copies and self._left:
            self._left -= 1
            self._copies = any(np.may_share_memory(image, memory) for memory in self._memories)
            self._memories = [] if self._copies or self._left == 0 else [*self._memories, image]
            image = image.copy()
        elif self._copies:
            image = image.copy()
        return replace(frame, image=read_only(image))
