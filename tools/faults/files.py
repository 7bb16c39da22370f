"""Killed recordings and full disks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd
from dlclive_io.recovery.recover import recover

from tools.faults.processes import host
from tools.faults.recording import kill_recordings
from tools.faults.row import Row


def killed(runs: int, longest: float) -> Row:
    """kill -9 at a random moment of the first `longest` seconds."""
    with tempfile.TemporaryDirectory() as name:
        figures = kill_recordings(Path(name), runs, longest=longest)
    counts = {
        key: figures[key] for key in ("tables open", "video opens", "every video frame has its row", "rows intact")
    }
    lost = figures["seconds lost, at most"]
    assert isinstance(lost, dict)
    measured = ", ".join(f"{key} {count}" for key, count in counts.items())
    measured += "; s lost at most: " + ", ".join(f"{key} {seconds:.2f}" for key, seconds in lost.items())
    return Row(
        "kill -9 while recording" if longest > 1 else "kill -9 before or at the first rows",
        f'SIGKILL at a random moment of the first {longest:g} s after "armed"',
        "journal and video open in all; <= 1 s lost; every video frame has its row; no torn row",
        measured,
        runs,
        set(counts.values()) == {runs} and not figures["problems"],
        max(lost.values()) <= 1.0,
    )


def full_disk(runs: int) -> Row:
    """Tables that cannot grow: they are detached, the loop continues, and the written rows are readable."""
    problems, rows = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, host("disk", Path(name)) as process:
            folder = Path(name)
            out, err = process.communicate(timeout=120)
            if process.returncode:
                problems.append(f"exit code {process.returncode}: {err[-200:]}")
                continue
            result = json.loads(out.splitlines()[-1])
            if (
                len(result["events"]) != 2
                or result["last"] < 2900
                or not all("cannot write" in text for _, text in result["events"])
            ):
                problems.append(str(result)[:300])
            recover(folder)
            tables = [
                pd.read_hdf(folder / "poses.h5"),
                pd.read_csv(folder / "poses.csv", header=[0, 1, 2], index_col=0),
            ]
            for table, written in zip(tables, result["written"], strict=False):
                rows.append((len(table.dropna(how="all")), written))
                if written - len(table.dropna(how="all")) > 500:  # a row whose write raised may be readable, too
                    problems.append(f"{len(table)} rows of {written}")
    measured = (
        f"both tables detached with an event, loop completed, no signal; rows read / written: {rows[:2]}"
        if not problems
        else problems[0]
    )
    return Row(
        "disk full while recording",
        "RLIMIT_FSIZE of 1 MB",
        "error shown; the loop continues; rows readable (<= 1 s lost); not killed by a signal",
        measured,
        runs,
        not problems,
    )
