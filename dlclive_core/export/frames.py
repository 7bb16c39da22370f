"""Divides frames between comparing an export and calibrating it; no frame is used for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.config import padded_size
from dlclive_core.errors import UnsupportedModelError, UsageError
from dlclive_core.export.parity import CONFIDENT, finds_animals
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.model_contracts import network_shape
from dlclive_core.models.preparation import prepare
from dlclive_core.models.topdown.boxes import tiles
from dlclive_core.models.topdown.crops import CropRules, cut_boxes
from dlclive_core.models.topdown.model import TopDownModel

Image = NDArray[np.uint8]

CALIBRATED = ("int8",)
"""Precisions that are calibrated on frames."""

LEAST = 16
"""Minimum number of frames for a calibrated export: three quarters calibrate it, the others verify it."""

_COMPARE_EVERY = 4  # every fourth frame verifies the export, the others calibrate it
_RENDERED = 5
_LEAST_RENDERED = (120, 160)  # minimum (height, width) of MouseSource; smaller images are larger ones scaled down


@dataclass(frozen=True, slots=True)
class ExportFrames:
    """(H, W, 3) uint8 RGB images of an export.

    Attributes:
        compared: whole frames to compare source and export on.
        for_exporter: inputs as the network sees them: whole frames, or for top-down networks crops of the input size.
    """

    compared: Sequence[Image]
    for_exporter: Sequence[Image]


def choose_frames(
    model: PoseModel, frames: Sequence[Image] | None, size: tuple[int, int] | None, *, calibrate: bool
) -> ExportFrames:
    """Divide the user's frames between comparing and calibrating; without frames, render some.

    Args:
        model: the source.
        frames: the user's frames; None renders a mouse.
        size: (width, height) that the input will be fixed to; frames of models that see whole images are cut to it.
        calibrate: whether the exporter needs frames to calibrate on.

    Raises:
        UsageError: too few or too small frames, or frames to calibrate on in which the model finds no animal.
        UnsupportedModelError: a network that needs more than images cannot be calibrated.
    """
    shape = None
    if model.card.method == "bottom-up":
        shape = model.card.input_size if size is None else (size[1], size[0])
        if frames is not None and model.card.preparation is not None:
            _check_prepared(frames, shape, model.card)
            shape = None  # they are not cut, but prepared
    if not calibrate:
        compared = _render(shape) if frames is None else _fit(frames, shape, model.card)
        return ExportFrames(compared, () if frames is None else _prepared(compared, model.card))
    if isinstance(model, ConditionalModel):
        raise UnsupportedModelError(
            f"{model.card.net_type} is a conditional network, which takes keypoints besides images, and cannot be calibrated: "
            "export it in another precision, without options that calibrate"
        )
    if frames is None or len(frames) < LEAST:
        raise UsageError(
            f"calibration needs frames of the animal: pass a clip with at least {LEAST} frames, as --frames CLIP; "
            f"got {0 if frames is None else len(frames)} frames"
        )
    fitted = _fit(frames, shape, model.card)
    compared = fitted[::_COMPARE_EVERY]
    calibration = _prepared([frame for index, frame in enumerate(fitted) if index % _COMPARE_EVERY], model.card)
    if not finds_animals(model, compared):
        raise UsageError(
            f"the model finds no animal in the clip: no keypoint of {len(compared)} frames has a confidence of {CONFIDENT} or "
            "more, so the export can be neither calibrated nor verified; pass a clip that shows the animal"
        )
    if isinstance(model, TopDownModel):
        count, calibration = len(calibration), list(_crops(model, calibration))
        if not calibration:
            raise UsageError(
                f"the model's detector finds no animal in {count} frames of the clip: pass a clip that shows the animal"
            )
    return ExportFrames(compared, calibration)


def _crops(model: TopDownModel, frames: Sequence[Image]) -> Iterator[Image]:
    """The inputs of a top-down network: the boxes of its detector, or four tiles per frame without a detector."""
    input_size = model.card.input_size
    assert input_size is not None  # checked by TopDownModel
    rules = CropRules(shape=input_size, margin=model.card.crop_margin, context=model.card.crop_context)
    detects = model.detector() is not None
    for frame in frames:
        boxes = model.predict(frame).boxes if detects else tiles(frame.shape, (2, 2), 0)
        if boxes is not None and len(boxes):
            yield from cut_boxes(frame, boxes, rules)[0]


def _render(shape: tuple[int, int] | None) -> list[Image]:
    """Rendered frames of a mouse, of (height, width) `shape`."""
    from dlclive_core.demo.source import MouseSource

    height, width = shape or (480, 640)
    rows, columns = (-(-least // side) for least, side in zip(_LEAST_RENDERED, (height, width), strict=True))
    with MouseSource(seed=1, frames=_RENDERED, size=(width * columns, height * rows)) as source:
        source.open()
        return [_shrink(source.read(1.0).image, rows, columns) for _ in range(_RENDERED)]


def _shrink(image: Image, rows: int, columns: int) -> Image:
    """Scale down by averaging blocks of rows x columns pixels."""
    height, width = image.shape[0] // rows, image.shape[1] // columns
    return image.reshape(height, rows, width, columns, 3).mean(axis=(1, 3)).round().astype(np.uint8)


def _prepared(frames: Sequence[Image], card: ModelCard) -> list[Image]:
    """Frames as the network sees them."""
    return [prepare(frame[None], card.preparation)[0][0] for frame in frames]


def _check_prepared(frames: Sequence[Image], shape: tuple[int, int] | None, card: ModelCard) -> None:
    """Refuse frames from which the configuration makes other pictures than the (height, width) that the input is fixed to."""
    if shape is None:
        return
    for frame in frames:
        seen, fixed = (network_shape(card, (wide, high)) for high, wide in (frame.shape[:2], shape))
        if seen != fixed:
            raise UsageError(
                f"the model's configuration makes {seen[1]} x {seen[0]} of frames of {frame.shape[1]} x {frame.shape[0]}, and "
                f"the input is fixed to {fixed[1]} x {fixed[0]}: give the size of the frames"
            )


def _fit(frames: Sequence[Image], shape: tuple[int, int] | None, card: ModelCard) -> Sequence[Image]:
    """Crop frames to a fixed input of (height, width) `shape`. UsageError if a frame is too small even when padded."""
    if not len(frames):
        raise UsageError("no frames to compare on")
    if shape is None:
        return frames
    height, width = shape
    for frame in frames:
        padded = padded_size(frame.shape[0], frame.shape[1], card.pad_divisor)
        if padded != shape and (frame.shape[0] < height or frame.shape[1] < width):
            raise UsageError(
                f"frames of {frame.shape[1]} x {frame.shape[0]} are smaller than the fixed input of {width} x {height}"
            )
    return [np.ascontiguousarray(frame[:height, :width]) for frame in frames]
