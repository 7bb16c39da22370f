"""`dlclive doctor`: checks the machine and the installation, without a network connection."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dlclive_core.cli.output import print_json, print_table
from dlclive_core.errors import DLCLiveError, PluginError
from dlclive_core.hookspecs import RuntimeInfo, SinkInfo, SourceInfo
from dlclive_core.machine.known_packages import INSTALL_FILES, INSTALL_RUNTIME
from dlclive_core.machine.system import system_info
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

_FRAMES = 20
_MAX_RMS_PX = 5.0  # far above the demo model's error, far below that of a broken runtime


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `state` is ok, warning or broken."""

    what: str
    state: str
    detail: str


def run_doctor(*, json: bool) -> int:
    """Run all checks, print the findings, and return the exit code."""
    catalog = PluginCatalog.installed()
    findings = [_python(), *_plugins(catalog), *_runtimes(catalog), _pose(catalog), _files(catalog)]
    broken = any(finding.state == "broken" for finding in findings)
    if json:
        print_json({"system": system_info(), "findings": [asdict(finding) for finding in findings], "ok": not broken})
    else:
        print_table("dlclive doctor", ("what", "state", "detail"), [(f.what, f.state, f.detail) for f in findings])
    return PluginError.exit_code if broken else 0


def _python() -> Finding:
    info = system_info()
    return Finding("machine", "ok", f"Python {sys.version.split()[0]}, {info['platform']}, {info['cpus']} CPUs")


def _plugins(catalog: PluginCatalog) -> list[Finding]:
    states = {"ready": "ok", "incomplete": "warning", "blocked": "warning"}
    return [
        Finding(
            f"plugin {plugin.name}",
            states.get(plugin.status, "broken"),
            plugin.error or f"{plugin.distribution} {plugin.version}",
        )
        for plugin in catalog.plugins
    ]


def _runtimes(catalog: PluginCatalog) -> list[Finding]:
    ready = [info for info in catalog.components(RuntimeInfo) if not missing_requirements(info)]
    if not ready:
        return [Finding("runtimes", "broken", f"no runtime is installed; run: {INSTALL_RUNTIME}")]
    return [_attempt(f"runtime {info.name}", partial(_import, catalog, info)) for info in ready]


def _import(catalog: PluginCatalog, info: RuntimeInfo) -> str:
    return str(catalog.factory(info).__name__)


def _pose(catalog: PluginCatalog) -> Finding:
    """Track the rendered mouse with the demo model and compare with the ground truth."""

    def estimate() -> str:
        from dlclive_core.demo import MODEL
        from dlclive_core.demo.source import MouseSource
        from dlclive_core.models.load import load_model
        from dlclive_core.session import Session

        source, memory = MouseSource(seed=3, frames=_FRAMES), MemorySink()
        with load_model(MODEL, profile=None, catalog=catalog) as model:
            report = Session(source=source, model=model, sinks=[memory]).run()
        estimates = np.stack([pose.single() for pose in memory.poses])
        truth = np.stack([source.truth(index) for index in memory.indices])
        visible = truth[..., 2] > 0
        rms = float(np.sqrt(np.mean(np.sum((estimates - truth)[visible][:, :2] ** 2, axis=1))))
        if not rms < _MAX_RMS_PX:
            raise PluginError(
                f"the demo model is off by {rms:.1f} px on {report.device}: the runtime gives wrong results"
            )
        inference = next(stage for stage in report.stages if stage.stage == "inference")
        return f"error {rms:.2f} px, {inference.p50_ms:.1f} ms per frame on {report.runtime}, {report.device}"

    return _attempt("a pose", estimate)


def _files(catalog: PluginCatalog) -> Finding:
    """Write a table and a video to a temporary folder, and read the video back."""

    def write() -> str:
        from dlclive_core.session import Session
        from dlclive_core.testing import BlobModel, BlobSource

        names = [info.name for info in catalog.components(SinkInfo)]
        if "tables" not in names or "video" not in names:
            raise PluginError(f"no installed plugin writes tables and videos; run: {INSTALL_FILES}")
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder) / "doctor.mp4"
            sinks = [
                catalog.build(SinkInfo, "tables", Path(folder) / "doctor.h5"),
                catalog.build(SinkInfo, "video", video),
            ]
            report = Session(source=BlobSource(frames=_FRAMES), model=BlobModel(), sinks=sinks).run()
            for sink in report.sinks:
                if sink.error:
                    raise PluginError(f"{sink.sink}: {sink.error}")
            with catalog.build(SourceInfo, "video", video) as source:
                source.open()
                source.read(1.0)
        return "wrote a table and a video, and read the video back"

    return _attempt("files", write)


def _attempt(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "ok", check())
    except DLCLiveError as error:
        return Finding(what, "broken", str(error))
    except Exception as error:  # any exception is a finding
        return Finding(what, "broken", f"{type(error).__name__}: {error}")
