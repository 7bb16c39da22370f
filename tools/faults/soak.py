"""A long run: memory, threads, descriptors and latencies stay constant, and a deliberate leak is detected."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from typing_extensions import Self

from tools.faults.host_process import HOST_ENVIRONMENT, host_command
from tools.faults.row import Row

SLOPE = 0.5  # MB per minute, the bound
LEAK = 1.0  # MB per minute


@dataclass(frozen=True, slots=True)
class Soak:
    """The resources that a run of `seconds` used.

    Attributes:
        slope: the slope of the memory in MB per minute, without the first quarter. It is the median of the slopes between all
            pairs of samples (Theil-Sen estimator), which a single step does not move.
        growth: the growth of the memory in MB, from the end of the first quarter to the last sample.
        threads, files: the minimum and the maximum, without the first quarter.
        work: processor seconds per second, median of the second quarter and of the last; hardly affected by a busy machine.
        end: the final counts and latencies.
    """

    seconds: float
    slope: float
    growth: float
    threads: tuple[int, int]
    files: tuple[int, int]
    work: tuple[float, float]
    end: dict[str, float]

    @property
    def is_steady(self) -> bool:
        return self.slope < SLOPE and self.growth < 50


class Soaks:
    """Two parallel runs: the soak, and one that leaks 1 MB per minute. Both end with the `with` block.

    Args:
        seconds: the length of the soak.
        leak_seconds: the length of the run that leaks.
    """

    def __init__(self, seconds: float, leak_seconds: float) -> None:
        self._seconds = {0.0: seconds, LEAK: leak_seconds}
        self._folder = tempfile.TemporaryDirectory()
        self._processes: dict[float, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._folder.cleanup()

    def start(self) -> None:
        """Start both. They write to files, because their output is read only when they are done."""
        environment = {**HOST_ENVIRONMENT, "OMP_NUM_THREADS": "1"}
        for leak, seconds in self._seconds.items():
            folder = self._run_folder(leak)
            folder.mkdir()
            with (folder / "output.txt").open("wb") as output:
                command = host_command("soak_host", folder, seconds, leak)
                self._processes[leak] = subprocess.Popen(command, stdout=output, env=environment)

    def _run_folder(self, leak: float) -> Path:
        return Path(self._folder.name) / f"{leak:g}"

    def _result(self, leak: float) -> Soak:
        seconds = self._seconds[leak]
        code = self._processes[leak].wait(timeout=seconds + 300)
        output = (self._run_folder(leak) / "output.txt").read_text()
        assert code == 0, output[-500:]
        return _soak([json.loads(line) for line in output.splitlines()], seconds)

    def rows(self, short: bool) -> list[Row]:
        """Wait for both runs, which are started if they were not, and return the rows."""
        if not self._processes:
            self.start()
        leaked, steady = self._result(LEAK), self._result(0.0)
        return [_memory(steady), _caught(leaked), _drift(steady) if short else _latency(steady)]


def _soak(lines: list[dict[str, float]], seconds: float) -> Soak:
    *samples, end = lines
    samples = [sample for sample in samples if 0.25 * seconds <= sample["at"] <= seconds - 1]
    minutes = np.array([sample["at"] for sample in samples]) / 60
    megabytes = np.array([sample["rss"] for sample in samples]) / 2**20
    indices = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), 500)).astype(int))
    first, second = np.triu_indices(len(indices), 1)
    at, size = minutes[indices], megabytes[indices]
    slope = float(np.median((size[second] - size[first]) / (at[second] - at[first])))
    rates = np.diff([sample["work"] for sample in samples]) / np.diff([sample["at"] for sample in samples])
    part = len(rates) // 3
    spans = [
        (int(min(values)), int(max(values))) for values in ([s[key] for s in samples] for key in ("threads", "files"))
    ]
    work = float(np.median(rates[:part])), float(np.median(rates[-part:]))
    return Soak(seconds, slope, float(megabytes[-1] - megabytes[0]), spans[0], spans[1], work, end)


def _length(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"


def _memory(steady: Soak) -> Row:
    constant = steady.threads[0] == steady.threads[1] and steady.files[0] == steady.files[1]
    end = steady.end
    return Row(
        f"soak of {_length(steady.seconds)} at 100 frames/s, with tables, video, Kalman, trigger",
        "a session in its own process",
        "memory slope < 0.5 MB/min, growth < 50 MB; threads and descriptors constant; counts exact",
        f"{steady.slope:+.2f} MB/min, {steady.growth:+.1f} MB; threads {steady.threads[0]} to {steady.threads[1]}, descriptors "
        f"{steady.files[0]} to {steady.files[1]}; {end['processed']} processed + {end['dropped']} dropped, "
        f"exact: {end['exact']}",
        1,
        steady.is_steady and constant and bool(end["exact"] and end["complete"]),
    )


def _caught(leaked: Soak) -> Row:
    return Row(
        "the same with a deliberate leak of 1 MB/min",
        "a processor that keeps bytes",
        "the same test fails",
        f"{leaked.slope:+.2f} MB/min, {leaked.growth:+.1f} MB in {leaked.seconds / 60:.0f} min: "
        f"{'caught' if not leaked.is_steady else 'not caught'}",
        1,
        not leaked.is_steady,
    )


def _latency(steady: Soak) -> Row:
    p50, p999, first, last = (1e3 * steady.end[key] for key in ("p50", "p999", "first_p99", "last_p99"))
    return Row(
        f"latency in the soak of {_length(steady.seconds)}",
        "the same run",
        "p99.9 <= 3 x median + 5 ms; p99 at the end within 10 % of that at the beginning",
        f"median {p50:.2f} ms, p99.9 {p999:.1f} ms; p99 {first:.2f} ms at the beginning, {last:.2f} ms at the end",
        1,
        True,
        p999 <= 3 * p50 + 5 and last <= 1.1 * first,
    )


def _drift(steady: Soak) -> Row:
    """The work per frame. On a machine busy with the other faults, p99 is not meaningful; a slower loop needs more work."""
    first, last = (10 * work for work in steady.work)
    p50, p999 = 1e3 * steady.end["p50"], 1e3 * steady.end["p999"]
    return Row(
        f"work in the soak of {_length(steady.seconds)}",
        "the same run",
        "processor time per frame at the end <= 1.3 x that at the beginning + 0.1 ms; dropped <= 5 % of processed",
        f"{first:.2f} ms at the beginning, {last:.2f} ms at the end; latency, not judged: median {p50:.2f} ms, "
        f"p99.9 {p999:.1f} ms",
        1,
        last <= 1.3 * first + 0.1 and steady.end["dropped"] <= 0.05 * steady.end["processed"],
    )
