"""Convert the tables in a folder to NWB with neuroconv's DeepLabCutInterface, and read what it wrote."""

from __future__ import annotations

import sys
import tempfile
import warnings
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import numpy as np
from neuroconv.datainterfaces import DeepLabCutInterface
from pynwb import NWBHDF5IO
from truth import Points, check, tables

warnings.simplefilter("ignore")


def converted(path: Path, subject: str) -> dict[str, np.ndarray]:
    """By keypoint: (frames, 3) of what stands in the NWB file of an individual."""
    interface = DeepLabCutInterface(file_path=path, subject_name=subject, sampling_frequency=30.0)
    metadata = interface.get_metadata()
    metadata["NWBFile"]["session_start_time"] = datetime(2026, 11, 29, tzinfo=timezone.utc)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "poses.nwb"
        interface.run_conversion(nwbfile_path=file, metadata=metadata)
        with NWBHDF5IO(file, "r") as opened:
            (container,) = [
                item
                for item in opened.read().processing["behavior"].data_interfaces.values()
                if item.neurodata_type == "PoseEstimation"
            ]
            names = list(container.skeleton.nodes[:])
            series = list(container.pose_estimation_series.values())
            by_name = {one.name.removeprefix("PoseEstimationSeries").lower(): one for one in series}
            return {
                str(name): np.column_stack((one.data[:], one.confidence[:]))
                for name in names
                for one in [by_name[str(name).lower()]]
            }


def points_of(path: Path, expected: Points) -> Points:
    return {
        (individual, keypoint): values
        for individual in dict.fromkeys(key[0] for key in expected)
        for keypoint, values in converted(path, individual or "mouse").items()
    }


count = 0
for path, expected in tables(sys.argv[1], "single", "several", "unique"):
    count += check("neuroconv", path, points_of(path, expected), expected)
print(f"neuroconv {version('neuroconv')}: {count} values are equal")
