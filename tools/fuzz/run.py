"""A campaign against one target: several processes, watched; what fails is kept, and the process is started again behind it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tools.fuzz.targets import target
from tools.fuzz.worker import Worker

SECONDS = 10.0
"""The longest that one input may take."""

_ENOUGH = 100  # failures, after which a campaign ends


@dataclass(slots=True)
class Result:
    """What a campaign found.

    Attributes:
        inputs, read, refused: how many inputs, how many were read, how many were refused by an error of ours.
        failures: index -> what happened, for all others.
        slowest: seconds of the slowest input that ended.
        grown: KB that the largest process grew by.
    """

    inputs: int = 0
    read: int = 0
    refused: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    grown: int = 0

    @property
    def kinds(self) -> Counter[str]:
        """The last lines of the failures."""
        return Counter(text.strip().splitlines()[-1][:200] for text in self.failures.values())


def run(name: str, count: int, seed: int, processes: int = 2, seconds: float = SECONDS) -> Result:
    """Try a target's inputs 0 .. count - 1; one that takes longer than `seconds` has failed."""
    result = Result()
    running = [_started(name, first, count, processes, seed) for first in range(min(processes, count))]
    while running:
        time.sleep(0.02)
        for worker in list(running):
            ended = not worker.process.is_alive()
            stuck = not ended and worker.index.value >= 0 and time.monotonic() - worker.began.value > seconds
            if not (ended or stuck):
                continue
            running.remove(worker)
            following = _finish(worker, result, f"longer than {seconds:g} s" if stuck else "")
            if following is not None and len(result.failures) < _ENOUGH:
                running.append(_started(name, following, count, processes, seed))
    result.inputs = result.read + result.refused + len(result.failures)
    return result


def save(name: str, seed: int, result: Result, folder: Path) -> None:
    """Write each input that failed, and what happened."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, failure in result.failures.items():
        path = folder / f"{name}-{seed}-{index}"
        path.with_suffix(".bin").write_bytes(target(name).hostile(index, seed))
        path.with_suffix(".txt").write_text(failure, encoding="utf-8", errors="replace")


def _started(name: str, first: int, count: int, step: int, seed: int) -> Worker:
    worker = Worker(name, first, count, step, seed)
    worker.start()
    return worker


def _finish(worker: Worker, result: Result, stuck: str) -> int | None:
    """Take over what a worker counted; the input after the one that it failed on, None if it was done."""
    if stuck:
        worker.process.kill()
    worker.process.join()
    failed: int | None = None if worker.index.value < 0 else worker.index.value
    if failed is not None:
        result.failures[failed] = stuck or _reported(worker)
    result.read += worker.read.value
    result.refused += worker.refused.value
    result.slowest = max(result.slowest, worker.slowest.value)
    result.grown = max(result.grown, worker.grown.value)
    worker.close()
    return None if failed is None or failed + worker.step >= worker.count else failed + worker.step


def _reported(worker: Worker) -> str:
    if worker.failure.is_file():
        return worker.failure.read_text(encoding="utf-8")
    return f"the process ended with {worker.process.exitcode}"
