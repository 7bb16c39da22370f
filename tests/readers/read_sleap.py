"""Read SLEAP's files as other programs do, and print the contents as JSON. Does not import dlclive.

    python read_sleap.py mouse.analysis.h5 mouse.analysis.csv ...

For each file it prints what sleap-io reads without being told the format, and what movement reads of an Analysis HDF5 if it is
installed. NaN is written as null.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np


def plain(values: np.ndarray) -> Any:
    """Nested lists of numbers, None for NaN."""
    if values.ndim > 1:
        return [plain(part) for part in values]
    return [None if math.isnan(value) else value for value in values.astype(float).tolist()]


def with_sleap_io(path: Path) -> dict[str, Any]:
    """Positions and scores of each track's nodes: track -> node -> frame -> [x, y, score]."""
    labels = importlib.import_module("sleap_io").load_file(str(path))
    skeleton = labels.skeletons[0]
    tracks: dict[str, dict[str, dict[int, Any]]] = {}
    for frame in labels.labeled_frames:
        for instance in frame.instances:
            name = instance.track.name if instance.track is not None else ""
            nodes = tracks.setdefault(name, {node.name: {} for node in skeleton.nodes})
            values = np.column_stack([instance.numpy(), instance.points["score"]])
            for node, row in zip(skeleton.nodes, plain(values), strict=True):
                nodes[node.name][int(frame.frame_idx)] = row
    return {
        "tracks": tracks,
        "edges": [[edge.source.name, edge.destination.name] for edge in skeleton.edges],
        "video": str(labels.videos[0].filename) if labels.videos else "",
    }


def with_movement(path: Path) -> dict[str, Any] | None:
    """The dataset as movement reads it: individual -> keypoint -> frame -> [x, y, confidence]."""
    if path.suffix != ".h5":
        return None
    data = importlib.import_module("movement.io.load_poses").from_sleap_file(path, fps=30)
    names = "keypoint" if "keypoint" in data.coords else "keypoints"
    individual = "individual" if "individual" in data.coords else "individuals"
    tracks: dict[str, Any] = {}
    for animal in data.coords[individual].values:
        tracks[str(animal)] = {}
        for node in data.coords[names].values:
            one = data.sel({names: node, individual: animal})
            values = np.column_stack([one["position"].values, one["confidence"].values])
            tracks[str(animal)][str(node)] = dict(enumerate(plain(values)))
    return {"tracks": tracks}


def main(paths: list[str]) -> None:
    """Print one JSON object: for each file and reader the contents or the error."""
    warnings.simplefilter("ignore")
    readers = {"sleap-io": with_sleap_io}
    if importlib.util.find_spec("movement") is not None:
        readers["movement"] = with_movement  # type: ignore[assignment]
    report: dict[str, Any] = {}
    for name in paths:
        contents: dict[str, Any] = {}
        for reader, read in readers.items():
            try:
                result = read(Path(name))
            except Exception as error:  # another program's reader may raise anything, which is the result
                result = {"error": f"{type(error).__name__}: {error}"}
            if result is not None:
                contents[reader] = result
        report[Path(name).name] = contents
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
