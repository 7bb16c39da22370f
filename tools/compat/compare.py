"""Run the ten scripts and the GUI's worker on deeplabcut-live 1.1.0 and on ours, and write benchmarks/compat.md.

    python -m tools.compat.compare THEIRS QT GUI_FOLDER [--shared FOLDER] [--short]

Run it with the Python of dlclive's environment. THEIRS is the Python of one with deeplabcut-live 1.1.0; QT that of one with
dlclive and PySide6, of the same version of Python as THEIRS; GUI_FOLDER holds the sources of deeplabcut-live-gui. `--short`
takes few frames, and writes nothing. The exit code is 1 if a pose differs by more than its bound, or the processor misses a
frame.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from dlclive_core.machine.system import system_info
from tools.compat.frames_of_video import first_frames
from tools.compat.gui_rows import GuiRow, gui_rows
from tools.compat.script_rows import BOUND, LIKELIHOOD_BOUND, ScriptRow, run_scripts, script_rows

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "benchmarks" / "compat.md"
THEIRS, OURS = "deeplabcut-live 1.1.0", "dlclive"
SHORT_SIZE = (320, 240)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="Compare dlclive with deeplabcut-live")
    parser.add_argument("theirs", help="the Python of an environment with deeplabcut-live 1.1.0")
    parser.add_argument("qt", help="the Python of an environment with dlclive and PySide6")
    parser.add_argument("gui", type=Path, help="the sources of deeplabcut-live-gui")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="the folder with the open field")
    parser.add_argument("--short", action="store_true", help="few small frames; write nothing")
    options = parser.parse_args()
    model = (options.shared / "models" / "openfield_cspnext_s.pt").resolve()
    video = (options.shared / "openfield" / "m3v1mp4.mp4").resolve()
    if not (model.is_file() and video.is_file()):
        print(f"the ten scripts and the GUI's worker were NOT run: {model} or {video} is missing")
        return 0
    with tempfile.TemporaryDirectory(prefix="compat-") as name:
        folder = Path(name)
        frames = first_frames(video, 4 if options.short else 12)
        if options.short:
            frames = np.stack([cv2.resize(frame, SHORT_SIZE) for frame in frames])
            video = _small_video(frames, folder / "small.avi")
        np.savez(folder / "frames.npz", frames=frames)
        scripts = _scripts(options.theirs, model, video, folder)
        gui = _gui(options, model, folder, frames=first_frames(video, 4) if options.short else first_frames(video, 42))
    print("\n".join([*(row.line() for row in scripts), *(row.line() for row in gui)]))
    if not options.short:
        OUT.write_text(_page(scripts, gui), encoding="utf-8")
    broken = [f"{row.name}: {row.broken}" for row in scripts if row.broken]
    broken += [f"the GUI's worker on {row.package}: {row}" for row in gui if row.package == OURS and not row.sees_all]
    print("\n".join(broken) if broken else "every pose and every call of the processor is as it should be")
    return 1 if broken else 0


def _scripts(theirs: str, model: Path, video: Path, folder: Path) -> list[ScriptRow]:
    arguments = [str(model), str(video), str(folder / "frames.npz")]
    run_scripts(theirs, arguments, folder / "old.npz")
    run_scripts(sys.executable, arguments, folder / "new.npz")
    return script_rows(folder / "old.npz", folder / "new.npz")


def _gui(options: argparse.Namespace, model: Path, folder: Path, frames: np.ndarray) -> list[GuiRow]:
    np.savez(folder / "gui.npz", frames=frames)
    where = subprocess.run(
        [options.qt, "-c", "import PySide6, pathlib; print(pathlib.Path(PySide6.__file__).parents[1])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    host = ["-m", "tools.compat.gui_worker", str(options.gui), str(model), str(folder / "gui.npz")]
    commands = {THEIRS: [options.theirs, *host, "--packages", where], OURS: [options.qt, *host]}
    return gui_rows(commands, count=len(frames), block=10, logs=folder)


def _small_video(frames: np.ndarray, path: Path) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, SHORT_SIZE)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def _load() -> str:
    """How busy the machine was."""
    if not hasattr(os, "getloadavg"):  # Windows
        return ""
    return f"The load average was {os.getloadavg()[1]:.0f} on {os.cpu_count()} CPUs."


def _page(scripts: list[ScriptRow], gui: list[GuiRow]) -> str:
    machine = system_info()
    ratio = gui[1].fps / gui[0].fps if gui[0].fps else 0.0
    scripts_table = "\n".join(row.line() for row in scripts)
    gui_table = "\n".join(row.line() for row in gui)
    return f"""# dlclive-compat beside deeplabcut-live 1.1.0

Made by `python -m nox -s compat -- --table` with the open field's network cspnext_s and its video, 640 x 480, on
{machine["processor"]}, {machine["cpus"]} CPUs, torch {version("torch")} and one thread in both environments.
`nox -s compat` also runs the tests of deeplabcut-live-gui 2.0.0 and deeplabcut-live that use `dlclive`;
`tools/compat/expected_failures.py` lists those that fail.

## Ten scripts, run there and here

`tools/compat/scripts.py` has the scripts: code that knows `dlclive` only, and runs unchanged in both environments, on the same
pixels. px and likelihood are the largest differences of any keypoint in any frame; the bounds are {BOUND} px and
{LIKELIHOOD_BOUND}.

| script | what it does | frames | px | likelihood | note |
|---|---|---|---|---|---|
{scripts_table}

## The GUI's own inference worker

`tools/compat/gui_worker.py` runs the worker of deeplabcut-live-gui 2.0.0 without its windows, with a socket processor of the
GUI and one client. Both processes take turns on the same cores, and give the worker each frame as soon as the last one is done.
Calls are those of the processor's `process`; the first frame goes through the network twice in both. On a shared machine only
the ratio of the rates is reliable: {ratio:.2f}. {_load()}

| package | frames | frames/s | calls of the processor | with `frame_time` | messages that the client got | error |
|---|---|---|---|---|---|---|
{gui_table}
"""


if __name__ == "__main__":
    raise SystemExit(main())
