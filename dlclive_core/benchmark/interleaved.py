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
"""Frames that a candidate runs before the next one has its turn: short against what disturbs a machine for a while, long
enough for its own caches."""


@dataclass(frozen=True, slots=True)
class MeasurementProgress:
    """Progress of a measurement, reported after each block of a candidate.

    Attributes:
        label: of the candidate, with "loading" before it while it is loaded.
        done, total: blocks.
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
    """Load all candidates, and let them take turns: each runs a block of frames, then the next one the same block.

    So whatever else the machine does hits all alike, and ratios between candidates can be trusted where times cannot. Who
    begins changes from block to block. Each begins its turn with a call that is not timed, unless its model remembers.

    Args:
        candidates: all are in memory at once.
        frames: (H, W, 3) uint8 RGB or (H, W) grey images that follow one another, in memory.
        rounds: how often all frames are run; poses are those of the first round.
        warmup: calls after the first one that are not counted.
        raw_call: also time the runtime's own call on the same arrays, after each of ours.
        block: frames of one turn.
        rate: frames per second; afterwards, they also come once as a camera gives them, a second and more in each turn, and are
            late or dropped where the model is too slow. None: they do not.
        on_progress: called after each turn, in this thread.
        catalog: the plugins to choose from; by default those installed.

    Returns:
        One for each candidate, in their order. What fails says so in its measurement; nothing is raised for it.

    Raises:
        UsageError: no frames, or a number below its least.
    """
    if not len(frames) or rounds < 1 or warmup < 0 or block < 1 or not (rate is None or rate > 0):
        raise UsageError(
            f"measuring takes frames, rounds and a block from 1, a warm-up from 0, a rate above 0; got {len(frames)} frames, "
            f"{rounds} rounds, blocks of {block}, a warm-up of {warmup}, a rate of {rate}"
        )
    catalog = catalog or PluginCatalog.installed()
    images = list(frames)
    blocks = _blocks(images, block)
    arriving = [] if rate is None else _blocks(images, max(block, math.ceil(rate)))
    total = len(candidates) * (1 + rounds * len(blocks) + len(arriving))
    done = 0

    def tell(label: str) -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(MeasurementProgress(label, done, total))

    loaded: list[CandidateRun] = []
    try:
        for candidate in candidates:
            loaded.append(CandidateRun(candidate, catalog))
            loaded[-1].warm_up(images, warmup)
            tell(f"loading {candidate.label}")
        turn = 0
        for number in range(rounds):
            for place, part in enumerate(blocks):
                for one in _rotated(loaded, turn):
                    one.run(part, first=place == 0, raw_call=raw_call, poses=number == 0)
                    tell(one.candidate.label)
                turn += 1
        for place, part in enumerate(arriving):
            for one in _rotated(loaded, place):
                one.arrive(part, rate or 1.0, first=place == 0)
                tell(f"{one.candidate.label} at {rate:g} frames/s")
        return [one.result(len(images)) for one in loaded]
    finally:
        for one in loaded:
            one.close()


def _blocks(images: list[NDArray[np.uint8]], length: int) -> list[list[NDArray[np.uint8]]]:
    return [images[start : start + length] for start in range(0, len(images), length)]


def _rotated(loaded: list[CandidateRun], turn: int) -> list[CandidateRun]:
    first = turn % len(loaded) if loaded else 0
    return loaded[first:] + loaded[:first]
