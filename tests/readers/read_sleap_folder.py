"""Run a folder of `dlclive export --for sleap-nn` with sleap-nn's predictor, and print the poses as JSON. Imports no dlclive.

    python read_sleap_folder.py FOLDER VIDEO [FRAMES]

Run it in an environment with sleap-nn and onnxruntime. For the first frames of the video it prints, for each instance, the
keypoints x, y in sleap-nn's pixels (the centre of the left upper one is 0, 0) and their scores; NaN is written as null.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sleap_io
import sleap_nn
from sleap_nn.inference import Predictor


def plain(values: Any) -> Any:
    """Nested lists of numbers, None for NaN."""
    array = np.asarray(values, dtype=float)
    if array.ndim > 1:
        return [plain(part) for part in array]
    return [None if math.isnan(value) else round(value, 4) for value in array.tolist()]


def main(folder: str, video: str, frames: int = 20) -> None:
    """Print the poses."""
    single = json.loads(Path(folder, "export_metadata.json").read_text())["max_batch_size"] == 1
    predictor = Predictor.from_export_dir(folder, runtime="onnx", device="cpu", batch_size=1 if single else 4)
    labels = predictor.predict(sleap_io.load_video(video), frames=list(range(frames)), make_labels=True)
    poses = {
        labelled.frame_idx: [
            {"points": plain(instance.numpy()), "scores": plain(instance.points["score"])}
            for instance in labelled.instances
        ]
        for labelled in labels
    }
    print(json.dumps({"sleap_nn": sleap_nn.__version__, "nodes": labels.skeletons[0].node_names, "poses": poses}))


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
