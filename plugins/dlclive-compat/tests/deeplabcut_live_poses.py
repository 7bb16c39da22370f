"""Runs the package `dlclive` of this environment, whichever that is, on frames.

    python deeplabcut_live_poses.py MODEL FRAMES.npz OPTIONS.json POSES.npz

OPTIONS is a list of keyword arguments for `DLCLive`; POSES has an array for each, (frames, K, 3). The option "grey" is ours:
frames have a single channel.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from dlclive import DLCLive


def main(model: str, frames: str, options: str, target: str) -> None:
    torch.set_num_threads(1)
    images = np.load(frames)["frames"]
    poses = {}
    for number, given in enumerate(json.loads(Path(options).read_text(encoding="utf-8"))):
        is_grey = given.pop("grey", False)
        live = DLCLive(model, model_type="pytorch", device="cpu", **given)
        found = []
        for index, image in enumerate(images):
            frame = np.ascontiguousarray(image[:, :, 1]) if is_grey else image
            found.append(np.array(live.get_pose(frame) if index else live.init_inference(frame)))
        poses[str(number)] = np.stack(found)
    np.savez(target, **poses)


if __name__ == "__main__":
    main(*sys.argv[1:])
