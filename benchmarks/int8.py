"""The parts of a network for which int8 pays off on this CPU: alternatives to dlclive-onnx's choice, in time and pixels.

    python benchmarks/int8.py MODEL.onnx CLIP [--rounds 12] [--threads 1]

MODEL is an fp32 file that `dlclive export` wrote. Every fourth frame of the clip is held out for the comparison; the others are for
calibration. The files are timed in turns, in processor time, which a busy machine affects least.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlclive_onnx.export as quantiser
import numpy as np
import onnx
from dlclive_onnx import int8_nodes
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_static

from dlclive_core import PluginCatalog, compare_models, load_model
from dlclive_core.machine.system import system_info
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.spread_frames import spread_frames

Choose = Callable[[onnx.GraphProto], list[str]]


def also(condition: Callable[[onnx.NodeProto, dict[str, Any]], bool]) -> Choose:
    """The default nodes, the convolutions that meet the condition, and the elementwise operators between them."""

    def choose(graph: onnx.GraphProto) -> list[str]:
        weights = {item.name: item.dims for item in graph.initializer}
        selected = set(int8_nodes.choose_nodes(graph))
        in_bytes = {name for node in graph.node if node.name in selected for name in node.output}
        for node in graph.node:
            more = node.op_type == "Conv" and condition(node, weights)
            between = node.op_type in int8_nodes.ELEMENTWISE and bool(in_bytes & set(node.input))
            if more or (between and "heads" not in " ".join(node.input)):
                selected.add(node.name)
                in_bytes.update(node.output)
        return [node.name for node in graph.node if node.name in selected]

    return choose


def is_first(node: onnx.NodeProto, weights: dict[str, Any]) -> bool:
    """Whether the input of the convolution is the image."""
    return node.input[1] in weights and weights[node.input[1]][1] == 3


def is_depthwise(node: onnx.NodeProto, weights: dict[str, Any]) -> bool:
    """Whether the convolution is depthwise."""
    return node.input[1] in weights and weights[node.input[1]][1] == 1


def convolutions_alone(graph: onnx.GraphProto) -> list[str]:
    """Only the convolutions; everything between them is in float."""
    kinds = {node.name: node.op_type for node in graph.node}
    return [name for name in int8_nodes.choose_nodes(graph) if kinds[name] == "Conv"]


VARIANTS: dict[str, tuple[Choose, dict[str, Any]]] = {
    "int8, as exported": (int8_nodes.choose_nodes, {}),
    "and the first convolution": (also(is_first), {}),
    "and depthwise convolutions": (also(is_depthwise), {}),
    "convolutions alone, float between them": (convolutions_alone, {}),
    "signed activations": (int8_nodes.choose_nodes, {"activation_type": QuantType.QInt8}),
}


@contextmanager
def variant(choose: Choose, options: dict[str, Any]) -> Iterator[None]:
    """Patch the exporter with another choice of nodes and other options of ONNX Runtime's quantiser."""
    quantiser.choose_nodes = choose
    quantiser.quantize_static = lambda *args, **kwargs: quantize_static(*args, **{**kwargs, **options})
    try:
        yield
    finally:
        quantiser.choose_nodes, quantiser.quantize_static = int8_nodes.choose_nodes, quantize_static


def processor_time(call: Callable[[NDArray[np.uint8]], object], image: NDArray[np.uint8]) -> float:
    """The processor time of all threads, in milliseconds."""
    began = time.process_time()
    call(image)
    return 1e3 * (time.process_time() - began)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=132, help="number of frames of the clip to use")
    arguments = parser.parse_args()
    frames = spread_frames(source_for(arguments.clip, PluginCatalog.installed()), arguments.frames)
    held_out, calibration = frames[::4], [frame for index, frame in enumerate(frames) if index % 4]
    info = system_info()
    print(
        f"{info['processor']}, {info['cpus']} CPUs, {arguments.threads} thread; {arguments.model.name}, {arguments.clip.name}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        files = {"fp32": arguments.model}
        for number, (name, (choose, options)) in enumerate(VARIANTS.items()):
            files[name] = Path(folder) / f"{number}.onnx"
            with variant(choose, options):
                quantiser.OnnxQuantiser().export(arguments.model, files[name], frames=calibration)
        models = {
            name: load_model(file, "onnx", device="cpu", threads=arguments.threads) for name, file in files.items()
        }
        times: dict[str, list[float]] = {name: [] for name in models}
        for index in range(-2, arguments.rounds):
            for name, model in models.items():
                taken = processor_time(model.predict, frames[index % len(frames)])
                if index >= 0:
                    times[name].append(taken)
        print(
            "| | MB | ms | of fp32 | median, px | 95th percentile | 99th | largest |\n|---|---|---|---|---|---|---|---|"
        )
        for name, model in models.items():
            share = statistics.median(a / b for a, b in zip(times[name], times["fp32"], strict=True))
            size = files[name].stat().st_size / 1e6
            row = f"| {name} | {size:.1f} | {statistics.median(times[name]):.1f} | {share:.2f} |"
            if name != "fp32":
                parity = compare_models(models["fp32"], model, held_out)
                row += (
                    f" {parity.p50_confident_px:.2f} | {parity.p95_confident_px:.2f} | {parity.p99_confident_px:.2f} |"
                )
                row += f" {parity.max_confident_px:.1f} |"
            print(row if name != "fp32" else f"{row} - | - | - | - |", flush=True)


if __name__ == "__main__":
    main()
