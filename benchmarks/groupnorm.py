"""The speed of a ResNet-50 with group normalisation on ONNX Runtime's CPU provider, in the two forms of ONNX.

    python benchmarks/groupnorm.py [--rounds 20] [--threads 2] [--height 302] [--width 658]

Exports one network with random weights at opset 18 (instance normalisation of the groups) and at opset 21 (the operator
GroupNormalization), and times both alternately on the same image, so that other load on the machine affects both.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from dlclive_torch.backbones.resnet import ResNet
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.heads.heatmap import HeatmapHead, Upsampling
from dlclive_torch.network import PoseNetwork
from dlclive_torch.onnx_file import write_onnx

from dlclive_core import ModelCard, Skeleton
from dlclive_core.deeplabcut.config import HeatmapDecoding

OPSETS = (18, 21)


def resnet_50() -> KeypointGraph:
    """DeepLabCut's untrained resnet_50 for four keypoints."""
    torch.manual_seed(0)
    heatmap, locref = (Upsampling((2048, channels), (3,), (2,)) for channels in (4, 8))
    head = HeatmapHead(heatmap, locref, HeatmapDecoding(stride=8, locref_std=7.2801))
    network = PoseNetwork(ResNet("resnet50_gn", 16), {"bodypart": head})
    return KeypointGraph(network, normalisation="imagenet").eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--height", type=int, default=302)
    parser.add_argument("--width", type=int, default=658)
    options = parser.parse_args()
    card = ModelCard(net_type="resnet_50", skeleton=Skeleton(("a", "b", "c", "d")))
    image = np.random.default_rng(0).integers(0, 256, (1, options.height, options.width, 3), dtype=np.uint8)
    sessions, times = {}, {opset: [] for opset in OPSETS}
    with tempfile.TemporaryDirectory() as folder:
        graph = resnet_50()
        for opset in OPSETS:
            path = Path(folder) / f"{opset}.onnx"
            write_onnx(graph, card, path, opset=opset)
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = options.threads
            settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
            sessions[opset] = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    for session in sessions.values():
        session.run(None, {"image": image})
    for _ in range(options.rounds):
        for opset, session in sessions.items():
            start = time.perf_counter()
            session.run(None, {"image": image})
            times[opset].append(1e3 * (time.perf_counter() - start))
    for opset, taken in times.items():
        print(f"opset {opset}: median {statistics.median(taken):.0f} ms, fastest {min(taken):.0f} ms")
    pairs = [new / old for old, new in zip(times[18], times[21], strict=True)]
    print(f"opset 21 / opset 18, round by round: median {statistics.median(pairs):.2f}, of {len(pairs)} rounds")


if __name__ == "__main__":
    main()
