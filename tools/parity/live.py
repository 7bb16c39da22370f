"""deeplabcut-live 1.1.0, one frame at a time, for another process. Runs where deeplabcut-live is installed.

    python tools/parity/live.py serve

Questions: {"load": model, "frames": frames.npz, "animals": most of them} and {"frame": index}, which answers how long
`DLCLive.get_pose` took.
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
    """The model that was loaded last, and its frames."""

    def __init__(self) -> None:
        self.model: DLCLive | None = None
        self.frames = np.empty(0, np.uint8)

    def answer(self, words: dict[str, Any]) -> dict[str, Any]:
        """See the module."""
        if "load" in words:
            self.model = None
            self.frames = np.load(words["frames"])["frames"]
            model = DLCLive(
                words["load"],
                model_type="pytorch",
                device="cpu",
                single_animal=False,
                top_down_config={"max_detections": words["animals"]},
            )
            model.init_inference(self.frames[0])
            self.model = model
            return {"shape": list(model.pose.shape)}
        assert self.model is not None
        began = time.perf_counter()
        self.model.get_pose(self.frames[words["frame"] % len(self.frames)])
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    partner.serve(LiveModel().answer)
