"""`data.inference` of a configuration: how DeepLabCut prepares images for its network.

No entry is ignored silently: it is applied as in DeepLabCut, has no effect in DeepLabCut either, or is refused by name.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dlclive_core.data.card import Normalisation
from dlclive_core.data.names import printable
from dlclive_core.data.preparation import POSITIONS, Position, Preparation, Shape
from dlclive_core.errors import ModelError, UnsupportedModelError, shown

_log = logging.getLogger(__name__)

_SHAPING = ("resize", "longest_max_size", "auto_padding")
_APPLIED = (*_SHAPING, "normalize_images", "scale_to_unit_range", "top_down_crop")
_RANDOM = (
    "hflip", "affine", "random_bbox_transform", "crop_sampling", "hist_eq", "motion_blur", "covering", "elastic_transform",
    "grayscale", "gaussian_noise",
)  # fmt: skip
_WITHOUT_EFFECT = ("collate",)  # for training only
_RESIZE = ("height", "width", "keep_ratio")
_PADDING = (
    "min_height", "min_width", "pad_height_divisor", "pad_width_divisor", "position", "border_mode", "border_value",
    "border_mask_value",
)  # fmt: skip
_CROP = ("height", "width", "margin", "crop_with_context")
_DATA = ("bbox_margin", "colormode", "gen_sampling", "inference", "train", "loader")
_MODEL = ("backbone", "backbone_output_channels", "neck", "pose_model", "heads")

_LARGEST = 16_384
"""The longest side, in pixels, that a configuration may request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceOptions:
    """The settings in `data.inference`.

    Attributes:
        normalisation: as in ModelCard.
        pad_divisor: (height, width); the network itself pads to multiples of it, at the bottom and right, by reflection.
        preparation: how images are resized and padded before the network; None: not at all.
        crop: `top_down_crop`, checked, without entries that are None.
    """

    normalisation: Normalisation
    pad_divisor: Shape
    preparation: Preparation | None
    crop: Mapping[str, Any]


def read_inference(data: Any, *, where: str, part: str = "data") -> InferenceOptions:
    """Read `inference` in the `data` of a configuration.

    Args:
        data: the mapping, or None.
        where: the file, for messages.
        part: its name in messages: "data", "detector.data".

    Raises:
        UnsupportedModelError: an unknown entry, or one that DeepLabCut applies at random.
        ModelError: a value that DeepLabCut rejects.
    """
    file = f"{where}: {part}"
    values = _mapping(data, file)
    check_known(values, _DATA, file)
    colours = values.get("colormode")
    if colours not in (None, "RGB"):
        raise UnsupportedModelError(f"{file}.colormode is {shown(colours)}; only networks trained on RGB are supported")
    name = f"{file}.inference"
    inference = _mapping(values.get("inference"), name)
    check_known(inference, (*_APPLIED, *_RANDOM, *_WITHOUT_EFFECT), name)
    for key in _RANDOM:
        if inference.get(key) not in (None, False, {}):
            raise UnsupportedModelError(f"{name}.{key} changes images at random: remove it; it belongs in data.train")
    options = {key: value for key, value in inference.items() if value is not None}
    divisor, preparation = _shaping(options, name)
    crop = _part(options, "top_down_crop", _CROP, name)
    for key in ("height", "width"):
        if key in crop:
            _size(crop, key, f"{name}.top_down_crop")
    return InferenceOptions(
        normalisation=_normalisation(options, name), pad_divisor=divisor, preparation=preparation, crop=crop
    )


def read_detector_inference(data: Any, *, where: str) -> Normalisation:
    """Read `detector.data`: the normalisation of a detector's input.

    Raises:
        UnsupportedModelError, ModelError: as `read_inference`, and if images are resized or padded.
    """
    options = read_inference(data, where=where, part="detector.data")
    if options.preparation is not None or options.pad_divisor != (1, 1):
        inference = _mapping(_mapping(data, where).get("inference"), where)
        named = next(key for key in _SHAPING if inference.get(key))
        raise UnsupportedModelError(
            f"{where}: detector.data.inference.{named} is not supported: detectors do their own resizing"
        )
    return options.normalisation


def check_model_keys(model: Mapping[str, Any], *, where: str) -> None:
    """Refuse unknown entries of `model`. Raises UnsupportedModelError."""
    check_known(model, _MODEL, f"{where}: model")


def check_known(values: Mapping[str, Any], known: Collection[str], name: str) -> None:
    """Refuse unknown entries of `values`; warn about those that are off.

    Raises:
        UnsupportedModelError: names the entry.
    """
    for key, value in values.items():
        if key in known:
            continue
        entry = printable(str(key)[:60])
        if value is None or value is False:
            _log.warning("%s.%s is unknown and off: ignored", name, entry)
            continue
        raise UnsupportedModelError(
            f"{name}.{entry} is not supported and may change poses: update dlclive, or remove it if it has no effect"
        )


def _shaping(options: Mapping[str, Any], name: str) -> tuple[Shape, Preparation | None]:
    """The divisor of the network's own padding, and the preparation before it."""
    resize = _part(options, "resize", _RESIZE, name)
    size, keep_ratio = None, True
    if resize:
        size = (_size(resize, "height", f"{name}.resize"), _size(resize, "width", f"{name}.resize"))
        keep_ratio = _truth(resize, "keep_ratio", f"{name}.resize", default=True)
    longest = _size(options, "longest_max_size", name) if "longest_max_size" in options else None
    padding = _part(options, "auto_padding", _PADDING, name)
    least, divisor = _padding_sizes(padding, f"{name}.auto_padding")
    position, border = _position(padding, f"{name}.auto_padding"), _border(padding, f"{name}.auto_padding")
    by_network = least == (0, 0) and position == "top_left" and border is None
    preparation = Preparation(
        resize=size,
        keep_ratio=keep_ratio,
        longest_side=longest,
        min_size=least,
        divisor=(1, 1) if by_network else divisor,
        position=position,
        border=border,
    )
    is_needed = preparation.scales or least != (0, 0) or preparation.divisor != (1, 1)
    return divisor if by_network else (1, 1), preparation if is_needed else None


def _padding_sizes(padding: Mapping[str, Any], name: str) -> tuple[Shape, Shape]:
    sizes = []
    for side in ("height", "width"):
        least = _size(padding, f"min_{side}", name) if f"min_{side}" in padding else 0
        divisor = _size(padding, f"pad_{side}_divisor", name) if f"pad_{side}_divisor" in padding else 1
        if least and divisor != 1:
            raise ModelError(
                f"{name} has both min_{side} and pad_{side}_divisor; DeepLabCut uses only one: set the other to null"
            )
        sizes.append((least, divisor))
    (min_height, high), (min_width, wide) = sizes
    return (min_height, min_width), (high, wide)


def _position(padding: Mapping[str, Any], name: str) -> Position:
    position = padding.get("position", "random")
    if position == "random":  # any place will do; a fixed one is reproducible
        return "top_left"
    if position not in POSITIONS:
        raise ModelError(f"{name}.position is {shown(position)}; valid are random, {', '.join(POSITIONS)}")
    return cast("Position", position)


def _border(padding: Mapping[str, Any], name: str) -> tuple[int, int, int] | None:
    mode, value = padding.get("border_mode", "reflect_101"), padding.get("border_value", 0)
    if mode == "reflect_101":
        return None
    if mode != "constant":
        raise ModelError(f"{name}.border_mode is {shown(mode)}; valid are reflect_101, constant")
    colours = value if isinstance(value, list) else [value, 0, 0]  # OpenCV applies a single number to red only
    if len(colours) != 3 or any(
        isinstance(c, bool) or not isinstance(c, int | float) or not 0 <= c <= 255 for c in colours
    ):
        raise ModelError(f"{name}.border_value is {shown(value)}; it must be a number from 0 to 255, or three of them")
    red, green, blue = (round(colour) for colour in colours)
    return red, green, blue


def _normalisation(options: Mapping[str, Any], name: str) -> Normalisation:
    if options.get("normalize_images"):
        if options.get("scale_to_unit_range"):
            raise UnsupportedModelError(
                f"{name} has both normalize_images and scale_to_unit_range, which scales twice: set one to false"
            )
        return "imagenet"
    return "unit" if options.get("scale_to_unit_range") else "none"


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ModelError(f"{name} is {shown(value)}, not a mapping")
    return value


def _part(options: Mapping[str, Any], key: str, known: Collection[str], name: str) -> Mapping[str, Any]:
    if options.get(key) is False:
        return {}
    part = _mapping(options.get(key), f"{name}.{key}")
    check_known(part, known, f"{name}.{key}")
    return {option: value for option, value in part.items() if value is not None}


def _size(values: Mapping[str, Any], key: str, name: str) -> int:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise ModelError(f"{name}.{key} is {shown(value)}; it must be a whole number of pixels from 1 to {_LARGEST}")
    return value


def _truth(values: Mapping[str, Any], key: str, name: str, *, default: bool) -> bool:
    value = values.get(key, default)
    if not isinstance(value, bool):
        raise ModelError(f"{name}.{key} is {shown(value)}; it must be true or false")
    return value
