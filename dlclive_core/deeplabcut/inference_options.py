"""`data.inference` of a configuration: what DeepLabCut does to images before its network, and what is done about each entry.

Nothing in it is passed over: an entry is applied as DeepLabCut applies it, has no effect there either, or is refused by name.
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
"""Pixels of a side that a configuration may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceOptions:
    """What `data.inference` asks for.

    Attributes:
        normalisation: as in ModelCard.
        pad_divisor: (height, width), padded at the bottom and right by reflection: the network's own part.
        preparation: what is done to images before; None: nothing.
        crop: `top_down_crop`, checked, without entries that are None.
    """

    normalisation: Normalisation
    pad_divisor: Shape
    preparation: Preparation | None
    crop: Mapping[str, Any]


def read_inference(data: Any, *, where: str, part: str = "data") -> InferenceOptions:
    """Read `data` of a configuration, of which `inference` matters here.

    Args:
        data: the mapping, or None.
        where: the file, for messages.
        part: what messages call it: "data", "detector.data".

    Raises:
        UnsupportedModelError: an entry that is not known, or that DeepLabCut applies at random.
        ModelError: a value that no DeepLabCut accepts.
    """
    file = f"{where}: {part}"
    values = _mapping(data, file)
    check_known(values, _DATA, file)
    colours = values.get("colormode")
    if colours not in (None, "RGB"):
        raise UnsupportedModelError(
            f"{file}.colormode is {shown(colours)}, and only networks trained on RGB are supported"
        )
    name = f"{file}.inference"
    inference = _mapping(values.get("inference"), name)
    check_known(inference, (*_APPLIED, *_RANDOM, *_WITHOUT_EFFECT), name)
    for key in _RANDOM:
        if inference.get(key) not in (None, False, {}):
            raise UnsupportedModelError(
                f"{name}.{key} changes images at random: remove it, it is for training (data.train)"
            )
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
            f"{where}: detector.data.inference.{named} is not supported: detectors resize by themselves"
        )
    return options.normalisation


def check_model_keys(model: Mapping[str, Any], *, where: str) -> None:
    """Refuse entries of `model` that are not known. Raises UnsupportedModelError."""
    check_known(model, _MODEL, f"{where}: model")


def check_known(values: Mapping[str, Any], known: Collection[str], name: str) -> None:
    """Refuse an entry of `values` that is not known and set; warn of one that is off.

    Raises:
        UnsupportedModelError: it names the entry.
    """
    for key, value in values.items():
        if key in known:
            continue
        entry = printable(str(key)[:60])
        if value is None or value is False:
            _log.warning("%s.%s is not known, and off: passed over", name, entry)
            continue
        raise UnsupportedModelError(
            f"{name}.{entry} is not known to this dlclive, and may change poses: update dlclive, or remove it if it does not"
        )


def _shaping(options: Mapping[str, Any], name: str) -> tuple[Shape, Preparation | None]:
    """The network's own padding, and what is done before."""
    resize = _part(options, "resize", _RESIZE, name)
    size, keep_ratio = None, True
    if resize:
        size = (_size(resize, "height", f"{name}.resize"), _size(resize, "width", f"{name}.resize"))
        keep_ratio = _truth(resize, "keep_ratio", f"{name}.resize", default=True)
    longest = _size(options, "longest_max_size", name) if "longest_max_size" in options else None
    padding = _part(options, "auto_padding", _PADDING, name)
    least, divisor = _padding_sizes(padding, f"{name}.auto_padding")
    position, border = _position(padding, f"{name}.auto_padding"), _border(padding, f"{name}.auto_padding")
    of_the_network = least == (0, 0) and position == "top_left" and border is None
    preparation = Preparation(
        resize=size,
        keep_ratio=keep_ratio,
        longest_side=longest,
        min_size=least,
        divisor=(1, 1) if of_the_network else divisor,
        position=position,
        border=border,
    )
    asks = preparation.scales or least != (0, 0) or preparation.divisor != (1, 1)
    return divisor if of_the_network else (1, 1), preparation if asks else None


def _padding_sizes(padding: Mapping[str, Any], name: str) -> tuple[Shape, Shape]:
    sizes = []
    for side in ("height", "width"):
        least = _size(padding, f"min_{side}", name) if f"min_{side}" in padding else 0
        divisor = _size(padding, f"pad_{side}_divisor", name) if f"pad_{side}_divisor" in padding else 1
        if least and divisor != 1:
            raise ModelError(
                f"{name} has both min_{side} and pad_{side}_divisor, of which DeepLabCut takes one: set the other to null"
            )
        sizes.append((least, divisor))
    (min_height, high), (min_width, wide) = sizes
    return (min_height, min_width), (high, wide)


def _position(padding: Mapping[str, Any], name: str) -> Position:
    position = padding.get("position", "random")
    if position == "random":  # anywhere does, so the same place each time
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
    colours = value if isinstance(value, list) else [value, 0, 0]  # OpenCV takes one number for red alone
    if len(colours) != 3 or any(
        isinstance(c, bool) or not isinstance(c, int | float) or not 0 <= c <= 255 for c in colours
    ):
        raise ModelError(f"{name}.border_value is {shown(value)}; it is a number of 0..255, or three of them")
    red, green, blue = (round(colour) for colour in colours)
    return red, green, blue


def _normalisation(options: Mapping[str, Any], name: str) -> Normalisation:
    if options.get("normalize_images"):
        if options.get("scale_to_unit_range"):
            raise UnsupportedModelError(
                f"{name} has both normalize_images and scale_to_unit_range, which would scale twice: set one to false"
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
        raise ModelError(f"{name}.{key} is {shown(value)}; it is a whole number of pixels from 1 to {_LARGEST}")
    return value


def _truth(values: Mapping[str, Any], key: str, name: str, *, default: bool) -> bool:
    value = values.get(key, default)
    if not isinstance(value, bool):
        raise ModelError(f"{name}.{key} is {shown(value)}; it is true or false")
    return value
