"""Write random poses as NWB and SLEAP files, and `expected.json`, which says what a reader must find. Needs dlclive-formats.

python write_poses.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dlclive_core import PluginCatalog, RecordingInfo, write_recording
from dlclive_core.hookspecs import FormatInfo
from tests.pose_recordings import STARTED, Poses, card, poses

PAIR = RecordingInfo(
    card=card(individuals=("m1", "m2"), unique=("corner",)),
    fps=50.0,
    has_times=True,
    started_at=STARTED,
    frame_size=(640, 480),
)


def plain(values: np.ndarray) -> list[Any]:
    """Rows of numbers, None for NaN."""
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]


def dense(recording: Poses, values: np.ndarray) -> np.ndarray:
    """(frames, 3) of one keypoint, with the frames that have no pose."""
    all_rows = np.full((recording.frame_count, values.shape[-1]), np.nan)
    all_rows[:, -1] = 0
    all_rows[recording.rows.numbers] = values
    return all_rows


def main(folder: Path) -> None:
    """Two animals with dropped frames at uneven times; one animal in an even video, which lies beside its file."""
    folder.mkdir(exist_ok=True)
    video = folder / "clip.mp4"
    video.touch()
    uneven = poses(PAIR, np.delete(np.arange(200), [0, 7, 8, 150]), missing=0.2)
    single = PAIR.with_(card=card(), source=str(video))
    even = poses(single, np.arange(200), seconds=np.arange(200) / 30, seed=1, missing=0.2)
    catalog = PluginCatalog.installed()
    more = {"species": "Mus musculus", "age": "P90D", "experimenter": ["Doe, Jane"], "institution": "Institute"}
    nwb = catalog.build(FormatInfo, "nwb", experiment_description="Open field", **more)
    expected: dict[str, Any] = {}
    for name, recording in (("uneven", uneven), ("even", even)):
        info, rows = recording.info, recording.rows
        points = info.card.skeleton.keypoints
        animals = {
            animal: {point: plain(dense(recording, rows.keypoints[:, place, at])) for at, point in enumerate(points)}
            for place, animal in enumerate(info.card.individuals)
        }
        files = write_recording(nwb, recording, folder / f"{name}.nwb", overwrite=True)
        for path, animal in zip(files, info.card.individuals, strict=True):
            expected[path.name] = {
                "keypoints": animals[animal],
                "numbers": rows.numbers.tolist(),
                "times": rows.seconds.tolist(),
                "rate": 30.0 if recording is even else None,
            }
        for format, suffix in (("sleap", ".analysis.h5"), ("sleap-csv", ".analysis.csv")):
            path = folder / f"{name}{suffix}"
            write_recording(catalog.build(FormatInfo, format), recording, path, overwrite=True)
            has_names = format == "sleap" or info.card.multi_animal  # in SLEAP's CSV, a single animal has no track
            expected[path.name] = {"tracks": animals if has_names else {"": next(iter(animals.values()))}}
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
