"""Runs deeplabcut-live 1.1.0 one frame at a time for another process. Needs deeplabcut-live.

    python -m tools.parity.live

Requests: {"load": model, "frames": frames.npz, "animals": maximum number} loads a model; {"frame": index} returns the run time
of `DLCLive.get_pose`.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import torch
from dlclive import DLCLive

from tools.parity import partner


class LiveModel:
    """The last loaded model and its frames."""

    def __init__(self) -> None:
        self.model: DLCLive | None = None
        self.frames = np.empty(0, np.uint8)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """See the module."""
        if "load" in request:
            self.model = None
            self.frames = np.load(request["frames"])["frames"]
            model = DLCLive(
                request["load"],
                model_type="pytorch",
                device="cpu",
                single_animal=False,
                top_down_config={"max_detections": request["animals"]},
            )
            model.init_inference(self.frames[0])
            self.model = model
            return {"shape": list(model.pose.shape)}
        assert self.model is not None
        began = time.perf_counter()
        self.model.get_pose(self.frames[request["frame"] % len(self.frames)])
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    partner.serve(LiveModel().answer)
