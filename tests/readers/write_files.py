"""Write a file of every kind, for other programs to read: `python write_files.py FOLDER`, where dlclive is installed.

The poses are random; some keypoints, animals and frames are missing. Readers are compared with the CSV of each table.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from dlclive_formats.coco.coco_format import CocoFormat
from dlclive_formats.openpose.openpose_format import OpenPoseFormat
from dlclive_io import PoseTable
from dlclive_io.deeplabcut.deeplabcut_format import DeepLabCutFormat

from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton, write_recording
from dlclive_core.testing import run_info

SCORER = "DLC_Resnet50_testNov29shuffle1_snapshot_best-190"
FRAMES = 40
SIZE = (640, 480)

SKELETON = Skeleton(("snout", "left ear", "right ear", "tail_base"), ((0, 1), (0, 2), (0, 3)))
SINGLE = ModelCard(net_type="resnet_50", skeleton=SKELETON, scorer=SCORER)
SEVERAL = SINGLE.with_(multi_animal=True, individuals=("mouse A", "mouse2", "mouse3"))
CARDS = {
    "single": SINGLE,
    "several": SEVERAL,
    "unique": SEVERAL.with_(unique_keypoints=("corner", "lever")),
    # More columns than HDF5 takes in DeepLabCut's layout: see WideHdf5Table.
    "wide": SEVERAL.with_(
        skeleton=Skeleton(tuple(f"point_{number}" for number in range(30))),
        individuals=tuple(f"animal_{number}" for number in range(60)),
    ),
}


def main(folder: Path) -> None:
    """Write all files into an empty or new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, card in CARDS.items():
        for suffix in (".h5", ".csv"):
            write_table(card, folder / f"{name}{SCORER}{suffix}")
    for name in ("single", "several"):
        recording = DeepLabCutFormat().read(folder / f"{name}{SCORER}.h5")
        write_recording(CocoFormat(), recording, folder / f"{name}.json", overwrite=True)
        write_recording(CocoFormat(results=True), recording, folder / f"{name}_results.json", overwrite=True)
        write_recording(OpenPoseFormat(), recording, folder / f"{name}_json", overwrite=True)


def write_table(card: ModelCard, path: Path) -> None:
    """A table of random poses; frame 7 has none."""
    random = np.random.default_rng(1)
    with PoseTable(path, overwrite=True) as sink:
        sink.open(run_info(card))
        for number in range(FRAMES):
            shape = len(card.individuals), len(card.skeleton)
            keypoints = points(random, shape, missing=0.1)
            keypoints[random.random(shape[0]) < 0.15] = (np.nan, np.nan, 0)
            unique = points(random, (len(card.unique_keypoints),), missing=0.1)
            frame = Frame(np.zeros((4, 4), np.uint8), number, number / 30, None)
            pose = Pose(keypoints, card.skeleton, unique=unique if len(unique) else None)
            if number != 7:
                sink.write(Estimate(frame, pose, 0.0, 0.0, 0.0))
        sink.finish()


def points(random: np.random.Generator, shape: tuple[int, ...], missing: float) -> np.ndarray:
    values = (random.random((*shape, 3)) * (*SIZE, 1)).astype(np.float32)
    values[random.random(shape) < missing] = (np.nan, np.nan, 0)
    return values


if __name__ == "__main__":
    main(Path(sys.argv[1]))
