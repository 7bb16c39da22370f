"""A labelled video that the caller writes frame by frame. The functions of this package use dlclive-io's video sink."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, UsageError, nearest

if TYPE_CHECKING:
    import cv2

Colour = tuple[int, int, int]


def setup_video_writer(
    video_path: str | Path,
    save_dir: str | Path,
    timestamp: str,
    num_keypoints: int,
    cmap: str,
    fps: float,
    frame_size: tuple[int, int],
) -> tuple[list[Colour], cv2.VideoWriter]:
    """Open `<video>_DLCLIVE_LABELLED_<timestamp>.mp4` for writing.

    Returns:
        A colour for each keypoint, in OpenCV's order blue, green, red; and the writer, which the caller releases.

    Raises:
        UsageError: colorcet has no such map.
        DataError: OpenCV cannot write the video.
    """
    import cv2

    path = (
        Path(save_dir) / f"{Path(video_path).stem}_DLCLIVE_LABELLED_{timestamp or time.strftime('%Y%m%d_%H%M%S')}.mp4"
    )
    colours = keypoint_colours(cmap, num_keypoints)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), float(fps), tuple(map(int, frame_size)))
    if not writer.isOpened():
        raise DataError(f"cannot write {path}: OpenCV does not open it; check the folder, fps {fps:g} and the size")
    return colours, writer


def draw_pose_and_write(
    frame: NDArray[np.uint8],
    pose: NDArray[np.floating[Any]],
    resize: float | None,
    colors: Sequence[Colour],
    bodyparts: Sequence[str],
    pcutoff: float,
    display_radius: int,
    draw_keypoint_names: bool,
    vwriter: cv2.VideoWriter,
) -> None:
    """Draw the keypoints above `pcutoff` into a BGR frame, or into a resized copy of it, and write that.

    Args:
        frame: (H, W, 3) uint8 BGR.
        pose: (K, 3) or (N, K, 3) x, y, confidence in pixels of the frame.
        resize: factor, or None.
        colors: of each keypoint, in the frame's order of colours.
        bodyparts: names of the keypoints.
        pcutoff: keypoints with this or less confidence are not drawn.
        display_radius: in pixels.
        draw_keypoint_names: write the names beside the points.
        vwriter: of `setup_video_writer`.
    """
    import cv2

    poses = pose[None] if pose.ndim == 2 else pose
    scale = 1.0
    if resize is not None and resize != 1:
        scale = float(resize)
        frame = np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8)
    for animal in poses:
        for (x, y, confidence), colour, name in zip(animal[:, :3], colors, bodyparts, strict=False):
            if not (confidence > pcutoff and np.isfinite(x) and np.isfinite(y)):
                continue
            centre = (int(x * scale), int(y * scale))
            cv2.circle(frame, centre, display_radius, colour, -1)
            if draw_keypoint_names:
                beside = (centre[0] + 10, centre[1])
                cv2.putText(frame, name, beside, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    vwriter.write(frame)


def keypoint_colours(cmap: str, count: int) -> list[Colour]:
    """Colours spread over a colorcet map, blue, green, red from 0 to 255. Raises UsageError."""
    import colorcet

    palette = colorcet.palette.get(cmap)
    if palette is None:
        raise UsageError(f"colorcet has no map {cmap!r}: {nearest(cmap, colorcet.palette)}")
    places = np.linspace(0, len(palette) - 1, max(1, count)).round().astype(int)
    return [_bgr(palette[place]) for place in places]


def _bgr(colour: str | Sequence[float]) -> Colour:
    if isinstance(colour, str):  # "#rrggbb"
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    else:
        red, green, blue = (round(255 * float(value)) for value in colour)
    return blue, green, red
