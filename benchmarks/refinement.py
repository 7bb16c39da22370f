"""The time saved by computing the location refinement only at the peaks.

    python benchmarks/refinement.py [--seconds 3] [--threads 1]

Only heads are timed, on ONNX Runtime's CPU provider, in turns: both maps by separate transposed convolutions; both by one (they
share input, kernel and stride); the heatmap by its convolution, with the refinement computed at the peaks; and the heatmap without
refinement, the lower bound of all.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from functools import partial

import numpy as np
import onnxruntime
import torch
from dlclive_torch.cells import CellReader
from dlclive_torch.decoding import decode_heatmap
from torch import Tensor, nn

from dlclive_core.deeplabcut.config import HeatmapDecoding

DECODING = HeatmapDecoding(stride=8, locref_std=7.2801)
FEATURES = {
    "resnet_50, 658 x 302": (2048, 19, 42),
    "cspnext_s, 640 x 480": (512, 15, 20),
    "cspnext_s, 256 x 256": (512, 8, 8),
}
KEYPOINTS = (4, 12, 100)


class TwoMaps(nn.Module):
    """Separate convolutions, as in DeepLabCut."""

    def __init__(self, heatmap: nn.ConvTranspose2d, locref: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.heatmap, self.locref = heatmap, locref

    def forward(self, features: Tensor) -> Tensor:
        return decode_heatmap(self.heatmap(features), self.locref(features), DECODING)


class Merged(nn.Module):
    """One convolution for both maps."""

    def __init__(self, heatmap: nn.ConvTranspose2d, locref: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.keypoints = heatmap.out_channels
        self.both = nn.ConvTranspose2d(heatmap.in_channels, 3 * self.keypoints, 3, 2)
        self.both.weight.data = torch.cat([heatmap.weight, locref.weight], dim=1)
        self.both.bias.data = torch.cat([heatmap.bias, locref.bias])

    def forward(self, features: Tensor) -> Tensor:
        maps = self.both(features)
        return decode_heatmap(maps[:, : self.keypoints], maps[:, self.keypoints :], DECODING)


class AtPeaks(nn.Module):
    """The refinement only at the peaks."""

    def __init__(self, heatmap: nn.ConvTranspose2d, locref: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.heatmap, self.cells = heatmap, CellReader(locref)

    def forward(self, features: Tensor) -> Tensor:
        return decode_heatmap(self.heatmap(features), partial(self.cells, features), DECODING)


class NoRefinement(nn.Module):
    """Only the heatmap."""

    def __init__(self, heatmap: nn.ConvTranspose2d, _: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.heatmap = heatmap

    def forward(self, features: Tensor) -> Tensor:
        return decode_heatmap(self.heatmap(features), None, DECODING)


WAYS = {"two maps": TwoMaps, "merged": Merged, "at peaks": AtPeaks, "none": NoRefinement}


def session(module: nn.Module, features: Tensor, threads: int) -> onnxruntime.InferenceSession:
    """A session of ONNX Runtime for the module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(), (features,), dynamo=True, verbose=False, opset_version=18, input_names=["x"]
        )
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = threads
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = program.model_proto.SerializeToString()
    return onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(0)
    print(
        f"| features of | keypoints | {' | '.join(f'{name} ms' for name in WAYS)} | at peaks / two maps, round by round | px between |"
    )
    print("|---" * (len(WAYS) + 4) + "|")
    for name, (channels, height, width) in FEATURES.items():
        for keypoints in KEYPOINTS:
            features = torch.relu(torch.randn(1, channels, height, width))
            layers = [nn.ConvTranspose2d(channels, out, 3, 2) for out in (keypoints, 2 * keypoints)]
            sessions = {way: session(make(*layers), features, options.threads) for way, make in WAYS.items()}
            feeds, times = {"x": features.numpy()}, {way: [] for way in WAYS}
            keypoints_of = {way: ready.run(None, feeds)[0] for way, ready in sessions.items()}
            end = time.perf_counter() + options.seconds
            while time.perf_counter() < end:
                for way, ready in sessions.items():
                    began = time.perf_counter()
                    ready.run(None, feeds)
                    times[way].append(1e3 * (time.perf_counter() - began))
            ratio = statistics.median(a / b for a, b in zip(times["at peaks"], times["two maps"], strict=True))
            off = np.abs(keypoints_of["at peaks"] - keypoints_of["two maps"])[..., :2].max()
            cells = " | ".join(f"{statistics.median(taken):.2f} ({min(taken):.2f})" for taken in times.values())
            print(f"| {name} | {keypoints} | {cells} | {ratio:.2f} | {off:.1e} |", flush=True)


if __name__ == "__main__":
    main()
