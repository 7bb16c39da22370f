"""A recorded run, as it goes through processors again."""

from __future__ import annotations

import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A frame of a recorded run.

    Attributes:
        frame: with the number and the times of the run. Its image is black (`black_image`), unless a video has it.
        pose: the model's, before the processors.
        posed_at: when the model returned it, `Estimate.inference_ended`.
        digest: of the pose after the processors (`pose_digest`); None if it was not recorded.
    """

    frame: Frame
    pose: Pose
    posed_at: float
    digest: int | None = None


class RecordedRun(ABC):
    """What a run recorded: its description and its frames.

    Attributes:
        run: the run as it was described to its processors.
        inexact: why a replay may differ from the run, a line for each reason; empty: it does not.
    """

    run: RunInfo
    inexact: tuple[str, ...] = ()

    @abstractmethod
    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the frames in the order in which they were processed; each call begins anew.

        Raises DataError if the file cannot be read. A file that ends early, or has a damaged frame, is `damage`.
        """

    @property
    def damage(self) -> str:
        """What could not be read by the last `frames`, in one line; empty if there was nothing."""
        return ""


def black_image(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A black image of this shape, read-only, in one byte of memory."""
    return np.broadcast_to(np.zeros((), np.uint8), shape)


def pose_digest(pose: Pose) -> int:
    """A checksum (CRC-32) of all values of a pose, to the last bit."""
    digest = zlib.crc32(np.ascontiguousarray(pose.keypoints).tobytes())
    for array in (pose.unique, pose.boxes):
        if array is not None:
            digest = zlib.crc32(np.ascontiguousarray(array, np.float32).tobytes(), digest)
    return digest if pose.ids is None else zlib.crc32(json.dumps(pose.ids).encode(), digest)
