"""deeplabcut-live 1.1.0 for against_deeplabcut_live.py: runs where it is installed, and answers for another process.

Questions: {"load": model, "frames": frames.npy} and {"run": [first, last]}, which answers the seconds that `get_pose` took
for each frame, and the poses.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "parity"))

from partner import serve


class Host:
    """The model that was loaded."""

    def __init__(self) -> None:
        self.model: Any = None
        self.frames = np.empty(0, np.uint8)

    def answer(self, words: dict[str, Any]) -> dict[str, Any]:
        """See the module."""
        if "load" in words:
            from dlclive import DLCLive

            self.frames = np.load(words["frames"])
            self.model = DLCLive(words["load"], model_type="pytorch", device="cpu")
            began = time.perf_counter()
            self.model.init_inference(self.frames[0])
            return {"first": time.perf_counter() - began}
        first, last = words["run"]
        self.model.get_pose(self.frames[first])  # not timed, as for the others: caches hold what ran before
        times, poses = [], []
        for frame in self.frames[first:last]:
            began = time.perf_counter()
            pose = self.model.get_pose(frame)
            times.append(time.perf_counter() - began)
            poses.append(np.asarray(pose, float).reshape(-1, 3).tolist())
        return {"times": times, "poses": poses}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve(Host().answer)
