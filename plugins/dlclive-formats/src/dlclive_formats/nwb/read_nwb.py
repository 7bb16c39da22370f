"""Reads poses from NWB files with ndx-pose, also those of other programs. Uses h5py alone, on nodes of known types.

pynwb would build classes from the specifications that the file itself brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from dlclive_io import hdf5_nodes
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording, RecordingInfo, foreign_card
from dlclive_formats.nwb.pose_series import PoseSeries, series_of
from dlclive_formats.nwb.series_names import bare, matched
from dlclive_formats.rows import BLOCK

WHAT = "an NWB file"
ONE_ANIMAL = "Keypoints of the animal of a single-animal project"
"""Ours begin the description of such poses with it, so that they come back as those of such a project."""

_TYPE = "neurodata_type"
_POSES = "PoseEstimation"
_UNIQUE = "UniqueKeypoints"  # build_nwb writes it
_UNNAMED = "individual_1"  # the animal of a project without names
_DEPTH = 4  # of containers in containers: MultiCameraPoseEstimation has one for each camera
_MOST_KEYPOINTS = 1000
_BYTES = 64 << 20  # of rows at once
_UNITS = {
    "pixels": "px",
    "pixel": "px",
    "meters": "m",
    "centimeters": "cm",
    "millimeters": "mm",
    "micrometers": "um",
    "n.a.": "",
}


def read_nwb(path: Path, container: str = "") -> PoseRecording:
    """Open the poses of a file.

    Args:
        container: name of the PoseEstimation, or module and name; needed if there are several and none is "PoseEstimation".

    Raises:
        DataError: it has no poses, or several, or is damaged.
    """
    with hdf5_nodes.opened(path, WHAT) as file:
        if not is_nwb(file):
            raise DataError(f"{path} is not {WHAT}: its root does not say so")
        where, group = _chosen(path, file, container)
        poses = _Poses(path, file, group)
        series = poses.series
        unique = (
            hdf5_nodes.find(file, f"{where.rpartition('/')[0]}/{_UNIQUE}") if where.endswith(f"/{_POSES}") else None
        )
        scene = (
            _Poses(path, file, unique) if unique is not None and hdf5_nodes.attribute(unique, _TYPE) == _POSES else None
        )
        if scene is not None and (scene.count, scene.dimensions) != (poses.count, poses.dimensions):
            scene = None
        names = tuple(filter(None, (_subject(file),)))
        video = hdf5_nodes.subgroup(group, "source_video")
        files = hdf5_nodes.texts(video, "external_file") if video is not None else ()
        info = RecordingInfo(
            card=foreign_card(
                path,
                tuple(series),
                edges=poses.edges,
                individuals=() if names == (_UNNAMED,) else names,
                multi_animal=False if names == (_UNNAMED,) or _is_of_one_animal(group) else bool(names),
                unique_keypoints=tuple(scene.series) if scene is not None else (),
                scorer=hdf5_nodes.text(group, "scorer"),
            ),
            source=str(path.parent / files[0]) if files else "",
            frame_size=_size(video),
            fps=poses.rate,
            has_times=True,
            started_at=_moment(
                hdf5_nodes.text(file, "timestamps_reference_time") or hdf5_nodes.text(file, "session_start_time")
            ),
            dimensions=poses.dimensions,
            unit=_UNITS.get(poses.unit, poses.unit),
        )
        places = [f"{where}/{name}" for name in series.values()]
        places += [f"{where.rpartition('/')[0]}/{_UNIQUE}/{name}" for name in (scene.series.values() if scene else ())]
        count = poses.count
    return ReadRecording(info, count, lambda: _blocks(path, places, info, count))


def is_nwb(file: Any) -> bool:
    """Whether the root of an HDF5 file says that it is NWB."""
    return hdf5_nodes.attribute(file, _TYPE) == "NWBFile"


def _is_of_one_animal(group: Any) -> bool:
    """Whether dlclive wrote the poses of a single-animal project: the name is then that of the subject alone."""
    is_ours = hdf5_nodes.text(group, "source_software") == "dlclive"
    return is_ours and hdf5_nodes.text(group, "description").startswith(ONE_ANIMAL)


class _Poses:
    """A PoseEstimation: keypoint -> name of its series, the edges, and what all series have in common."""

    def __init__(self, path: Path, file: Any, group: Any) -> None:
        found = [
            name
            for name, node in hdf5_nodes.members(group)
            if hdf5_nodes.attribute(node, _TYPE).endswith("PoseEstimationSeries")
        ]
        if not found:
            raise DataError(f"{path}: {group.name} has no series of keypoints")
        if len(found) > _MOST_KEYPOINTS:
            raise DataError(f"{path}: {group.name} has {len(found)} series; {_MOST_KEYPOINTS} is the most")
        skeleton = _skeleton(group)
        nodes = hdf5_nodes.texts(skeleton, "nodes", _MOST_KEYPOINTS)
        pairs = matched(nodes, found)
        self.series = pairs if pairs is not None else bare(found)
        self.edges = _edges(skeleton, len(nodes)) if pairs is not None else ()
        all_series = [series_of(path, group, name) for name in self.series.values()]
        first = all_series[0]
        self.count, self.dimensions, self.unit, self.rate = first.count, first.dimensions, first.unit, first.rate
        for series in all_series:
            if (series.count, series.dimensions) != (first.count, first.dimensions):
                raise DataError(
                    f"{path}: the series of {group.name} differ in their number of frames or of coordinates"
                )


def _chosen(path: Path, file: Any, container: str) -> tuple[str, Any]:
    """Path and group of the PoseEstimation to read."""
    found = dict(_containers(hdf5_nodes.subgroup(file, "processing"), "/processing", _DEPTH))
    if container:
        wanted = [where for where in found if where.endswith("/" + container.strip("/"))]
    else:
        ours = [where for where in found if not where.endswith(f"/{_UNIQUE}")]
        wanted = [where for where in ours if where == f"/processing/behavior/{_POSES}"] or ours
    if len(wanted) == 1:
        return wanted[0], found[wanted[0]]
    names = ", ".join(sorted(where.removeprefix("/processing/") for where in found)[:10])
    if not found:
        raise DataError(f"{path} has no poses: none of its processing modules has a PoseEstimation of ndx-pose")
    if container:
        raise DataError(f"{path}: {container} is {'several' if wanted else 'none'} of its PoseEstimation: {names}")
    raise DataError(
        f"{path} has several PoseEstimation: {names}; one is read: NwbFormat(container=NAME).read(path), in Python"
    )


def _containers(group: Any, where: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, node in hdf5_nodes.members(group) if group is not None else ():
        if hdf5_nodes.attribute(node, _TYPE) == _POSES:
            yield f"{where}/{name}", node
        elif depth > 1:
            yield from _containers(node, f"{where}/{name}", depth - 1)


def _blocks(path: Path, places: list[str], info: RecordingInfo, count: int) -> Iterator[PoseRows]:
    with hdf5_nodes.opened(path, WHAT) as file:
        groups = [(hdf5_nodes.find(file, place.rpartition("/")[0]), place.rpartition("/")[2]) for place in places]
        series = [series_of(path, group, name) for group, name in groups]
        arrays = [array for one in series for array in (one.data, one.confidence) if array is not None]
        step = hdf5_nodes.rows_at_once(arrays, [0] * len(arrays), BLOCK, _BYTES)
        for start in range(0, count, step):
            stop = min(start + step, count)
            values = np.stack([one.rows(start, stop) for one in series], axis=1)
            yield from _rows(values, series[0], start, info)


def _rows(values: NDArray[np.float64], first: PoseSeries, start: int, info: RecordingInfo) -> Iterator[PoseRows]:
    """The rows that were read at once, in blocks, without those that have no pose."""
    stop = start + len(values)
    numbers = np.arange(start, stop, dtype=np.int64)
    seconds = first.seconds(start, stop)
    points = len(info.card.skeleton)
    if first.control is not None:
        kept = hdf5_nodes.floats(first.control, start, stop) != 1
        numbers, seconds, values = numbers[kept], seconds[kept], values[kept]
    for at in range(0, len(numbers), BLOCK):
        part = slice(at, at + BLOCK)
        yield PoseRows(numbers[part], seconds[part], values[part, None, :points], values[part, points:])


def _skeleton(group: Any) -> Any:
    """The skeleton of a PoseEstimation. The link to it has the skeleton's own name."""
    for name in hdf5_nodes.linked(group):
        node = hdf5_nodes.subgroup(group, name)
        if node is not None and hdf5_nodes.attribute(node, _TYPE) == "Skeleton":
            return node
    return group  # which had nodes and edges itself before ndx-pose 0.2


def _edges(skeleton: Any, nodes: int) -> tuple[tuple[int, int], ...]:
    edges = hdf5_nodes.array(skeleton, "edges", (1, 2))  # an empty one may have one dimension
    if edges is None or edges.ndim != 2 or edges.shape[1] != 2 or edges.shape[0] > nodes * nodes:
        return ()
    pairs = [(int(a), int(b)) for a, b in np.asarray(edges[()])]
    return tuple((a, b) for a, b in pairs if 0 <= a < nodes and 0 <= b < nodes)


def _subject(file: Any) -> str:
    subject = hdf5_nodes.find(file, "general/subject")
    return (hdf5_nodes.text(subject, "subject_id") if subject is not None else "") or hdf5_nodes.text(
        file, "identifier"
    )


def _size(video: Any) -> tuple[int, int] | None:
    size = hdf5_nodes.array(video, "dimension", (1,)) if video is not None else None
    if size is None or size.shape != (2,):
        return None
    width, height = (int(value) for value in size[()])
    return (width, height) if 0 < width < 1 << 20 and 0 < height < 1 << 20 else None


def _started_at(file: Any) -> datetime | None:
    return _moment(hdf5_nodes.text(file, "timestamps_reference_time") or hdf5_nodes.text(file, "session_start_time"))


def _moment(written: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(written[:-1] + "+00:00" if written.endswith("Z") else written)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
