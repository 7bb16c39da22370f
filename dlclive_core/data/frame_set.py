"""Frames that several cameras took at the same time, with their poses."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose


@dataclass(frozen=True, slots=True)
class View:
    """One camera's part of a `FrameSet`.

    Attributes:
        camera: its name in the calibration.
        frame: number and times; the image is a single black pixel, because images are large and the pose is known.
        pose: in pixels of the camera's full frame, as its processors returned it.
    """

    camera: str
    frame: Frame
    pose: Pose


@dataclass(frozen=True, slots=True)
class FrameSet(Frame):
    """The frame of a 3-D pose. Its number and `device_time` are those of the first camera, the reference.

    Attributes:
        captured_at: of the oldest of the frames, so that an age or a latency is that of the oldest information.
        views: in the order of the rig's cameras, None for one whose frame is not there; the first is always there.
    """

    views: tuple[View | None, ...] = ()
