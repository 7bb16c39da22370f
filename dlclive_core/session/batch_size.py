"""The batch size for recordings."""

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
"""The largest automatic batch, in frames."""
_MOST_PIXELS = LARGEST * 640 * 480
"""The largest automatic batch, in pixels: a network's memory grows with it, to gigabytes for large frames."""
_SHORTEST = 10_000
"""In frames. A shorter recording would not recoup the trial, which takes the time of some 50 frames: 5 % of 1,000."""
_GAIN = 1.05
_ROUNDS = 2


def check_batch(batch: Batch, source: FrameSource, model: PoseModel, region: Chain) -> Batch:
    """Return the batch size, or "auto" if a trial will decide. Raises UsageError if batches are impossible here."""
    if batch != "auto" and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise UsageError(f"batch is a number of frames, at least 1, or 'auto'; got {batch!r}")
    reason = _obstacle(source, model, region)
    if batch == "auto":
        return 1 if reason else "auto"
    if reason and batch > 1:
        raise UsageError(f"{reason}: use batch=1, not {batch}")
    return batch


def _obstacle(source: FrameSource, model: PoseModel, region: Chain) -> str:
    """The reason why frames cannot be batched, or ""."""
    if source.is_live:
        return "frames of a live source are processed one by one, as they arrive"
    if model.remembers:
        return "this model needs the pose of the previous frame"
    if region.follows:
        return "a window that follows the animal needs the pose of the previous frame"
    return ""


def batch_that_pays(model: PoseModel, shape: tuple[int, ...], frames: int | None) -> int:
    """Time the model on grey images. Return a larger batch if it is at least 5 % faster; 1 if it is not, or if it fails.

    Args:
        shape: (H, W, 3) or (H, W) of the model's input images.
        frames: length of the recording; None if unknown, then the result is 1 without a trial.
    """
    count = min(LARGEST, _MOST_PIXELS // max(shape[0] * shape[1], 1))
    has_batches = type(model).predict_batch is not PoseModel.predict_batch
    if not has_batches or count < 2 or frames is None or frames < _SHORTEST:
        return 1
    images = [np.full(shape, 127, np.uint8)] * count

    def one_by_one() -> None:
        for image in images:
            model.predict(image)

    def batched() -> None:
        model.predict_batch(images)

    model.predict(images[0])
    try:
        for _ in range(2):  # some runtimes prepare for a shape when it repeats
            batched()
    except Exception:  # usually out of memory, for which the libraries raise many different errors
        return 1
    times = [(_seconds(one_by_one), _seconds(batched)) for _ in range(_ROUNDS)]
    return count if min(single for single, _ in times) > _GAIN * min(batch for _, batch in times) else 1


def _seconds(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
