"""Reads SLEAP Analysis HDF5 files, in blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from dlclive_io import hdf5_nodes
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording, RecordingInfo, Skeleton, foreign_card
from dlclive_formats.recording_facts import from_facts
from dlclive_formats.rows import BLOCK
from dlclive_formats.sleap.dimensions import order_like, order_of_tracks, without
from dlclive_formats.sleap.tracks import Tracks

WHAT = "a SLEAP Analysis file"
NEEDED = ("tracks", "node_names")
FACTS = "dlclive"
"""Our entry of the provenance."""

_CANONICAL = ("frame", "track", "node", "xy")
_MOST_NAMES = 1000
_MOST_EDGES = 20_000  # as in Skeleton
_BYTES = 64 << 20  # of rows at once


class _Arrays:
    """The arrays of an open file, whatever the order of their axes."""

    def __init__(self, path: Path, file: Any) -> None:
        tracks, point_scores = hdf5_nodes.array(file, "tracks", (4,)), hdf5_nodes.array(file, "point_scores", (3,))
        if tracks is None:
            raise DataError(f"{path} is not {WHAT}: it has no tracks")
        order = order_of_tracks(path.name, file, tracks)
        self._parts = [(tracks, order)]
        self.count, self.tracks, self.nodes, _ = (tracks.shape[order.index(axis)] for axis in _CANONICAL)
        if point_scores is not None:
            score_order = order_like(path.name, point_scores, without(order, "xy"))
            shape = tuple(point_scores.shape[score_order.index(axis)] for axis in _CANONICAL[:3])
            if shape != (self.count, self.tracks, self.nodes):
                raise DataError(f"{path}: tracks has the shape {tracks.shape}, but point_scores {point_scores.shape}")
            self._parts.append((point_scores, score_order))
        axes = [part_order.index("frame") for _, part_order in self._parts]
        self.step = hdf5_nodes.rows_at_once([part for part, _ in self._parts], axes, BLOCK, _BYTES)

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """(n, tracks, nodes, 3): positions and scores; NaN where there are no scores."""
        values = np.full((stop - start, self.tracks, self.nodes, 3), np.nan)
        views = (values[..., :2], values[..., 2])
        for (part, order), view in zip(self._parts, views, strict=False):
            read = hdf5_nodes.floats(part, start, stop, order.index("frame"))
            view[...] = read.transpose([order.index(axis) for axis in _CANONICAL if axis in order])
        return values


def read_sleap(path: Path) -> PoseRecording:
    """Open a file. Raises DataError."""
    with hdf5_nodes.opened(path, WHAT) as file:
        arrays = _Arrays(path, file)
        nodes, names = (
            hdf5_nodes.texts(file, "node_names", _MOST_NAMES),
            hdf5_nodes.texts(file, "track_names", _MOST_NAMES),
        )
        if len(nodes) != arrays.nodes or len(names) not in (0, arrays.tracks):
            raise DataError(
                f"{path}: tracks has {arrays.tracks} tracks of {arrays.nodes} nodes, but there are {len(names)} names of "
                f"tracks and {len(nodes)} of nodes"
            )
        if not names and arrays.tracks > 1:  # SLEAP's files without tracking
            names = tuple(f"individual_{place + 1}" for place in range(min(arrays.tracks, _MOST_NAMES + 1)))
        edges = hdf5_nodes.array(file, "edge_inds", (1, 2))
        is_pairs = edges is not None and edges.ndim == 2 and edges.shape[1] == 2 and edges.shape[0] <= _MOST_EDGES
        pairs = edges[()] if is_pairs else ()
        info = _info(path, hdf5_nodes.text(file, "provenance"), nodes, names, [(int(a), int(b)) for a, b in pairs])
        if not info.source:
            info = info.with_(source=hdf5_nodes.text(file, "video_path"))
        count = arrays.count
    return ReadRecording(info, count, lambda: _blocks(path, info))


def _info(
    path: Path, provenance: str, nodes: tuple[str, ...], names: tuple[str, ...], edges: list[tuple[int, int]]
) -> RecordingInfo:
    """What dlclive kept in a file of its own, as far as its names are still those of the arrays; else the names.

    sleap-io keeps the provenance of a file that it changes.
    """
    inside = list(dict.fromkeys((a, b) for a, b in edges if 0 <= a < len(nodes) and 0 <= b < len(nodes)))
    try:
        entries = json.loads(provenance) if provenance else {}
    except (ValueError, RecursionError):
        entries = {}
    if isinstance(entries, dict) and FACTS in entries:
        info = from_facts(path, entries[FACTS]).with_(has_times=False)
        tracks = Tracks(info)
        if (tracks.names, tracks.nodes, info.dimensions) == (names, nodes, 2):
            points = info.card.skeleton.keypoints
            own = tuple((a, b) for a, b in inside if max(a, b) < len(points))  # SLEAP may have changed them
            return info.with_(card=info.card.with_(skeleton=Skeleton(points, own)))
    return RecordingInfo(card=foreign_card(path, nodes, edges=inside, individuals=names))


def _blocks(path: Path, info: RecordingInfo) -> Iterator[PoseRows]:
    tracks = Tracks(info)
    with hdf5_nodes.opened(path, WHAT) as file:
        arrays = _Arrays(path, file)
        for start in range(0, arrays.count, arrays.step):
            stop = min(start + arrays.step, arrays.count)
            values = arrays.rows(start, stop)
            for at in range(0, len(values), BLOCK):
                part = values[at : at + BLOCK]
                yield tracks.rows(np.arange(start + at, start + at + len(part), dtype=np.int64), part)
