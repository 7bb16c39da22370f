"""Measure several candidates on the same frames, interleaved block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.candidate_run import CandidateRun
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.errors import UsageError
from dlclive_core.plugins.catalog import PluginCatalog

BLOCK = 8
"""Frames per turn of a candidate: short compared with disturbances of the machine, long enough to warm its caches."""


@dataclass(frozen=True, slots=True)
class MeasurementProgress:
    """Progress of a measurement, reported after each turn of a candidate.

    Attributes:
        label: the candidate's label, preceded by "loading" while it loads.
        done, total: number of turns.
    """

    label: str
    done: int
    total: int


def measure(
    candidates: Sequence[Candidate],
    frames: Sequence[NDArray[np.uint8]],
    *,
    rounds: int = 1,
    warmup: int = 3,
    raw_call: bool = False,
    block: int = BLOCK,
    rate: float | None = None,
    on_progress: Callable[[MeasurementProgress], None] | None = None,
    catalog: PluginCatalog | None = None,
) -> list[Measurement]:
    """Load all candidates and run them in turns: one candidate runs a block of frames, then the next one the same block.

    Other load on the machine thus affects all candidates alike, and ratios between them are reliable even where absolute
    times are not. The order rotates from block to block. Each turn starts with an untimed call, unless the model has state.

    Args:
        candidates: all are in memory at once.
        frames: consecutive (H, W, 3) uint8 RGB or (H, W) grey images, in memory.
        rounds: number of passes over the frames; poses are those of the first pass.
        warmup: untimed calls after the first one.
        raw_call: also time the runtime's own call on the same arrays, after each call.
        block: frames per turn.
        rate: frames per second of a replay after the rounds, in turns of at least a second; a model that is too slow is late
            or drops frames. None for no replay.
        on_progress: called after each turn, in this thread.
        catalog: the plugins; by default the installed ones.

    Returns:
        One measurement per candidate, in order. A failure is recorded in its measurement and not raised.

    Raises:
        UsageError: no frames, or an argument below its minimum.
    """
    if not len(frames) or rounds < 1 or warmup < 0 or block < 1 or not (rate is None or rate > 0):
        raise UsageError(
            "a measurement needs frames, rounds and block of at least 1, warmup of at least 0 and rate above 0; got "
            f"{len(frames)} frames, rounds={rounds}, block={block}, warmup={warmup}, rate={rate}"
        )
    catalog = catalog or PluginCatalog.installed()
    images = list(frames)
    blocks = _blocks(images, block)
    replay_blocks = [] if rate is None else _blocks(images, max(block, math.ceil(rate)))
    total = len(candidates) * (1 + rounds * len(blocks) + len(replay_blocks))
    done = 0

    def report(label: str) -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(MeasurementProgress(label, done, total))

    runs: list[CandidateRun] = []
    try:
        for candidate in candidates:
            runs.append(CandidateRun(candidate, catalog))
            runs[-1].warm_up(images, warmup)
            report(f"loading {candidate.label}")
        turn = 0
        for number in range(rounds):
            for index, frames_of_turn in enumerate(blocks):
                for run in _rotated(runs, turn):
                    run.run(frames_of_turn, first=index == 0, raw_call=raw_call, poses=number == 0)
                    report(run.candidate.label)
                turn += 1
        for index, frames_of_turn in enumerate(replay_blocks):
            for run in _rotated(runs, index):
                run.replay(frames_of_turn, rate or 1.0, first=index == 0)
                report(f"{run.candidate.label} at {rate:g} frames/s")
        return [run.result(len(images)) for run in runs]
    finally:
        for run in runs:
            run.close()


def _blocks(images: list[NDArray[np.uint8]], length: int) -> list[list[NDArray[np.uint8]]]:
    return [images[start : start + length] for start in range(0, len(images), length)]


def _rotated(runs: list[CandidateRun], turn: int) -> list[CandidateRun]:
    first = turn % len(runs) if runs else 0
    return runs[first:] + runs[:first]
