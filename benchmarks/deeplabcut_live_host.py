"""Runs deeplabcut-live 1.1.0 for against_deeplabcut_live.py, in an environment where it is installed.

Requests: {"load": model, "frames": frames.npy} loads a model; {"run": [first, last]} returns the run time of `get_pose` for each
frame in seconds, and the poses.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from tools.parity.partner import serve  # the partner has the root of the repository in its module path


class Host:
    """The loaded model and its frames."""

    def __init__(self) -> None:
        self.model: Any = None
        self.frames = np.empty(0, np.uint8)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """See the module."""
        if "load" in request:
            from dlclive import DLCLive

            self.frames = np.load(request["frames"])
            self.model = DLCLive(request["load"], model_type="pytorch", device="cpu")
            began = time.perf_counter()
            self.model.init_inference(self.frames[0])
            return {"first": time.perf_counter() - began}
        first, last = request["run"]
        self.model.get_pose(
            self.frames[first]
        )  # not timed, as for the candidates: the caches are filled by the previous turn
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
