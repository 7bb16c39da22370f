"""Which parts of a network are worth eight bits on this CPU: other choices than dlclive-onnx's own, timed and compared in pixels.

    python benchmarks/int8.py MODEL.onnx CLIP [--rounds 12] [--threads 1]

MODEL is a file in fp32 that `dlclive export` wrote; of the frames of the clip every fourth judges, the others calibrate. The files
are timed in turns. Times are of the processor, which a busy machine disturbs least.
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
    """The usual nodes, those convolutions for which the condition holds, and the elementwise steps between them."""

    def choose(graph: onnx.GraphProto) -> list[str]:
        weights = {item.name: item.dims for item in graph.initializer}
        chosen = set(int8_nodes.choose_nodes(graph))
        in_bytes = {name for node in graph.node if node.name in chosen for name in node.output}
        for node in graph.node:
            more = node.op_type == "Conv" and condition(node, weights)
            between = node.op_type in int8_nodes.ELEMENTWISE and bool(in_bytes & set(node.input))
            if more or (between and "heads" not in " ".join(node.input)):
                chosen.add(node.name)
                in_bytes.update(node.output)
        return [node.name for node in graph.node if node.name in chosen]

    return choose


def is_first(node: onnx.NodeProto, weights: dict[str, Any]) -> bool:
    """It sees the image."""
    return node.input[1] in weights and weights[node.input[1]][1] == 3


def is_depthwise(node: onnx.NodeProto, weights: dict[str, Any]) -> bool:
    """Each channel for itself."""
    return node.input[1] in weights and weights[node.input[1]][1] == 1


def convolutions_alone(graph: onnx.GraphProto) -> list[str]:
    """Back to float after each."""
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
    """The exporter with another choice of nodes and other options of ONNX Runtime's quantiser."""
    quantiser.choose_nodes = choose
    quantiser.quantize_static = lambda *words, **given: quantize_static(*words, **{**given, **options})
    try:
        yield
    finally:
        quantiser.choose_nodes, quantiser.quantize_static = int8_nodes.choose_nodes, quantize_static


def processor_time(call: Callable[[NDArray[np.uint8]], object], image: NDArray[np.uint8]) -> float:
    """Milliseconds of all threads."""
    began = time.process_time()
    call(image)
    return 1e3 * (time.process_time() - began)


def main() -> None:
    """Print a Markdown table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("model", type=Path)
    words.add_argument("clip", type=Path)
    words.add_argument("--rounds", type=int, default=12)
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--frames", type=int, default=132, help="of the clip")
    given = words.parse_args()
    frames = spread_frames(source_for(given.clip, PluginCatalog.installed()), given.frames)
    judges, others = frames[::4], [frame for index, frame in enumerate(frames) if index % 4]
    info = system_info()
    print(f"{info['processor']}, {info['cpus']} CPUs, {given.threads} thread; {given.model.name}, {given.clip.name}\n")
    with tempfile.TemporaryDirectory() as folder:
        files = {"fp32": given.model}
        for number, (name, (choose, options)) in enumerate(VARIANTS.items()):
            files[name] = Path(folder) / f"{number}.onnx"
            with variant(choose, options):
                quantiser.OnnxQuantiser().export(given.model, files[name], frames=others)
        models = {name: load_model(file, "onnx", device="cpu", threads=given.threads) for name, file in files.items()}
        times: dict[str, list[float]] = {name: [] for name in models}
        for index in range(-2, given.rounds):
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
                near = compare_models(models["fp32"], model, judges)
                row += f" {near.p50_confident_px:.2f} | {near.p95_confident_px:.2f} | {near.p99_confident_px:.2f} |"
                row += f" {near.max_confident_px:.1f} |"
            print(row if name != "fp32" else f"{row} - | - | - | - |", flush=True)


if __name__ == "__main__":
    main()
