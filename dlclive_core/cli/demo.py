"""`dlclive demo`: the full pipeline on a rendered mouse with known keypoints."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.cli.export import parse_size
from dlclive_core.cli.output import complain, print_json, print_table, stdout
from dlclive_core.cli.progress_bar import show_progress
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.cli.stopped import stopped_line
from dlclive_core.components import Sink
from dlclive_core.demo import MODEL
from dlclive_core.demo.picture import trajectory_picture
from dlclive_core.demo.source import MouseSource
from dlclive_core.errors import DataError, OutputExistsError
from dlclive_core.hookspecs import SinkInfo
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.files import output_folder, write_whole
from dlclive_core.models.load import load_model
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.session import Session, SessionReport

_TRACED = "snout"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Distances to the ground truth over the visible keypoints, in pixels."""

    keypoints: int
    rms_px: float
    median_px: float
    p95_px: float

    @classmethod
    def measure(cls, estimates: NDArray[np.float32], truth: NDArray[np.float32]) -> Accuracy:
        """Compare estimated with true keypoints, both (T, K, 3)."""
        visible = truth[..., 2] > 0
        distance = np.linalg.norm(estimates[visible][:, :2] - truth[visible][:, :2], axis=1)
        rms = float(np.sqrt(np.mean(distance**2)))
        return cls(int(visible.sum()), rms, float(np.median(distance)), float(np.percentile(distance, 95)))


def run_demo(out: Path, frames: int, seed: int, size: str, *, overwrite: bool, json: bool) -> None:
    """Render a mouse, track it, write all outputs, and report the error."""
    catalog = PluginCatalog.installed()
    width, height = parse_size(size, "--size")
    picture, model_copy = out / "trajectory.png", out / MODEL.name
    with output_folder(out), only_writer(picture):
        for file in (picture, model_copy):
            if os.path.lexists(file) and not overwrite:
                raise OutputExistsError(f"{file} already exists; choose another folder with --out, or pass --overwrite")
        _demo(out, frames, seed, (width, height), picture, model_copy, catalog, overwrite=overwrite, json=json)


def _demo(
    out: Path,
    frames: int,
    seed: int,
    size: tuple[int, int],
    picture: Path,
    model_copy: Path,
    catalog: PluginCatalog,
    *,
    overwrite: bool,
    json: bool,
) -> None:
    memory = MemorySink()
    source = MouseSource(seed=seed, frames=frames, size=size)
    with load_model(MODEL, device="cpu", catalog=catalog) as model, StopOnSignal() as signals:
        session = Session(source=source, model=model, sinks=[memory, *_sinks(out, catalog, overwrite=overwrite)])
        with signals.stops(session), show_progress(session, "demo", limit=None):
            report = session.run()
        if signals.received:
            complain(stopped_line("demo", report))
            raise SystemExit(signals.exit_code)
        traced = model.card.skeleton.index(_TRACED)
    _check_sinks(report)
    estimates = np.stack([pose.single() for pose in memory.poses])
    accuracy = Accuracy.measure(estimates, np.stack([source.truth(index) for index in memory.indices]))
    write_whole(model_copy, MODEL.read_bytes(), overwrite=overwrite)  # a model to try the next command with
    trajectory_picture(_first_frame(seed, size), estimates[:, traced, :2], picture, overwrite=overwrite)
    files = [*(path for sink in report.sinks for path in sink.outputs), picture, model_copy]
    if json:
        print_json({"accuracy": asdict(accuracy), "outputs": [str(path) for path in files], "report": report.to_dict()})
    else:
        _print(accuracy, report, files)


def _sinks(out: Path, catalog: PluginCatalog, *, overwrite: bool) -> list[Sink]:
    def build(name: str, file: str, **more: Any) -> Sink:
        sink: Sink = catalog.build(SinkInfo, name, out / file, overwrite=overwrite, **more)
        return sink

    return [
        build("tables", "mouse.h5"),
        build("tables", "mouse.csv"),
        build("timestamps", "mouse_timestamps.csv"),
        build("video", "mouse_labeled.mp4", pcutoff=0.5),
        build("video", "mouse.mp4", draw=False),
    ]


def _check_sinks(report: SessionReport) -> None:
    for sink in report.sinks:
        if sink.error:
            raise DataError(f"{sink.sink} stopped after {sink.written} frames: {sink.error}")


def _first_frame(seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    with MouseSource(seed=seed, frames=1, size=size) as source:
        source.open()
        return source.read(1.0).image


def _print(accuracy: Accuracy, report: SessionReport, files: list[Path]) -> None:
    print_table(
        f"{report.processed} frames on {report.runtime}, {report.device}: {report.fps:.0f} frames/s overall",
        ("stage", "p50 ms", "p95 ms", "p99 ms", "max ms"),
        [
            (stage.stage, f"{stage.p50_ms:.2f}", f"{stage.p95_ms:.2f}", f"{stage.p99_ms:.2f}", f"{stage.max_ms:.2f}")
            for stage in report.stages
            if stage.stage not in ("wait", "latency")  # these include the read-ahead of a recording
        ],
    )
    console = stdout()
    console.print(
        f"Error against the ground truth, {accuracy.keypoints} visible keypoints: root mean square {accuracy.rms_px:.2f} px, "
        f"median {accuracy.median_px:.2f} px, 95th percentile {accuracy.p95_px:.2f} px",
        markup=False,
    )
    console.print("Written: " + ", ".join(str(path) for path in files), markup=False)
    console.print(f"trajectory.png: the path of the {_TRACED}, from its start (blue ring) to its end (yellow dot)")
