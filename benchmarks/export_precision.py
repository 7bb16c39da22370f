"""How far fp32 is from float64 in each runtime, with the instructions of this processor and with those of an AVX2 one.

    python benchmarks/export_precision.py SHARED cspnext_x dekr_w32 [--frames 2] [--open-field]
    python benchmarks/export_precision.py MODEL.pt --clip CLIP

SHARED is the folder with `golden`, whose reference networks are named after it. Every network answers for the frames on which
`dlclive export` compares, or with --open-field for the picture that its reference was given; each way of computing runs in a process of its own, one thread, and its poses are compared with
those of PyTorch in float64. Without a second machine, AVX2 is imitated on one with AVX-512: PyTorch and oneDNN take it from
the environment; of ONNX Runtime a temporary copy is made whose question to the processor which registers the system saves
(`xgetbv`) is answered with "AVX". That is the real code for AVX2, on another processor.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import load_model
from dlclive_core.export.frames import choose_frames
from dlclive_core.export.parity import Answer, answers
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.spread_frames import spread_frames
from tests.golden_cases import read_case

AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
XGETBV = b"\x31\xc9\x0f\x01\xd0"  # xor ecx, ecx; xgetbv
SAYS_AVX = b"\x31\xc9\x6a\x07\x58"  # xor ecx, ecx; push 7; pop rax: x87, SSE and AVX, no AVX-512


@dataclass(frozen=True, slots=True)
class Way:
    """One way of computing a network: the runtime, its precision, and what else distinguishes it."""

    name: str
    runtime: str
    precision: str = "fp32"
    environment: Mapping[str, str] = field(default_factory=dict)
    optimised: bool = True
    imitates_avx2: bool = False


WAYS = (
    Way("PyTorch, float64", "torch", "fp64"),
    Way("PyTorch", "torch"),
    Way("PyTorch, AVX2", "torch", environment=AVX2),
    Way("PyTorch, AVX2 without oneDNN's", "torch", environment={**AVX2, "ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Way("ONNX Runtime", "onnx"),
    Way("ONNX Runtime, graph as written", "onnx", optimised=False),
    Way("ONNX Runtime, AVX2", "onnx", imitates_avx2=True),
    Way("ONNX Runtime, AVX2, graph as written", "onnx", optimised=False, imitates_avx2=True),
    Way("OpenVINO", "openvino"),
)


def main() -> None:
    if sys.argv[1:2] == ["--way"]:
        run_way(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .pt file, or the folder with the reference networks")
    parser.add_argument("cases", nargs="*", help="names of reference networks")
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--open-field", action="store_true", help="the picture of the reference networks")
    parser.add_argument("--clip", type=Path, help="frames of a video instead of rendered ones")
    options = parser.parse_args()
    print(
        "| network | computed by | px, 95th percentile | px, largest | confidence, largest |\n|---|---|---|---|---|",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="dlclive-precision-") as name:
        folder = Path(name)
        imitate_avx2(folder)
        if not options.cases:
            catalog = PluginCatalog.installed()
            clip = None if options.clip is None else spread_frames(source_for(options.clip, catalog), options.frames)
            measure(options.model, folder, clip, options.frames)
        for name in options.cases:
            case = read_case(options.model, name, folder)
            measure(case.path, folder, [case.image] if options.open_field else None, options.frames)


def measure(model: Path, folder: Path, clip: Sequence[NDArray[np.uint8]] | None, count: int) -> None:
    """Print a table's rows for one network, on these frames or on rendered ones."""
    from dlclive_torch.export import OnnxExporter

    exported = folder / f"{model.stem}.onnx"
    OnnxExporter().export(model, exported)
    with load_model(model, "torch", device="cpu") as network:
        frames = choose_frames(network, clip, None, calibrate=False).compared[:count]
    (folder / "frames").write_bytes(pickle.dumps([np.asarray(frame) for frame in frames]))
    exact: list[Answer] | None = None
    for way in WAYS:
        file = model if way.runtime == "torch" else exported
        path = os.pathsep.join(
            [*([str(folder / "avx2")] if way.imitates_avx2 else []), os.environ.get("PYTHONPATH", "")]
        )
        command = [sys.executable, __file__, "--way", way.name, str(file), str(folder)]
        subprocess.run(
            command, env={**os.environ, **way.environment, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, check=True
        )
        answers = pickle.loads((folder / "answers").read_bytes())
        if exact is None:
            exact = answers
        else:
            print(f"| {model.stem} | {way.name} | {row(exact, answers)} |", flush=True)
    assert exact is not None
    points = np.concatenate([answer.pose.keypoints.reshape(-1, 3) for answer in exact])
    points = points[np.isfinite(points[:, 0])]
    print(
        f"| {model.stem} | {len(points)} keypoints, the farthest at {np.abs(points[:, :2]).max(initial=0):.0f} px, confidences "
        f"up to {points[:, 2].max(initial=0):.3g} | | | |"
    )


def row(exact: Sequence[Answer], answers: Sequence[Answer]) -> str:
    """The differences between two models' answers."""
    pairs = [(a.pose.keypoints, b.pose.keypoints) for a, b in zip(exact, answers, strict=True)]
    px = np.concatenate([np.hypot(*(a - b)[..., :2].reshape(-1, 2).T) for a, b in pairs])
    px = np.where(np.isfinite(px), px, 0)
    confidence = max(float(np.abs(a - b)[..., 2].max()) for a, b in pairs)
    return f"{np.quantile(px, 0.95):.5f} | {px.max():.5f} | {confidence:.6f}"


def run_way(name: str, file: str, folder: str) -> None:
    """In a process of its own: answer for the frames, and leave the answers in the folder."""
    way = next(way for way in WAYS if way.name == name)
    if way.runtime == "onnx":
        _set_level(optimised=way.optimised)
    frames = pickle.loads((Path(folder) / "frames").read_bytes())
    with load_model(file, way.runtime, device="cpu", precision=way.precision, threads=1) as model:
        (Path(folder) / "answers").write_bytes(pickle.dumps(answers(model, frames)))


def _set_level(*, optimised: bool) -> None:
    """Let the ONNX runtime run graphs as they are in the file; it has no option for this."""
    import onnxruntime
    from dlclive_onnx.runtime import CpuOptions

    session_options = CpuOptions.session_options

    def with_level(self: CpuOptions) -> Any:
        options = session_options(self)
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return options

    CpuOptions.session_options = with_level


def imitate_avx2(folder: Path) -> None:
    """Copy ONNX Runtime, with the processor's AVX-512 hidden from it."""
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    source, target = Path(spec.origin).parent, folder / "avx2" / "onnxruntime"
    (target / "capi").mkdir(parents=True)
    for item in [*source.iterdir(), *(source / "capi").iterdir()]:
        copy = target / item.relative_to(source)
        if item.name == "capi":
            continue
        if item.name.startswith("onnxruntime_pybind11_state"):
            library = item.read_bytes()
            assert library.count(XGETBV), "this build of onnxruntime asks the processor in another way"
            copy.write_bytes(library.replace(XGETBV, SAYS_AVX))
        elif item.suffix == ".py":
            copy.write_bytes(item.read_bytes())  # the package finds its library beside its own file
        else:
            copy.symlink_to(item)


if __name__ == "__main__":
    main()
