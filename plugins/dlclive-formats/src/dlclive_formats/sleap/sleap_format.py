"""The format SLEAP Analysis HDF5."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dlclive_io import hdf5_nodes
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, RecordingInfo, TableFormat, __version__
from dlclive_formats.recording_facts import to_facts
from dlclive_formats.slabs import slabs
from dlclive_formats.sleap.dimensions import MATLAB, without
from dlclive_formats.sleap.read_sleap import FACTS, NEEDED, WHAT, read_sleap
from dlclive_formats.sleap.tracks import Tracks, check_flat, scores

SUFFIX = ".analysis.h5"

PIXELS = (
    "As in SLEAP, the centre of the top left pixel is (0, 0). dlclive and DeepLabCut call it (0.5, 0.5), so 0.5 was subtracted "
    "from their x and y."
)
_CHUNK_BYTES = 1 << 20


class SleapFormat(TableFormat):
    """SLEAP's Analysis HDF5, in the order of axes that SLEAP and MATLAB use (the preset "matlab").

    Positions are shifted by half a pixel, because SLEAP's pixels begin elsewhere. The score of an instance is the mean
    confidence of its keypoints; there is no score of tracking. Times have no place: `provenance` keeps the frame rate and the
    start, with the other facts that dlclive knows. A frame without a pose is one in which no track has a point.
    """

    def recognizes(self, path: Path) -> bool:
        """Whether it is an HDF5 file with the arrays of SLEAP; a DeepLabCut table has none of them."""
        if not hdf5_nodes.is_hdf5(path):
            return False
        try:
            with hdf5_nodes.opened(path, WHAT) as file:
                return all(isinstance(hdf5_nodes.child(file, name), h5py.Dataset) for name in NEEDED)
        except DataError:
            return False

    def read(self, path: Path) -> PoseRecording:
        """Open a file of either preset, and of SLEAP's versions without names of axes. Raises DataError."""
        return read_sleap(path)

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError for poses in space."""
        check_flat(info)

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a recording, some thousand frames at a time. Raises DataError, OSError."""
        check_flat(recording.info)
        tracks = Tracks(recording.info)
        step = max(16, min(4096, _CHUNK_BYTES // max(1, 16 * len(tracks.names) * len(tracks.nodes))))
        with h5py.File(path, "w") as file:
            arrays = _Arrays(file, tracks, step)
            for start, rows in slabs(recording, step):
                arrays.write(start, tracks.values(rows))
            _describe(file, recording.info, tracks, arrays.count)
        return (path,)


class _Arrays:
    """The arrays of numbers, which grow frame by frame."""

    def __init__(self, file: Any, tracks: Tracks, step: int) -> None:
        self._file, self._step = file, step
        sizes = {"track": len(tracks.names), "xy": 2, "node": len(tracks.nodes), "frame": 0}
        self.count = 0
        self._make("tracks", MATLAB, sizes, np.float64)
        self._make("point_scores", without(MATLAB, "xy"), sizes, np.float64)
        for name in ("instance_scores", "tracking_scores"):
            self._make(name, without(MATLAB, "xy", "node"), sizes, np.float64)
        self._make("track_occupancy", ("frame", "track"), sizes, np.uint8)  # the other way round, as SLEAP has it

    def write(self, start: int, values: NDArray[np.float64]) -> None:
        """Add frames: (n, tracks, nodes, 3)."""
        positions, confidence = values[..., :2], values[..., 2]
        there = np.asarray(~np.isnan(positions).any(axis=-1).all(axis=-1))
        self._put("tracks", start, positions.transpose(1, 3, 2, 0))
        self._put("point_scores", start, confidence.transpose(1, 2, 0))
        self._put("instance_scores", start, scores(values).T)
        self._put("tracking_scores", start, np.full(there.T.shape, np.nan))
        self._put("track_occupancy", start, there.astype(np.uint8), axis=0)
        self.count = start + len(values)

    def _make(self, name: str, order: tuple[str, ...], sizes: dict[str, int], kind: type[np.generic]) -> None:
        array = self._file.create_dataset(
            name,
            shape=tuple(sizes[axis] for axis in order),
            maxshape=tuple(None if axis == "frame" else sizes[axis] for axis in order),
            chunks=tuple(self._step if axis == "frame" else sizes[axis] for axis in order),
            dtype=kind,
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
        array.attrs["dims"] = json.dumps(order)

    def _put(self, name: str, start: int, values: NDArray[Any], axis: int = -1) -> None:
        array = self._file[name]
        stop = start + values.shape[axis]
        array.resize(stop, axis=axis % array.ndim)
        array[(slice(start, stop),) if axis == 0 else (..., slice(start, stop))] = values


def _describe(file: Any, info: RecordingInfo, tracks: Tracks, count: int) -> None:
    edges = info.card.skeleton.edges
    file["track_names"] = _texts(tracks.names)
    file["node_names"] = _texts(tracks.nodes)
    file["edge_names"] = _texts([tracks.nodes[end] for edge in edges for end in edge]).reshape(-1, 2)
    file["edge_inds"] = np.asarray(edges, np.int64).reshape(-1, 2)
    provenance = {
        "software": f"dlclive {__version__}",
        "pixels": PIXELS,
        "instance_scores": "the mean confidence of the keypoints that are there",
        FACTS: to_facts(info),
    }
    for name, text in (("labels_path", ""), ("video_path", info.source), ("provenance", json.dumps(provenance))):
        file.create_dataset(name, data=text, dtype=h5py.string_dtype())
    file["video_ind"] = 0
    size = info.frame_size
    file.attrs["preset"] = "matlab"
    file.attrs["format"] = "analysis"
    file.attrs["skeleton_name"] = ""
    file.attrs["skeleton_symmetries"] = "[]"
    file.attrs["video_backend_metadata"] = json.dumps({"shape": [count, size[1], size[0], 3]} if size else {})


def _texts(names: Any) -> NDArray[np.bytes_]:
    return np.array([name.encode("utf-8") for name in names], np.bytes_)
