"""The reference: real model files of DeepLabCut 3.0.2, and what it answers for some frames.

    python -m tools.parity.reference FRAMES.npz OUT [network ...]

Runs where deeplabcut 3.0.2 is installed. FRAMES.npz holds `frames` (3, 480, 640, 3) uint8 RGB; without that file noise
is used. For each network of `cases.py`, or for those named, OUT/<name>/ holds

    model files     as deeplabcut.export_model writes them, or a training folder
    frames.npz      the frames as the network gets them
    answers.npz     boxes and conditions that it was asked about, and the poses
    report.json     where the model is, and what must be known about it

`serve` does the same, one network at a time, for another process; see `partner.py`.
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
from tools.parity.cases import choose, one
from tools.parity.reference_models import ReferenceMaker


def read_frames(path: Path) -> NDArray[np.uint8]:
    """The frames to ask about, noise if there are none."""
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
        partner.serve(lambda words: ReferenceMaker(one(words["case"]), frames, Path(words["folder"])).make())
        return
    out = Path(sys.argv[2])
    for case in choose(sys.argv[3:]):
        folder = out / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(json.dumps(ReferenceMaker(case, frames, folder).make()), flush=True)


if __name__ == "__main__":
    main()
