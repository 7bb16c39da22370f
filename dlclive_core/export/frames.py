"""Which frames an export is compared on, and which an exporter may calibrate on: none is used for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.config import padded_size
from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.export.parity import CONFIDENT, finds_something
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.topdown.boxes import tiles
from dlclive_core.models.topdown.crops import CropRules, cut_boxes
from dlclive_core.models.topdown.model import TopDownModel

Image = NDArray[np.uint8]

CALIBRATED = ("int8",)
"""Precisions whose ranges are found out on frames."""

LEAST = 16
"""Frames that calibration needs: three quarters of them give the ranges, the others judge."""

_COMPARED_OF_CALIBRATED = 4  # every fourth frame is not for calibration, but for judging it
_RENDERED = 5
_LEAST_RENDERED = (120, 160)  # (height, width) of MouseSource: smaller pictures are made of larger ones


@dataclass(frozen=True, slots=True)
class Frames:
    """(H, W, 3) uint8 RGB images of an export.

    Attributes:
        compared: whole frames, on which source and export are compared.
        for_exporter: what the network sees: whole frames, or crops of the fixed size for top-down networks.
    """

    compared: Sequence[Image]
    for_exporter: Sequence[Image]


def choose_frames(
    model: PoseModel, given: Sequence[Image] | None, size: tuple[int, int] | None, *, calibrate: bool
) -> Frames:
    """Share out the user's frames, or render some where there are none.

    Args:
        model: the source.
        given: the user's frames; None: none.
        size: (height, width) that the input will be fixed to; frames of models that see whole images are cut to it.
        calibrate: the exporter needs frames of its own.

    Raises:
        UsageError: too few or too small frames, or to calibrate on some in which the model finds no animal.
        UnsupportedModelError: to calibrate a network that needs more than images.
    """
    fixed = size or model.card.input_size if model.card.method == "bottom-up" else None
    if not calibrate:
        compared = _rendered(fixed) if given is None else _fit(given, fixed, model.card)
        return Frames(compared, () if given is None else compared)
    if isinstance(model, ConditionalModel):
        raise UnsupportedModelError(
            f"{model.card.net_type} is a conditional network, which takes keypoints besides images, and cannot be calibrated: "
            "export it without, in another precision"
        )
    if given is None or len(given) < LEAST:
        raise UsageError(
            f"it is calibrated on frames of the animal: give a clip of it with at least {LEAST} frames, as --frames CLIP; "
            f"got {0 if given is None else len(given)} frames"
        )
    fitting = _fit(given, fixed, model.card)
    compared = fitting[::_COMPARED_OF_CALIBRATED]
    others = [frame for index, frame in enumerate(fitting) if index % _COMPARED_OF_CALIBRATED]
    if not finds_something(model, compared):
        raise UsageError(
            f"the model finds no animal in the clip: no keypoint of {len(compared)} frames has a confidence of {CONFIDENT} or "
            "more, so an export can be neither calibrated nor judged; give a clip that shows the animal"
        )
    if isinstance(model, TopDownModel):
        count, others = len(others), list(_crops(model, others))
        if not others:
            raise UsageError(
                f"its detector finds no animal in {count} frames of the clip: give one that shows the animal"
            )
    return Frames(compared, others)


def _crops(model: TopDownModel, frames: Sequence[Image]) -> Iterator[Image]:
    """What a top-down network sees of frames: the boxes of its detector, or four tiles where it has none."""
    size = model.card.input_size
    assert size is not None  # TopDownModel has checked
    rules = CropRules(size=size, margin=model.card.crop_margin, context=model.card.crop_context)
    detects = model.detector() is not None
    for frame in frames:
        boxes = model.predict(frame).boxes if detects else tiles(frame.shape, (2, 2), 0)
        if boxes is not None and len(boxes):
            yield from cut_boxes(frame, boxes, rules)[0]


def _rendered(size: tuple[int, int] | None) -> list[Image]:
    from dlclive_core.demo.source import MouseSource

    height, width = size or (480, 640)
    rows, columns = (-(-least // side) for least, side in zip(_LEAST_RENDERED, (height, width), strict=True))
    with MouseSource(seed=1, frames=_RENDERED, size=(width * columns, height * rows)) as source:
        source.open()
        return [_shrunk(source.read(1.0).image, rows, columns) for _ in range(_RENDERED)]


def _shrunk(image: Image, rows: int, columns: int) -> Image:
    """The means of blocks of rows x columns pixels."""
    height, width = image.shape[0] // rows, image.shape[1] // columns
    return image.reshape(height, rows, width, columns, 3).mean(axis=(1, 3)).round().astype(np.uint8)


def _fit(frames: Sequence[Image], size: tuple[int, int] | None, card: ModelCard) -> Sequence[Image]:
    """Cut frames to a fixed input; a frame that is smaller even when it is padded cannot be used."""
    if not len(frames):
        raise UsageError("no frames to compare on")
    if size is None:
        return frames
    height, width = size
    for frame in frames:
        padded = padded_size(frame.shape[0], frame.shape[1], card.pad_divisor)
        if padded != size and (frame.shape[0] < height or frame.shape[1] < width):
            raise UsageError(
                f"frames of {frame.shape[1]} x {frame.shape[0]} are smaller than the fixed input of {width} x {height}"
            )
    return [np.ascontiguousarray(frame[:height, :width]) for frame in frames]
