"""A long run: memory, threads and descriptors stay, latencies stay; and a leak that is put in on purpose is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faults.row import Row

HOST = Path(__file__).with_name("soak_host.py")
SLOPE = 0.5  # MB a minute
LEAK = 1.0


@dataclass(frozen=True, slots=True)
class Soak:
    """What a run of `seconds` used.

    Attributes:
        slope: of its memory, MB a minute, without the first quarter, by the median of all slopes between two moments
            (Theil and Sen), which a single step does not move.
        growth: MB, from the end of the first quarter to the last sample.
        threads, files: fewest and most, without the first quarter.
        end: counts and latencies.
    """

    seconds: float
    slope: float
    growth: float
    threads: tuple[int, int]
    files: tuple[int, int]
    end: dict[str, float]

    @property
    def is_steady(self) -> bool:
        return self.slope < SLOPE and self.growth < 50


def start(folder: Path, seconds: float, leak: float) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(HOST.parent.parent), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(HOST), str(folder), str(seconds), str(leak)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def result(process: subprocess.Popen[str], seconds: float) -> Soak:
    out, _ = process.communicate(timeout=seconds + 300)
    assert process.returncode == 0, out[-500:]
    *samples, end = (json.loads(line) for line in out.splitlines())
    samples = [sample for sample in samples if 0.25 * seconds <= sample["at"] <= seconds - 1]
    minutes = np.array([sample["at"] for sample in samples]) / 60
    megabytes = np.array([sample["rss"] for sample in samples]) / 2**20
    chosen = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), 500)).astype(int))
    first, second = np.triu_indices(len(chosen), 1)
    at, size = minutes[chosen], megabytes[chosen]
    slope = float(np.median((size[second] - size[first]) / (at[second] - at[first])))
    spans = {
        key: (min(sample[key] for sample in samples), max(sample[key] for sample in samples))
        for key in ("threads", "files")
    }
    return Soak(seconds, slope, float(megabytes[-1] - megabytes[0]), spans["threads"], spans["files"], end)


def soak(seconds: float, leak_seconds: float) -> list[Row]:
    """Both at the same time: the run, and one that leaks 1 MB a minute."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        clean, leaking = start(Path(one), seconds, 0.0), start(Path(other), leak_seconds, LEAK)
        leaked, steady = result(leaking, leak_seconds), result(clean, seconds)
    constant = steady.threads[0] == steady.threads[1] and steady.files[0] == steady.files[1]
    end = steady.end
    length = f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"
    memory = Row(
        f"soak of {length} at 100 frames/s, with tables, video, Kalman, trigger",
        "a session in a process of its own",
        "memory slope < 0.5 MB/min, growth < 50 MB; threads and descriptors constant; counts exact",
        f"{steady.slope:+.2f} MB/min, {steady.growth:+.1f} MB; threads {steady.threads[0]} to {steady.threads[1]}, descriptors "
        f"{steady.files[0]} to {steady.files[1]}; {end['processed']} processed + {end['dropped']} dropped, "
        f"exact: {end['exact']}",
        1,
        steady.is_steady and constant and bool(end["exact"] and end["complete"]),
    )
    caught = Row(
        "the same with a leak of 1 MB/min put in on purpose",
        "a processor that keeps bytes",
        "the same test fails",
        f"{leaked.slope:+.2f} MB/min, {leaked.growth:+.1f} MB in {leak_seconds / 60:.0f} min: "
        f"{'caught' if not leaked.is_steady else 'not caught'}",
        1,
        not leaked.is_steady,
    )
    p50, p999, first, last = (1e3 * end[key] for key in ("p50", "p999", "first_p99", "last_p99"))
    latency = Row(
        f"latency in the soak of {length}",
        "the same run",
        "p99.9 <= 3 x median + 5 ms; p99 of the end within 10 % of the beginning's",
        f"median {p50:.2f} ms, p99.9 {p999:.1f} ms; p99 {first:.2f} ms at the beginning, {last:.2f} ms at the end",
        1,
        p999 <= 3 * p50 + 5 and last <= 1.1 * first,
        True,
    )
    return [memory, caught, latency]
