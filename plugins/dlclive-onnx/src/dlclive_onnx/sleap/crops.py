"""Crops of a picture in a graph: the boxes of a detector, cut and resized as `dlclive_core` does for top-down networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlclive_core import ModelCard
from dlclive_onnx.sleap.nodes import BYTE, DOUBLE, FLOAT, INT32, INT64, Nodes

_ONE = np.array([1])


@dataclass(frozen=True, slots=True)
class Boxes:
    """Names of values.

    Attributes:
        corners: (I, 4) float32 x1, y1, x2, y2 in pixels of the picture; an arbitrary box where none is present.
        scores: (I,) float32, 0 where none is present.
        present: (I,) bool.
    """

    corners: str
    scores: str
    present: str


@dataclass(frozen=True, slots=True)
class Crops:
    """Names of values.

    Attributes:
        pixels: (I, h, w, 3) uint8 RGB.
        corner: (I, 1, 2) float32, x and y of each crop's left upper corner in the picture.
        scale: (I, 1, 2) float32, pixels of the picture per pixel of the crop.
    """

    pixels: str
    corner: str
    scale: str


def choose_boxes(nodes: Nodes, boxes: str, scores: str, *, most: int, min_score: float) -> Boxes:
    """The first `most` of a detector's (M, 4) boxes that have the score and are at least one pixel wide and high.

    The detector returns them in descending order of their scores.
    """
    boxes = nodes("Concat", boxes, np.zeros((most, 4), np.float32), axis=0)  # at least `most` of them
    scores = nodes("Concat", scores, np.full(most, -1, np.float32), axis=0)
    sides = [_difference(nodes, boxes, axis) for axis in (0, 1)]
    usable = nodes("GreaterOrEqual", scores, np.float32(min_score))
    for side in sides:
        usable = nodes("And", usable, nodes("GreaterOrEqual", side, np.float32(1)))
    count = nodes("Shape", scores)
    rank = nodes("Range", np.int64(0), nodes("Squeeze", count), np.int64(1))
    order = nodes("Where", usable, nodes("Sub", count, rank), np.array([0]))  # the first of the usable ones is highest
    places, chosen = nodes.several("TopK", order, np.array([most]), outputs=2, axis=0, largest=1, sorted=1)
    present = nodes("Greater", places, np.array([0]))
    anywhere = np.array([[0, 0, 16, 16]], np.float32)
    return Boxes(
        corners=nodes("Where", nodes("Unsqueeze", present, _ONE), nodes("Gather", boxes, chosen), anywhere),
        scores=nodes("Where", present, nodes("Gather", scores, chosen), np.float32(0)),
        present=present,
    )


def cut_crops(nodes: Nodes, picture: str, corners: str, card: ModelCard) -> Crops:
    """Cut (I, 4) boxes from a picture (1, H, W, 3) uint8, as `CropRules` of dlclive_core says, for the input of a network."""
    assert card.input_size is not None  # the exporter has checked
    height, width = card.input_size
    frame = nodes("Gather", nodes("Shape", picture), np.array([2, 1]))  # W, H
    shown, whole = _rectangles(nodes, corners, frame, card)
    low, high = whole
    sides = nodes("Sub", high, low)  # (I, 2)
    columns = _samples(nodes, sides, 0, width, clamps_weight=True)
    rows = _samples(nodes, sides, 1, height, clamps_weight=False)
    x = [_place(nodes, index, low, shown, frame, 0) for index in columns.cells]
    y = [_place(nodes, index, low, shown, frame, 1) for index in rows.cells]
    flat = nodes("Reshape", picture, np.array([-1, 3]))
    picture_width = nodes("Gather", frame, np.array([0]))
    across = []
    for row in y:
        sums = [
            nodes("Mul", _pixels(nodes, flat, picture_width, row, column), _along_columns(nodes, weight))
            for column, weight in zip(x, columns.weights, strict=True)
        ]
        across.append(nodes("Div", nodes("Add", *sums), np.int32(16)))
    down = [
        nodes("Div", nodes("Mul", nodes("Unsqueeze", weight, np.array([2, 3])), part), np.int32(65536))
        for weight, part in zip(rows.weights, across, strict=True)
    ]
    rounded = nodes("Div", nodes("Add", nodes("Add", *down), np.int32(2)), np.int32(4))
    size = np.array([[width, height]], np.float32)
    scale = nodes("Div", nodes.cast(sides, FLOAT), size)
    return Crops(
        pixels=nodes.cast(rounded, BYTE),
        corner=nodes("Unsqueeze", nodes.cast(low, FLOAT), _ONE),
        scale=nodes("Unsqueeze", scale, _ONE),
    )


@dataclass(frozen=True, slots=True)
class _Samples:
    """Where the pixels of a crop come from along one axis: of two cells, with their weights in 1 / 2048, each (I, n)."""

    cells: tuple[str, str]
    weights: tuple[str, str]


def _rectangles(nodes: Nodes, corners: str, frame: str, card: ModelCard) -> tuple[tuple[str, str], tuple[str, str]]:
    """The part of each crop that shows the box, and all of it: left upper and right lower corners, (I, 2) int64 each.

    In double precision, because the corners are rounded to whole pixels.
    """
    assert card.input_size is not None
    ratio = card.input_size[1] / card.input_size[0]
    exact = nodes.cast(corners, DOUBLE)
    margin = np.float64(card.crop_margin)
    low = nodes("Sub", nodes("Slice", exact, np.array([0]), np.array([2]), _ONE), margin)
    high = nodes("Add", nodes("Slice", exact, np.array([2]), np.array([4]), _ONE), margin)
    if card.crop_context:
        wide, tall = _columns(nodes, nodes("Sub", high, low))
        beside = nodes("Sub", nodes("Mul", tall, np.float64(ratio)), wide)
        below = nodes("Sub", nodes("Div", wide, np.float64(ratio)), tall)
        more = nodes("Div", nodes("Max", nodes("Concat", beside, below, axis=1), np.float64(0)), np.float64(2))
        whole = _rounded(nodes, nodes("Sub", low, more), nodes("Add", high, more))
        return whole, whole
    shown = _rounded(nodes, low, high)
    inside = nodes("Sub", nodes("Min", shown[1], frame), nodes("Max", shown[0], np.int64(0)))
    wide, tall = _columns(nodes, nodes.cast(nodes("Max", inside, np.int64(0)), DOUBLE))
    more_wide = nodes("Sub", tall, nodes("Div", wide, np.float64(ratio)))  # exchanged, as in dlclive_core
    more_tall = nodes("Sub", wide, nodes("Mul", tall, np.float64(ratio)))
    added = nodes.cast(nodes("Max", nodes("Concat", more_wide, more_tall, axis=1), np.float64(0)), INT64)
    half = nodes("Div", added, np.int64(2))
    return shown, (nodes("Sub", shown[0], half), nodes("Add", shown[1], half))


def _rounded(nodes: Nodes, low: str, high: str) -> tuple[str, str]:
    """Whole pixels, one at least; halves to the even side."""
    first, last = (nodes.cast(nodes("Round", corner), INT64) for corner in (low, high))
    return first, nodes("Max", last, nodes("Add", first, np.int64(1)))


def _samples(nodes: Nodes, sides: str, axis: int, count: int, *, clamps_weight: bool) -> _Samples:
    """OpenCV's positions and weights for a bilinear resize of each crop to `count` pixels.

    Pixel i lies at (i + 1/2) n / count - 1/2, in single precision. Beyond the edge OpenCV sets the weight of a column to 0, and
    repeats the cell of a row.
    """
    length = nodes("Gather", sides, np.array([axis]), axis=1)  # (I, 1)
    scale = nodes("Div", np.float64(1), nodes("Div", np.float64(count), nodes.cast(length, DOUBLE)))
    middles = np.arange(count, dtype=np.float64)[None] + 0.5
    position = nodes.cast(nodes("Sub", nodes("Mul", middles, scale), np.float64(0.5)), FLOAT)
    floor = nodes("Floor", position)
    share = nodes("Sub", position, floor)
    cell, last = nodes.cast(floor, INT64), nodes("Sub", length, np.int64(1))
    if clamps_weight:
        outside = nodes("Or", nodes("Less", cell, np.int64(0)), nodes("GreaterOrEqual", cell, last))
        share = nodes("Where", outside, np.float32(0), share)
    first = nodes("Min", nodes("Max", cell, np.int64(0)), last)
    second = nodes("Min", nodes("Max", nodes("Add", cell, np.int64(1)), np.int64(0)), last)
    weights = [
        nodes.cast(nodes("Round", nodes("Mul", part, np.float32(2048))), INT32)
        for part in (nodes("Sub", np.float32(1), share), share)
    ]
    return _Samples((first, second), (weights[0], weights[1]))


def _place(nodes: Nodes, cells: str, low: str, shown: tuple[str, str], frame: str, axis: int) -> tuple[str, str]:
    """Cells of a crop (I, n) in the picture, clamped to it, and which of them show it; the others are black."""
    corner, first, last = (nodes("Gather", value, np.array([axis]), axis=1) for value in (low, shown[0], shown[1]))
    length = nodes("Gather", frame, np.array([axis]))
    place = nodes("Add", cells, corner)
    seen = nodes("And", nodes("GreaterOrEqual", place, first), nodes("Less", place, last))
    seen = nodes("And", seen, nodes("GreaterOrEqual", place, np.int64(0)))
    seen = nodes("And", seen, nodes("Less", place, length))
    inside = nodes("Min", nodes("Max", place, np.int64(0)), nodes("Sub", length, np.int64(1)))
    return inside, seen


def _pixels(nodes: Nodes, flat: str, width: str, row: tuple[str, str], column: tuple[str, str]) -> str:
    """(I, h, w, 3) int32 of a picture (H * W, 3) at rows (I, h) and columns (I, w)."""
    y, x = (nodes("Unsqueeze", value, np.array([axis])) for value, axis in ((row[0], 2), (column[0], 1)))
    seen_y, seen_x = (nodes("Unsqueeze", value, np.array([axis])) for value, axis in ((row[1], 2), (column[1], 1)))
    values = nodes.cast(nodes("Gather", flat, nodes("Add", nodes("Mul", y, width), x)), INT32)
    seen = nodes.cast(nodes("And", seen_y, seen_x), INT32)
    return nodes("Mul", values, nodes("Unsqueeze", seen, np.array([3])))


def _along_columns(nodes: Nodes, weight: str) -> str:
    """Weights of columns (I, w) -> (I, 1, w, 1)."""
    return nodes("Unsqueeze", weight, np.array([1, 3]))


def _columns(nodes: Nodes, pairs: str) -> tuple[str, str]:
    """Both columns of (I, 2), each (I, 1)."""
    first, second = (nodes("Gather", pairs, np.array([column]), axis=1) for column in (0, 1))
    return first, second


def _difference(nodes: Nodes, boxes: str, axis: int) -> str:
    """Width or height (M,) of boxes (M, 4)."""
    return nodes(
        "Sub", nodes("Gather", boxes, np.int64(axis + 2), axis=1), nodes("Gather", boxes, np.int64(axis), axis=1)
    )
