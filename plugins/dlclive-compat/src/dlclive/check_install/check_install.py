"""dlc-live-test: whether poses are right on this machine. Needs no network: the model and its video come with dlclive."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive.applications.messages import report, tell
from dlclive_core import DataError, DLCLiveError, PluginCatalog, SourceInfo, install_command

FRAMES = 60
BOUND = 3.0  # px: the demo's network has an error of about 1 px, and its video is compressed
_LIMIT = 600  # seconds
MODEL_NAME, SNAPSHOT_NAME = "mouse", "mouse.onnx"
"""The network that is run: that of `dlclive demo`."""
_VIDEO, _TABLE = "mouse.mp4", "mouse.csv"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table. `text` says what came out, or what failed."""

    name: str
    passed: bool
    text: str


def run_checks(*, display: bool = False) -> list[Check]:
    """Run all checks; one that fails does not stop the others."""
    checks = []
    with tempfile.TemporaryDirectory(prefix="dlc-live-test-") as name:
        folder = Path(name)
        steps: dict[str, Callable[[], tuple[bool, str]]] = {
            "a rendered mouse, against the truth": lambda: _demo(folder),
            "DLCLive on its video": lambda: _poses(folder, display=display),
            "benchmark on its video": lambda: _benchmark(folder),
            "backends": _backends,
        }
        for title, check in steps.items():
            try:
                checks.append(Check(title, *check()))
            except DLCLiveError as error:
                checks.append(Check(title, False, str(error)))
            except Exception as error:  # the table must say it
                checks.append(Check(title, False, f"{type(error).__name__}: {' '.join(str(error).split())}"))
    return checks


def _demo(folder: Path) -> tuple[bool, str]:
    """`dlclive demo`, which also leaves the model, the video and the table for the other checks."""
    command = [
        sys.executable,
        "-m",
        "dlclive_core",
        "demo",
        "--out",
        str(folder),
        "--max-frames",
        str(FRAMES),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode:
        raise DataError(" ".join((done.stderr.strip() or f"exit code {done.returncode}").split()))
    rms = float(json.loads(done.stdout)["accuracy"]["rms_px"])
    return rms <= BOUND, f"error {rms:.2f} px; bound {BOUND} px"


def _poses(folder: Path, *, display: bool) -> tuple[bool, str]:
    """`DLCLive` on the frames of the video."""
    from dlclive import DLCLive

    live = DLCLive(folder / SNAPSHOT_NAME, "onnx", device="cpu", convert2rgb=False, display=display)
    poses, times = [], []
    with PluginCatalog.installed().build(SourceInfo, "video", folder / _VIDEO) as source:
        source.open()
        for number in range(FRAMES):
            image = source.read(10.0).image
            began = time.perf_counter()
            poses.append(live.get_pose(image) if number else live.init_inference(image))
            times.append(time.perf_counter() - began)
    live.close()
    passed, text = _compared(np.stack(poses).astype(np.float64), folder)
    return passed, f"{text}, {1 / np.median(times[1:]):.0f} frames/s"


def _benchmark(folder: Path) -> tuple[bool, str]:
    """`benchmark`, and the table that it leaves."""
    from dlclive.benchmark import benchmark

    times, _, _ = benchmark(
        folder / SNAPSHOT_NAME, "onnx", folder / _VIDEO, device="cpu", n_frames=FRAMES, display=False, save_poses=True
    )
    (table,) = folder.glob("mouse_poses_*.csv")
    passed, text = _compared(_numbers(table, headers=2, index=0), folder)
    return passed and len(times) == FRAMES, text


def _compared(poses: NDArray[np.float64], folder: Path) -> tuple[bool, str]:
    """Against the demo's own table, at the keypoints that both see."""
    expected = _numbers(folder / _TABLE, headers=3, index=1)
    seen = (expected[..., 2] > 0.6) & (poses[..., 2] > 0.6)
    distance = np.hypot(*(poses[seen, axis] - expected[seen, axis] for axis in (0, 1)))
    rms = float(np.sqrt(np.mean(distance**2))) if seen.any() else float("inf")
    return rms <= BOUND, f"{len(poses)} frames, {rms:.2f} px from the demo's poses; bound {BOUND} px"


def _numbers(table: Path, *, headers: int, index: int) -> NDArray[np.float64]:
    """The (T, K, 3) numbers of a table with so many rows of headers and columns of an index."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[headers:]
    values = np.array([[float(cell or "nan") for cell in row[index:]] for row in rows])
    return values.reshape(len(values), -1, 3)


def _backends() -> tuple[bool, str]:
    """What can run models here."""
    from dlclive.utils import get_available_backends

    names = [backend.value for backend in get_available_backends()]
    return bool(names), ", ".join(names) or f"none: {install_command('dlclive-torch')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command dlc-live-test: prints a table and a verdict; the exit code is 1 if a check failed."""
    parser = argparse.ArgumentParser(
        prog="dlc-live-test", description="Check dlclive on this machine: poses of a rendered mouse, against the truth."
    )
    parser.add_argument("--display", action="store_true", help="show the window")
    parser.add_argument("--nodisplay", action="store_true", help="without the window, which is the default")
    options = parser.parse_args(arguments)
    tell("checking, without a network ...")
    try:
        checks = run_checks(display=options.display and not options.nodisplay)
    except KeyboardInterrupt:
        tell("stopped; nothing was left behind")
        return 130
    width = max(len(check.name) for check in checks)
    for check in checks:
        report(f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<{width}}  {check.text}")
    passed = all(check.passed for check in checks)
    report("dlclive works on this machine" if passed else "dlclive does not work as it should: see the lines above")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
