"""Read NWB files as other programs do, and print the contents as JSON. Does not import dlclive.

    python read_nwb.py mouse.nwb ...

For each file it prints what pynwb reads and its validator finds and, if they are installed, what NWB Inspector says and what
movement reads. NaN is written as null.
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


def with_pynwb(path: Path) -> dict[str, Any]:
    """The poses as pynwb reads them, keypoint by keypoint in the skeleton's order, and the validator's errors."""
    import ndx_pose  # noqa: F401 - it registers the types
    import pynwb

    with pynwb.NWBHDF5IO(path, "r") as file:
        nwb = file.read()
        poses = nwb.processing["behavior"]["PoseEstimation"]
        series = poses.pose_estimation_series
        first = next(iter(series.values()))
        video = poses.source_video
        contents = {
            "nodes": [str(node) for node in poses.skeleton.nodes],
            "edges": np.asarray(poses.skeleton.edges).tolist(),
            "series": list(series),
            "position": {name: plain(np.asarray(one.data)) for name, one in series.items()},
            "confidence": {name: plain(np.asarray(one.confidence)) for name, one in series.items()},
            "times": np.asarray(first.get_timestamps()).tolist(),
            "rate": first.rate,
            "unit": first.unit,
            "started": nwb.session_start_time.isoformat(),
            "subject": nwb.subject.subject_id,
            "video": str(video.external_file[0]) if video is not None else None,
        }
    errors = pynwb.validate(path=path)
    return {**contents, "errors": [str(error) for error in errors]}


def with_inspector(path: Path) -> dict[str, Any]:
    """The messages of NWB Inspector."""
    from nwbinspector import inspect_nwbfile

    return {
        "messages": [
            f"{message.importance.name} {message.check_function_name} {message.location}: {message.message}"
            for message in inspect_nwbfile(nwbfile_path=path)
        ]
    }


def with_movement(path: Path) -> dict[str, Any]:
    """The dataset as movement reads it."""
    data = importlib.import_module("movement.io.load_poses").from_nwb_file(path)
    names = "keypoint" if "keypoint" in data.coords else "keypoints"
    individual = "individual" if "individual" in data.coords else "individuals"
    keypoints = [str(name) for name in data.coords[names].values]
    return {
        "individuals": [str(name) for name in data.coords[individual].values],
        "position": {name: plain(data["position"].sel({names: name}).values[:, :, 0]) for name in keypoints},
        "confidence": {name: plain(data["confidence"].sel({names: name}).values[:, 0]) for name in keypoints},
        "fps": data.attrs.get("fps"),
    }


READERS = {
    "pynwb": ("pynwb", with_pynwb),
    "inspector": ("nwbinspector", with_inspector),
    "movement": ("movement", with_movement),
}


def main(paths: list[str]) -> None:
    """Print one JSON object: for each file and reader the contents or the error."""
    warnings.simplefilter("ignore")
    report: dict[str, Any] = {}
    for name in paths:
        contents: dict[str, Any] = {}
        for reader, (module, read) in READERS.items():
            if importlib.util.find_spec(module) is None:
                continue
            try:
                contents[reader] = read(Path(name))
            except Exception as error:  # another program's reader may raise anything, which is the result
                contents[reader] = {"error": f"{type(error).__name__}: {error}"}
        report[Path(name).name] = contents
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
