"""Drawing a pose into an image."""

from __future__ import annotations

import colorcet
import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose, UsageError, as_rgb, nearest
from dlclive_io.captions import dot, write_beside, write_caption, write_legend

EDGE_COLOUR = (220, 220, 220)
_SHIFT = 4  # bits of a pixel's fraction that OpenCV's coordinates carry


class PoseDrawing:
    """Draws keypoints as outlined circles, one colour per keypoint, on a copy of the image.

    Args:
        card: supplies names, edges and unique keypoints.
        pcutoff: keypoints with less confidence are not drawn.
        radius: of the circles, in pixels.
        colormap: name of a colorcet map from which keypoints take their colours.
        names: write each keypoint's name beside it; None: if there is one animal, as the names of several cover each other.
        skeleton: draw edges whose two keypoints are drawn.
        legend: write which colour is which keypoint, the number of the frame, and how many keypoints are not drawn.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        pcutoff: float,
        radius: int,
        colormap: str,
        names: bool | None,
        skeleton: bool,
        legend: bool = False,
    ) -> None:
        self._labels = card.skeleton.keypoints + card.unique_keypoints
        colours = keypoint_colours(colormap, len(self._labels))
        self._colours = [(int(red), int(green), int(blue)) for red, green, blue in colours]
        self._edges = card.skeleton.edges if skeleton else ()
        self._pcutoff = pcutoff
        self._radius = radius
        self._names = names
        self._legend = legend

    def draw(self, image: NDArray[np.uint8], pose: Pose, number: int | None = None) -> NDArray[np.uint8]:
        """Return (H, W, 3) RGB, also for a grey image. `number` is that of the frame, for the legend."""
        picture = as_rgb(image).copy()
        for animal in pose.keypoints:
            self._draw_edges(picture, animal)
            self._draw_points(picture, animal, 0)
        if pose.unique is not None:
            self._draw_points(picture, pose.unique, len(pose.skeleton))
        if len(pose) <= 1 if self._names is None else self._names:
            self._draw_names(picture, pose)
        if self._legend:
            write_legend(picture, self._labels, self._colours)
            write_caption(picture, (f"frame {number}, " if number is not None else "") + self._hidden(pose))
        return picture

    def _hidden(self, pose: Pose) -> str:
        """How many keypoints are not drawn: a picture without them does not say whether there are any."""
        points = [*pose.keypoints.reshape(-1, 3), *(() if pose.unique is None else pose.unique)]
        if not points:
            return "no animal found"
        hidden = sum(not self._is_shown(point) for point in points)
        return f"{hidden} of {len(points)} keypoints below {self._pcutoff:g}"

    def _draw_points(self, picture: NDArray[np.uint8], points: NDArray[np.float32], first: int) -> None:
        for index, point in enumerate(points, first):
            if self._is_shown(point):
                dot(picture, _fixed(point), self._radius, self._colours[index], _SHIFT)

    def _draw_names(self, picture: NDArray[np.uint8], pose: Pose) -> None:
        """Names beside the keypoints, over none of them and not over each other, as far as there is room."""
        animals = [list(zip(self._labels, animal, strict=False)) for animal in pose.keypoints]
        unique = () if pose.unique is None else zip(self._labels[len(pose.skeleton) :], pose.unique, strict=True)
        named = [
            pair for pair in (*(pair for animal in animals for pair in animal), *unique) if self._is_shown(pair[1])
        ]
        r = self._radius
        taken = [(int(x) - r, int(y) - r, int(x) + r, int(y) + r) for _, (x, y, _) in named]
        for name, point in named:
            write_beside(picture, name, (float(point[0]), float(point[1])), r, taken)

    def _draw_edges(self, picture: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
        for start, end in self._edges:
            if self._is_shown(points[start]) and self._is_shown(points[end]):
                cv2.line(picture, _fixed(points[start]), _fixed(points[end]), EDGE_COLOUR, 1, cv2.LINE_AA, _SHIFT)

    def _is_shown(self, point: NDArray[np.float32]) -> bool:
        # OpenCV's coordinates are 32-bit: a point far outside would wrap around into the picture.
        return bool(point[2] >= self._pcutoff and np.isfinite(point[:2]).all() and np.abs(point[:2]).max() < 1e6)


def keypoint_colours(colormap: str, count: int) -> NDArray[np.uint8]:
    """(count, 3) RGB, evenly spaced on a colorcet map. Raises UsageError for an unknown name."""
    if colormap not in colorcet.palette:
        raise UsageError(f"no colour map {colormap!r} in colorcet: {nearest(colormap, colorcet.palette)}")
    palette = [tuple(bytes.fromhex(colour.lstrip("#"))) for colour in colorcet.palette[colormap]]
    indices = np.linspace(0, len(palette) - 1, max(count, 1)).round().astype(int)[:count]
    return np.array([palette[index] for index in indices], dtype=np.uint8).reshape(count, 3)


def _fixed(point: NDArray[np.float32]) -> tuple[int, int]:
    """A position in OpenCV's fixed-point coordinates, where the centre of the first pixel is 0, not 0.5."""
    scale = 1 << _SHIFT
    return round((float(point[0]) - 0.5) * scale), round((float(point[1]) - 0.5) * scale)


def letterbox(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale an image to fit (height, width), keeping its aspect ratio, with black bars."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return canvas
