"""How many frames of a recording go through a model at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import numpy as np

from dlclive_core.components import FrameSource, PoseModel
from dlclive_core.errors import UsageError
from dlclive_core.regions import Chain

Batch = int | Literal["auto"]

LARGEST = 8
"""Frames in a batch that is chosen by itself."""
_MOST_PIXELS = LARGEST * 640 * 480
"""In such a batch: a network's memory grows with it, to gigabytes for large frames."""
_FRAMES = 10_000
"""Shorter recordings would not win back what the choice costs, some 50 frames: a twentieth of 1,000."""
_GAIN = 1.05
_ROUNDS = 2


def check_batch(batch: Batch, source: FrameSource, model: PoseModel, region: Chain) -> Batch:
    """The number, or "auto" where it is still to be found out. Raises UsageError where more than one frame cannot be."""
    if batch != "auto" and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise UsageError(f"batch is a number of frames from 1 up, or 'auto'; got {batch!r}")
    reason = _why_one_by_one(source, model, region)
    if batch == "auto":
        return 1 if reason else "auto"
    if reason and batch > 1:
        raise UsageError(f"{reason}: give batch=1, not {batch}")
    return batch


def _why_one_by_one(source: FrameSource, model: PoseModel, region: Chain) -> str:
    if source.is_live:
        return "frames of a live source go through the model as they come"
    if model.remembers:
        return "this model needs the pose of the frame before"
    if region.follows:
        return "a window that follows the animal needs the pose of the frame before"
    return ""


def batch_that_pays(model: PoseModel, shape: tuple[int, ...], frames: int | None) -> int:
    """Try the model on grey images: as many at once as is faster by a twentieth or more, else 1, also if so many fail.

    Args:
        shape: (H, W, 3) or (H, W) of what the model will see.
        frames: in the recording; None if unknown: then nothing is tried.
    """
    count = min(LARGEST, _MOST_PIXELS // max(shape[0] * shape[1], 1))
    alone = type(model).predict_batch is PoseModel.predict_batch
    if alone or count < 2 or frames is None or frames < _FRAMES:
        return 1
    images = [np.full(shape, 127, np.uint8)] * count

    def each() -> None:
        for image in images:
            model.predict(image)

    def together() -> None:
        model.predict_batch(images)

    model.predict(images[0])
    try:
        for _ in range(2):  # some runtimes prepare for what comes again
            together()
    except Exception:  # memory, as a rule: what the libraries raise then is of many kinds
        return 1
    times = [(_seconds(each), _seconds(together)) for _ in range(_ROUNDS)]
    return count if min(one for one, _ in times) > _GAIN * min(all_ for _, all_ in times) else 1


def _seconds(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
