"""The reference: real model files of DeepLabCut 3.0.2, and its results for some frames.

    python -m tools.parity.reference FRAMES.npz OUT [network ...]

Needs deeplabcut 3.0.2. FRAMES.npz holds `frames` (3, 480, 640, 3) uint8 RGB; without this file, noise is used. For each
network of `cases.py`, or only for the named ones, OUT/<name>/ holds

    model files     as deeplabcut.export_model writes them, or a training folder
    frames.npz      the network's input frames
    results.npz     the input boxes and conditions, and the poses
    report.json     the path of the model, and notes about it

With `serve` instead of OUT it does the same one network at a time for another process; see `partner.py`.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tools.parity import partner, scenes
from tools.parity.cases import case_of, choose
from tools.parity.reference_models import ReferenceMaker


def read_frames(path: Path) -> NDArray[np.uint8]:
    """The frames from the file; noise if there is none."""
    if path.is_file():
        return np.load(path)["frames"]
    return np.random.default_rng(0).integers(0, 256, (scenes.FRAMES, *scenes.WHOLE, 3), dtype=np.uint8)


def main() -> None:
    """See the module."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    frames = read_frames(Path(sys.argv[1]))
    if sys.argv[2:] == ["serve"]:
        partner.serve(lambda request: ReferenceMaker(case_of(request["case"]), frames, Path(request["folder"])).make())
        return
    out = Path(sys.argv[2])
    for case in choose(sys.argv[3:]):
        folder = out / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(json.dumps(ReferenceMaker(case, frames, folder).make()), flush=True)


if __name__ == "__main__":
    main()
