"""Fixtures that run the command line as a separate process and capture its output and exit code."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The line that starts with `error:`. Asserts that it is the only one and that there is no traceback."""
        assert "Traceback" not in self.err, self.err
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def dlclive(tmp_path: Path):
    """Run `dlclive ARGUMENTS...` in an empty folder."""

    def run(*arguments: object, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "dlclive_core", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "NO_COLOR": "1", **environment},
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path, lab: str):
    """Start `dlclive ARGUMENTS...` in an empty folder, with the lab plugin, and return the process."""
    started = []

    def popen(*arguments: object, stderr: int = subprocess.PIPE) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "dlclive_core", *map(str, arguments)],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr, text=True,
            env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": lab},
        )  # fmt: skip
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def model() -> Path:
    """The demo model of the core."""
    pytest.importorskip("dlclive_onnx", reason="running a model needs dlclive-onnx")
    from dlclive_core.demo import MODEL

    return MODEL


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video file: 40 rendered frames, H.264 in mp4."""
    av = pytest.importorskip("av", reason="videos need dlclive-io")
    pytest.importorskip("dlclive_io", reason="videos need dlclive-io")
    from dlclive_core.demo.source import MouseSource

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = MouseSource(seed=11, frames=40)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"crf": "18"}
        for index in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(source.render(index)))))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The test plugin as an installed distribution; returns its folder, for PYTHONPATH."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(Path(__file__).parent / "lab.py", site / "lab.py")
    info = site / "lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dlclive]\nlab = lab\n")
    return str(site)
