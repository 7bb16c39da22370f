"""Recordings that are killed, disks that are full."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd
from dlclive_io.recovery import recover
from faults.processes import host
from faults.recording import kill_recordings
from faults.row import Row


def killed(runs: int, longest: float = 4.0) -> list[Row]:
    """kill -9 at random moments, and as soon as the recording has begun."""
    with tempfile.TemporaryDirectory() as name:
        at_random = kill_recordings(Path(name) / "random", runs, longest=longest)
        at_once = kill_recordings(Path(name) / "at-once", max(2, runs * 2 // 5), longest=0.1)
    rows = []
    for figures, what, when in (
        (at_random, "kill -9 while recording", f"SIGKILL at a random moment of the first {longest:g} s"),
        (at_once, "kill -9 before or at the first rows", 'SIGKILL within 100 ms of "armed"'),
    ):
        counts = {
            key: figures[key] for key in ("tables open", "video opens", "every video frame has its row", "rows whole")
        }
        lost = figures["seconds lost, at most"]
        assert isinstance(lost, dict)
        good = set(counts.values()) == {figures["runs"]} and max(lost.values()) <= 1.0 and not figures["problems"]
        measured = ", ".join(f"{key} {count}" for key, count in counts.items())
        measured += "; s lost at most: " + ", ".join(f"{key} {seconds:.2f}" for key, seconds in lost.items())
        bound = "journal and video open in all; <= 1 s lost; every video frame has its row; no torn row"
        rows.append(Row(what, when, bound, measured, int(str(figures["runs"])), good))
    return rows


def full_disk(runs: int) -> Row:
    """Tables that cannot grow any more: they are detached, the loop goes on, and what was written can be read."""
    problems, rows = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, host("disk", Path(name)) as process:
            folder = Path(name)
            out, err = process.communicate(timeout=120)
            if process.returncode:
                problems.append(f"exit code {process.returncode}: {err[-200:]}")
                continue
            found = json.loads(out.splitlines()[-1])
            if (
                len(found["events"]) != 2
                or found["last"] < 2900
                or not all("cannot write" in text for _, text in found["events"])
            ):
                problems.append(str(found)[:300])
            recover(folder)
            tables = [
                pd.read_hdf(folder / "poses.h5"),
                pd.read_csv(folder / "poses.csv", header=[0, 1, 2], index_col=0),
            ]
            for table, written in zip(tables, found["written"], strict=False):
                rows.append((len(table.dropna(how="all")), written))
                if written - len(table.dropna(how="all")) > 500:  # a row whose writing raised can be there, too
                    problems.append(f"{len(table)} rows of {written}")
    measured = (
        f"both tables detached with an event, the loop to its end, no signal; rows read / written: {rows[:2]}"
        if not problems
        else problems[0]
    )
    return Row(
        "disk full while recording",
        "RLIMIT_FSIZE of 1 MB",
        "error shown; the loop goes on; rows readable (<= 1 s lost); no signal death",
        measured,
        runs,
        not problems,
    )
