"""The order of axes in SLEAP's arrays."""

from __future__ import annotations

import json
from typing import Any

from dlclive_io import hdf5_nodes

from dlclive_core import DataError

MATLAB = ("track", "xy", "node", "frame")
"""Of `tracks` in files for MATLAB, which has its axes the other way round; and in all files of SLEAP itself."""

_UNTRANSPOSED = ("frame", "node", "xy", "track")
"""Of SLEAP's older files that are not transposed."""


def without(order: tuple[str, ...], *axes: str) -> tuple[str, ...]:
    """The axes of an array that lacks some."""
    return tuple(axis for axis in order if axis not in axes)


def order_of_tracks(where: str, file: Any, tracks: Any) -> tuple[str, ...]:
    """The axes of `tracks`: those that the array names, or those of older files. Raises DataError."""
    named = _named(where, tracks)
    order = named or (MATLAB if hdf5_nodes.number_attribute(file, "transpose", 1) else _UNTRANSPOSED)
    if sorted(order) != sorted(MATLAB):
        raise DataError(f"{where}: tracks has the axes {', '.join(order)}, not {', '.join(MATLAB)} in some order")
    if tracks.shape[order.index("xy")] != 2:
        raise DataError(f"{where}: tracks has the shape {tracks.shape}, with the axes {', '.join(order)}; xy must be 2")
    return order


def order_like(where: str, array: Any, order: tuple[str, ...]) -> tuple[str, ...]:
    """The axes of another array: those that it names, or those of `tracks` without the ones it lacks."""
    named = _named(where, array)
    if named and sorted(named) != sorted(order):
        raise DataError(f"{where}: {array.name} has the axes {', '.join(named)}, not {', '.join(order)}")
    return named or order


def _named(where: str, array: Any) -> tuple[str, ...]:
    text = hdf5_nodes.attribute(array, "dims")
    if not text:
        return ()
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or len(names) != array.ndim or not all(isinstance(name, str) for name in names):
        raise DataError(f"{where}: the attribute dims of {array.name} does not name its {array.ndim} axes")
    return tuple(names)
