"""Recordings whose process is killed: which files open afterwards, and what is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import av
import pandas as pd
from dlclive_io.recovery.recover import recover

from tools.faults.host_process import HOST_ENVIRONMENT, host_command
from tools.faults.recorder import newest, number_in


@dataclass(frozen=True, slots=True)
class KilledRecording:
    """The state of one killed recording.

    Attributes:
        recorded: the number of frames that the camera delivered.
        seconds: the time from "armed" to the kill.
        frames_lost: the camera's frames after the last one in each file: h5, csv, times, video.
        tables_open, video_opens: whether they open after `recover`. A run killed before its first frame leaves no video.
        rows_match: every video frame has its row of times, and shows the number in that row.
        rows_intact: there is no torn row, and the poses are those of the model.
    """

    recorded: int
    seconds: float
    frames_lost: dict[str, int]
    tables_open: bool
    video_opens: bool
    rows_match: bool
    rows_intact: bool
    problem: str = ""


def kill_while_recording(folder: Path, after: float, *, fps: float = 100.0, suffix: str = ".mkv") -> KilledRecording:
    """Record, kill with SIGKILL `after` seconds after "armed", recover, and check all files."""
    folder.mkdir(parents=True)
    command = host_command("recorder", folder, fps, suffix)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=HOST_ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "armed\n"
        began = time.perf_counter()
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        seconds = time.perf_counter() - began
    report = recover(folder)
    problems = [f"{file.path.name}: {file.error}" for file in report.files if file.error]
    if recover(folder).files:
        problems.append("a second recovery found something")
    last = newest(folder)
    lost: dict[str, int] = {}
    tables_open = video_opens = rows_match = rows_intact = False
    try:
        poses = {
            "h5": pd.read_hdf(folder / "mouse.h5"),
            "csv": pd.read_csv(folder / "mouse.csv", header=[0, 1, 2], index_col=0),
        }
        times = pd.read_csv(folder / "times.csv")
        rows = pd.read_csv(folder / "mouse_timestamps.csv")
        tables_open = True
        for name, table in poses.items():
            lost[name] = last - (int(table.index[-1]) if len(table) else -1)
        lost["times"] = last - (int(times["frame"].iloc[-1]) if len(times) else -1)
        written = [table.dropna(how="all") for table in poses.values()]
        rows_intact = all((table == 1.0).to_numpy().all() for table in written) and not (
            times.isna().to_numpy().any() or rows.isna().to_numpy().any()
        )
        shown = _numbers(folder / f"mouse{suffix}")
        video_opens = True
        lost["video"] = last - (shown[-1] if shown else -1)
        rows_match = rows["frame"].tolist() == shown and rows["video_frame"].tolist() == list(range(len(shown)))
    except (OSError, ValueError, KeyError, AssertionError) as error:
        problems.append(f"{type(error).__name__}: {error}")
    return KilledRecording(
        recorded=last + 1,
        seconds=seconds,
        frames_lost=lost,
        tables_open=tables_open,
        video_opens=video_opens,
        rows_match=rows_match,
        rows_intact=rows_intact,
        problem="; ".join(problems),
    )


def kill_recordings(folder: Path, runs: int, *, longest: float, fps: float = 100.0, seed: int = 0) -> dict[str, object]:
    """Kill `runs` recordings, each at a random moment up to `longest` seconds after "armed"; return figures for the report.

    Fifty runs with `longest=4` take about three minutes. With `longest=0.1` they are killed right after the start.
    """
    rng = random.Random(seed)
    results = [
        kill_while_recording(folder / f"run-{number}", rng.uniform(0, longest), fps=fps) for number in range(runs)
    ]
    names = sorted({name for run in results for name in run.frames_lost})
    return {
        "runs": runs,
        "tables open": sum(run.tables_open for run in results),
        "video opens": sum(run.video_opens for run in results),
        "every video frame has its row": sum(run.rows_match for run in results),
        "rows intact": sum(run.rows_intact for run in results),
        "seconds lost, at most": {
            name: round(max(run.frames_lost.get(name, 0) for run in results) / fps, 3) for name in names
        },
        "frames": sum(run.recorded for run in results),
        "problems": [run.problem for run in results if run.problem],
    }


def _numbers(video: Path) -> list[int]:
    """The numbers drawn in the frames of a video; empty if a run without frames left no video."""
    if not video.exists():
        return []
    with av.open(str(video)) as container:
        return [number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
