"""What do group normalisations with the fixed statistics of a clip cost in pixels, and save in time?

    python benchmarks/frozen_norms.py [--steps 1500] [--rounds 12] [--threads 1]

Pixels: a small network with a group normalisation after each convolution is trained on rendered mice, in many arenas. Its norms are
frozen on a hundred frames of a clip that it has not seen, and both find the mouse in other frames of this clip, and of another.
Time: DeepLabCut's resnet_50, untrained, 658 x 302, whole and frozen, on ONNX Runtime's CPU provider, taking turns.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from dlclive_torch.export import OnnxExporter
from dlclive_torch.freezing import freeze_group_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.heads.heatmap import HeatmapHead, Upsampling
from dlclive_torch.network import PoseNetwork
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from untrained import write_resnet_50

from dlclive_core.deeplabcut import HeatmapDecoding
from dlclive_core.demo.source import MouseSource

SIZE = (192, 144)
STRIDE = 4
SURE = 0.6
CLIP, OTHER = 500, 501
CALIBRATED, JUDGED = 100, 200


def convolution(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    """With a group normalisation behind it."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.GroupNorm(8, out), nn.ReLU())


class Small(nn.Sequential):
    """A backbone of eight convolutions, stride 8."""

    conditional = False
    input_size = None

    def __init__(self) -> None:
        widths = (3, 16, 32, 64)
        layers = [layer for a, b in itertools.pairwise(widths) for layer in (convolution(a, b, 2), convolution(b, b))]
        super().__init__(*layers, convolution(64, 64), convolution(64, 64))

    def prune(self) -> None:
        """Nothing."""


def render(seed: int, index: int) -> tuple[Tensor, Tensor]:
    """An image (H, W, 3) and the truth (K, 3)."""
    source = MouseSource(seed=seed, frames=400, size=SIZE)
    return torch.from_numpy(source.render(index)), torch.from_numpy(np.asarray(source.truth(index), np.float32))


def targets(truth: Tensor, height: int, width: int) -> Tensor:
    """Gaussians (K, h, w) around the cells of keypoints that are seen, of a standard deviation of one and a half cells."""
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width)
    cells = truth[:, :2] / STRIDE - 0.5
    squares = (columns - cells[:, 0, None, None]) ** 2 + (rows - cells[:, 1, None, None]) ** 2
    return torch.exp(-squares / (2 * 1.5**2)) * (truth[:, 2, None, None] > 0)


def train(steps: int) -> KeypointGraph:
    """A network that finds the mouse, in eval mode."""
    torch.manual_seed(0)
    keypoints = len(render(0, 0)[1])
    head = HeatmapHead(
        Upsampling((64, keypoints), (2,), (2,)),
        None,
        HeatmapDecoding(stride=STRIDE, locref_std=None, apply_sigmoid=True),
    )
    backbone = Small()
    network = PoseNetwork(backbone, {"bodypart": head})
    graph = KeypointGraph(network, normalisation="imagenet")
    nn.init.constant_(head.heatmap_head.deconv_layers[0].bias, -4.0)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for step in range(steps):
        drawn = [render(10_000 + 4 * step + number, 37 * number) for number in range(4)]
        images = torch.stack([image for image, _ in drawn]).permute(0, 3, 1, 2).float() * graph.factor + graph.summand
        maps = head.heatmap_head(backbone(images))
        wanted = torch.stack([targets(truth, *maps.shape[2:]) for _, truth in drawn])
        loss = functional.binary_cross_entropy_with_logits(maps, wanted, reduction="sum") / len(drawn)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return graph.eval()


def find(graph: KeypointGraph, images: list[Tensor]) -> NDArray[np.float32]:
    """(F, K, 3)."""
    with torch.inference_mode():
        return np.stack([graph(image[None])["keypoints"][0, 0].numpy() for image in images])


def pixels(steps: int) -> None:
    """Print the errors."""
    graph = train(steps)
    frozen = graph.in_dtype(torch.float32)
    count = freeze_group_norms(frozen, [render(CLIP, index)[0].numpy() for index in range(0, 2 * CALIBRATED, 2)])
    print(f"{count} norms, {steps} steps, frames of {SIZE[0]} x {SIZE[1]}, {CALIBRATED} frames give the statistics\n")
    print(
        "| clip | error of the network, median px | frozen, median px | between the two: median px | p95 px | max px | confident |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, seed in (("the same", CLIP), ("another arena", OTHER)):
        drawn = [render(seed, index) for index in range(1, 2 * JUDGED, 2)]
        images, truth = [image for image, _ in drawn], np.stack([points.numpy() for _, points in drawn])
        whole, fixed = find(graph, images), find(frozen, images)
        sure = (whole[..., 2] > SURE) & (truth[..., 2] > 0)
        off = [np.linalg.norm((found - truth)[sure][:, :2], axis=1) for found in (whole, fixed)]
        between = np.linalg.norm((whole - fixed)[sure][:, :2], axis=1)
        print(
            f"| {name} | {np.median(off[0]):.2f} | {np.median(off[1]):.2f} | {np.median(between):.3f} | "
            f"{np.percentile(between, 95):.3f} | {between.max():.2f} | {sure.sum()} of {sure.size} |"
        )


def times(rounds: int, threads: int) -> None:
    """Print the times."""
    image = np.random.default_rng(0).integers(0, 256, (1, 302, 658, 3), dtype=np.uint8)
    taken: dict[str, list[float]] = {"whole": [], "frozen": []}
    sessions = {}
    with tempfile.TemporaryDirectory() as folder:
        model = write_resnet_50(Path(folder) / "resnet_50.pt", 12)
        for name in taken:
            target = Path(folder) / f"{name}.onnx"
            exporter = OnnxExporter(frozen_norms=name == "frozen")
            exporter.export(model, target, size=(302, 658), frames=list(image))
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
            sessions[name] = onnxruntime.InferenceSession(target, settings, providers=["CPUExecutionProvider"])
    for number in range(rounds + 1):
        for name, session in sessions.items():
            began = time.perf_counter()
            session.run(None, {"image": image})
            if number:
                taken[name].append(1e3 * (time.perf_counter() - began))
    ratio = statistics.median(a / b for a, b in zip(taken["whole"], taken["frozen"], strict=True))
    print(f"\nresnet_50, 658 x 302, {threads} threads, {rounds} rounds, median (fastest):", end=" ")
    print(
        ", ".join(f"{name} {statistics.median(all_):.0f} ms ({min(all_):.0f})" for name, all_ in taken.items()),
        end=". ",
    )
    print(f"Round by round, frozen is {ratio:.2f} times as fast.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pixels(options.steps)
    times(options.rounds, options.threads)


if __name__ == "__main__":
    main()
