"""PyTorch on the CPU: fp32 and bf16, eager and compiled, compared with the exported file on ONNX Runtime.

    python benchmarks/torch_cpu.py [MODEL.pt] [--size 658x302] [--seconds 40] [--threads 1]

The default model is DeepLabCut's untrained resnet_50. All take turns on the same image. Compiling needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from dlclive_torch.export import OnnxExporter
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.load import load_deeplabcut
from torch import Tensor
from untrained import write_resnet_50


def network(path: Path, dtype: torch.dtype) -> KeypointGraph:
    """The network as loaded by the runtime."""
    return load_deeplabcut(path, dtype=dtype).graph.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def exported(path: Path, folder: Path, size: tuple[int, int], threads: int) -> Callable[[Tensor], Any]:
    """The exported network on ONNX Runtime."""
    OnnxExporter().export(path, folder / "model.onnx", size=size)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = threads
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(folder / "model.onnx", settings, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image.numpy()})


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--size", default="658x302", help="WIDTHxHEIGHT")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    torch.set_num_threads(options.threads)
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8))
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        path = options.model or write_resnet_50(Path(name) / "resnet_50.pt", 12)
        freezing = {"freezing": True}
        ways: dict[str, Callable[[Tensor], Any]] = {
            "torch fp32": network(path, torch.float32),
            "torch bf16": network(path, torch.bfloat16),
            "torch fp32, compiled": torch.compile(network(path, torch.float32), dynamic=False, options=freezing),
            "torch bf16, compiled": torch.compile(network(path, torch.bfloat16), dynamic=False, options=freezing),
            "ONNX Runtime fp32": exported(path, Path(name), (width, height), options.threads),
        }
        first, times = {}, {way: [] for way in ways}
        for way, run in ways.items():
            began = time.perf_counter()
            run(image)
            first[way] = time.perf_counter() - began
            run(image)
        end = time.perf_counter() + options.seconds
        while time.perf_counter() < end:
            for way, run in ways.items():
                began = time.perf_counter()
                run(image)
                times[way].append(1e3 * (time.perf_counter() - began))
    print("| | first call s | median ms (fastest) | torch fp32 / this, round by round |\n|---|---|---|---|")
    for way, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(times["torch fp32"], taken, strict=True))
        print(f"| {way} | {first[way]:.1f} | {statistics.median(taken):.0f} ({min(taken):.0f}) | {ratio:.2f} |")


if __name__ == "__main__":
    main()
