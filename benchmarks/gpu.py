"""The speed of networks on a GPU, from a numpy frame to a numpy pose.

    python benchmarks/gpu.py [--device cuda] [--frames 2000]
    python benchmarks/gpu.py --device cpu --frames 4 --size 160x128     # only to check that it runs

Needs no data: the networks have random weights and the images are noise. Every call ends with the pose in host memory, so the times
include all GPU work. The variants take turns in blocks of frames; only warm-up calls are discarded. A variant that is not installed
or does not work here is skipped with the reason.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from untrained import write_resnet_50, write_rtmpose_m

from dlclive_core import DLCLiveError, PluginCatalog, PoseModel, export_model, load_model
from dlclive_core.benchmark.peak import Peak, measure_peak
from dlclive_core.machine.system import system_info

WARM_UP = 8
BLOCK = 25
ANIMALS = 8


@dataclass
class Measured:
    """A way to run a network, and its results."""

    name: str
    precision: str
    call: Callable[[int], NDArray[np.float32]]
    model: PoseModel
    operations: float = float("nan")
    times: list[float] = field(default_factory=list)
    poses: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """The median time in milliseconds."""
        return float(np.median(self.times))

    def cells(self, first: Measured, peak: Peak, *, same: bool) -> list[str]:
        """The cells of the table row, compared with the first row. `same`: both predict the same keypoints."""
        p95, p99 = np.percentile(self.times, (95, 99))
        share = self.operations / (self.p50 * 1e-3) / peak.flops.get(self.precision, float("nan"))
        off = (
            np.nanmedian(np.linalg.norm((np.array(self.poses) - np.array(first.poses))[..., :2], axis=-1))
            if same
            else 0
        )
        return [
            self.name,
            self.model.device,
            f"{self.p50:.3f}",
            f"{p95:.3f}",
            f"{p99:.3f}",
            f"{p99 / self.p50:.2f}",
            f"{first.p50 / self.p50:.2f}",
            "" if np.isnan(share) else f"{share:.1%}",
            f"{off:.3f}" if same else "",
        ]


HEADER = (
    "network, runtime",
    "device",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "p99/p50",
    "x first row",
    "of peak",
    "median px off",
)


def take_turns(ways: Sequence[Measured], frames: int) -> None:
    """Run all ways on the same frames, a block each in turn; each turn starts with a call that is not timed."""
    for way in ways:
        for index in range(WARM_UP):
            way.call(index)
    for start in range(0, frames, BLOCK):
        for way in ways:
            way.call(start)
            for index in range(start, min(start + BLOCK, frames)):
                began = time.perf_counter()
                pose = way.call(index)
                way.times.append(1e3 * (time.perf_counter() - began))
                way.poses.append(pose)


def show(title: str, ways: Sequence[Measured], frames: int, device: str, *, same: bool = False) -> None:
    """Measure, and print a Markdown table."""
    print(f"\n## {title}\n")
    if not ways:
        return
    take_turns(ways, frames)
    peak = measure_peak(device, PluginCatalog.installed())
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}")
    for way in ways:
        print(f"| {' | '.join(way.cells(ways[0], peak, same=same))} |")
        way.model.close()
    print(f"\n{frames} frames each, taking turns. Peak: {peak.how}.")


def whole_images(name: str, path: Path, images: NDArray[np.uint8], **options: Any) -> Measured | None:
    """A network for whole images; None if it cannot be loaded, and the reason is printed."""
    model = attempt(name, lambda: load_model(path, **options))
    if model is None:
        return None
    operations = model.network.operations(images[:1])  # type: ignore[attr-defined]
    precision = model.card.precision

    def call(index: int) -> NDArray[np.float32]:
        return model.predict(images[index % len(images)]).keypoints

    return Measured(name, precision, call, model, operations)


def attempt(name: str, make: Callable[[], Any]) -> Any:
    """The result of `make`; None if it fails, and the reason is printed."""
    try:
        return make()
    except DLCLiveError as error:
        print(f"- skipped: {name}: {error}")
        return None


def runtimes(folder: Path, device: str, images: NDArray[np.uint8]) -> list[Measured]:
    """One network on all runtimes and precisions."""
    model = write_resnet_50(folder / "resnet_50.pt", 12)
    parity_frames = list(images[:2])
    torch_ways: list[tuple[str, dict[str, Any]]] = [
        ("torch fp32, eager", {"precision": "fp32", "cuda_graph": False}),
        ("torch fp32, graph", {"precision": "fp32"}),
        ("torch fp16, eager", {"precision": "fp16", "cuda_graph": False}),
        ("torch fp16, graph", {"precision": "fp16"}),
        ("torch bf16, graph", {"precision": "bf16"}),
    ]
    ways = [
        whole_images(name, model, images, runtime="torch", device=device, **options) for name, options in torch_ways
    ]
    for precision in ("fp32", "fp16") if device != "cpu" else ("fp32",):
        target = folder / f"{precision}.onnx"
        # Random networks have no confident keypoints: an undecided one may be anywhere, so any difference is allowed.
        export = attempt(
            f"ONNX {precision}",
            lambda t=target, p=precision: export_model(
                model, t, precision=p, size=(images.shape[2], images.shape[1]), frames=parity_frames, max_error=1e9
            ),
        )
        if export is None:
            continue
        options = {"cuda_graph": True} if device != "cpu" else {}
        ways.append(whole_images(f"ONNX Runtime {precision}", target, images, runtime="onnx", device=device, **options))
        engine = target.with_suffix(".engine")
        name = f"TensorRT {precision}"
        if device == "cpu":
            print(f"- skipped: {name}: it runs only on NVIDIA GPUs")
        elif attempt(
            name,
            lambda t=target, e=engine, p=precision: export_model(
                t, e, precision=p, frames=parity_frames, max_error=1e9
            ),
        ):
            ways.append(whole_images(name, engine, images, runtime="tensorrt", device=device))
    return [way for way in ways if way is not None]


def body_parts(folder: Path, device: str, precision: str, images: NDArray[np.uint8]) -> list[Measured]:
    """Networks with 10 and 100 body parts."""
    ways = []
    for count in (10, 100):
        path = write_resnet_50(folder / f"{count}.pt", count)
        way = whole_images(f"{count} body parts", path, images, runtime="torch", device=device, precision=precision)
        if way is not None:
            ways.append(way)
    return ways


def animals(folder: Path, device: str, precision: str) -> list[Measured]:
    """One and eight animals, in crops of one frame."""
    path = write_rtmpose_m(folder / "rtmpose_m.pt", 17, ANIMALS)
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    corners = [(x, y) for y in (0, 200) for x in (0, 120, 240, 360)]
    boxes = np.array([[x, y, x + 256, y + 256] for x, y in corners], np.float32)
    ways = []
    for count in (1, ANIMALS):
        model = attempt(f"{count} animals", lambda: load_model(path, "torch", device=device, precision=precision))
        if model is None:
            continue
        frame_boxes = boxes[:count]
        operations = model.network.operations(np.zeros((count, 256, 256, 3), np.uint8))

        def call(_: int, model: PoseModel = model, boxes: NDArray[np.float32] = frame_boxes) -> NDArray[np.float32]:
            return model.predict(image, boxes=boxes).keypoints

        ways.append(Measured(f"{count} animals", precision, call, model, operations))
    return ways


def main() -> None:
    """Print the tables of gpu.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--size", default="658x302", help="WIDTHxHEIGHT")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.exit(
            2, "PyTorch finds no CUDA GPU; to check that the script runs: --device cpu --frames 4 --size 160x128\n"
        )
    width, height = (int(side) for side in options.size.split("x"))
    images = np.random.default_rng(0).integers(0, 256, (16, height, width, 3), dtype=np.uint8)
    device = options.device
    half = "fp32" if device == "cpu" else "fp16"
    machine = torch.cuda.get_device_name(device) if device != "cpu" else platform.processor() or platform.machine()
    packages = system_info()["packages"].items()  # type: ignore[attr-defined]
    versions = ", ".join(f"{name} {version}" for name, version in packages if "torch" in name or "onnx" in name)
    print(f"{machine}; {versions}; CUDA {torch.version.cuda}")
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng():
        folder = Path(name)
        show(
            f"resnet_50, 12 body parts, {width} x {height}",
            runtimes(folder, device, images),
            options.frames,
            device,
            same=True,
        )
        show(f"Body parts, torch {half}", body_parts(folder, device, half, images), options.frames, device)
        show(f"Animals, rtmpose_m, torch {half}", animals(folder, device, half), options.frames, device)


if __name__ == "__main__":
    main()
