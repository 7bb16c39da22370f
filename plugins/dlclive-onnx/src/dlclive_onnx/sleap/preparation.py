"""The resizing and padding that a configuration demands, in a graph for pictures of one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard
from dlclive_onnx.sleap.nodes import BYTE, INT32, Nodes

Shape = tuple[int, int]
"""(height, width)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared picture, and the way back: a position in the frame is `scale` times that in the picture, plus `offset`.

    Attributes:
        picture: name of a value, (B, H, W, 3) uint8 RGB.
        shape: of the picture.
        scale, offset: x and y.
    """

    picture: str
    shape: Shape
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)


def prepare_picture(nodes: Nodes, picture: str, shape: Shape, card: ModelCard) -> Prepared:
    """Do the steps of the card's `preparation` in their order: resize, scale, pad; as `dlclive_core` does."""
    steps, done = card.preparation, Prepared(picture, shape)
    if steps is None:
        return done
    done = _resized(nodes, done, steps.resized(done.shape))
    if steps.resize is not None:  # filled with black where the ratio was kept
        done = _padded(nodes, done, steps.resize, "top_left", (0, 0, 0))
    done = _resized(nodes, done, steps.scaled(done.shape))
    return _padded(nodes, done, steps.padded(done.shape), steps.position, steps.border)


def from_prepared(nodes: Nodes, points: str, prepared: Prepared) -> str:
    """Positions and confidences (..., 3) in a prepared picture -> in the frame."""
    scale = np.array([*prepared.scale, 1], np.float32)
    offset = np.array([*prepared.offset, 0], np.float32)
    return nodes("Add", nodes("Mul", points, scale), offset)


def _resized(nodes: Nodes, done: Prepared, shape: Shape) -> Prepared:
    """OpenCV's bilinear resize, in its integers."""
    if shape == done.shape:
        return done
    rows, row_weights = _samples(done.shape[0], shape[0], clamps_weight=False)
    columns, column_weights = _samples(done.shape[1], shape[1], clamps_weight=True)
    pixels = nodes.cast(done.picture, INT32)
    sides = [
        nodes("Mul", nodes("Gather", pixels, cells, axis=2), weights[None, None, :, None])
        for cells, weights in zip(columns, column_weights, strict=True)
    ]
    across = nodes("Div", nodes("Add", *sides), np.int32(16))
    sides = [
        nodes(
            "Div", nodes("Mul", nodes("Gather", across, cells, axis=1), weights[None, :, None, None]), np.int32(65536)
        )
        for cells, weights in zip(rows, row_weights, strict=True)
    ]
    rounded = nodes("Div", nodes("Add", nodes("Add", *sides), np.int32(2)), np.int32(4))
    factors = (done.shape[1] / shape[1], done.shape[0] / shape[0])
    scale = (done.scale[0] * factors[0], done.scale[1] * factors[1])
    return Prepared(nodes.cast(rounded, BYTE), shape, scale, done.offset)


def _samples(
    length: int, count: int, *, clamps_weight: bool
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int32]]]:
    """The two cells that each of `count` pixels comes from, and their weights in 1 / 2048; as `crops.py` has them."""
    position = ((np.arange(count) + 0.5) * (1 / (count / length)) - 0.5).astype(np.float32)
    cell = np.floor(position).astype(np.int64)
    share = position - cell.astype(np.float32)
    if clamps_weight:
        share = np.where((cell < 0) | (cell >= length - 1), np.float32(0), share)
    cells = [np.clip(cell, 0, length - 1), np.clip(cell + 1, 0, length - 1)]
    return cells, [np.rint(part * np.float32(2048)).astype(np.int32) for part in (1 - share, share)]


def _padded(nodes: Nodes, done: Prepared, shape: Shape, position: str, border: tuple[int, int, int] | None) -> Prepared:
    if shape == done.shape:
        return done
    top = _before(shape[0] - done.shape[0], at_end=position.startswith("bottom"), central=position == "center")
    left = _before(shape[1] - done.shape[1], at_end=position.endswith("right"), central=position == "center")
    rows, columns = (
        np.pad(np.arange(length), (before, whole - length - before), mode="reflect" if border is None else "edge")
        for length, whole, before in zip(done.shape, shape, (top, left), strict=True)
    )
    picture = nodes("Gather", nodes("Gather", done.picture, rows, axis=1), columns, axis=2)
    if border is not None:
        inside = np.zeros((1, *shape, 1), np.bool_)
        inside[:, top : top + done.shape[0], left : left + done.shape[1]] = True
        picture = nodes("Where", inside, picture, np.array(border, np.uint8))
    offset = (done.offset[0] - left * done.scale[0], done.offset[1] - top * done.scale[1])
    return Prepared(picture, shape, done.scale, offset)


def _before(padding: int, *, at_end: bool, central: bool) -> int:
    """The part of the padding that comes before the picture."""
    return padding // 2 if central else padding if at_end else 0
