"""Entries of `data.inference`: what is read of each, which are refused by name, and DeepLabCut's defaults."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dlclive_core import ModelError
from dlclive_core.deeplabcut.config import PoseConfig, detector_normalisation
from dlclive_core.deeplabcut.inference_options import InferenceOptions, read_inference
from dlclive_core.errors import UnsupportedModelError


def read(inference: dict[str, Any]) -> InferenceOptions:
    return read_inference({"colormode": "RGB", "inference": inference}, where="c.yaml")


def test_the_network_itself_pads_by_reflection_at_the_bottom_and_right() -> None:
    options = read({"auto_padding": {"pad_height_divisor": 32, "pad_width_divisor": 64}})
    assert (options.pad_divisor, options.preparation) == ((32, 64), None)
    options = read({"auto_padding": None, "resize": None, "longest_max_size": None, "collate": {"type": "x"}})
    assert (options.pad_divisor, options.preparation) == ((1, 1), None)


@pytest.mark.parametrize(
    ("inference", "normalisation"),
    [
        ({"normalize_images": True}, "imagenet"),
        ({"normalize_images": True, "scale_to_unit_range": False}, "imagenet"),
        ({"normalize_images": False, "scale_to_unit_range": True}, "unit"),
        ({}, "none"),
    ],
)
def test_normalisation(inference: dict[str, Any], normalisation: str) -> None:
    assert read(inference).normalisation == normalisation


@pytest.mark.parametrize(
    ("inference", "message"),
    [
        ({"blur": True}, r"c\.yaml: data\.inference\.blur is not supported"),
        (
            {"resize": {"height": 2, "width": 2, "mode": "crop"}},
            r"data\.inference\.resize\.mode is not supported",
        ),
        (
            {"auto_padding": {"pad_depth_divisor": 3}},
            r"auto_padding\.pad_depth_divisor is not supported",
        ),
        (
            {"top_down_crop": {"width": 256, "height": 256, "rotate": 3}},
            r"top_down_crop\.rotate is not supported",
        ),
        ({"affine": {"p": 0.5}}, r"data\.inference\.affine changes images at random"),
        ({"gaussian_noise": 12.75}, r"data\.inference\.gaussian_noise changes images at random"),
        ({"normalize_images": True, "scale_to_unit_range": True}, "both normalize_images and scale_to_unit_range"),
    ],
)
def test_unsupported_entries_are_refused_by_name(inference: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message) as caught:
        read(inference)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("inference", "message"),
    [
        ({"resize": {"height": 240}}, r"data\.inference\.resize\.width is None"),
        ({"resize": {"height": 0, "width": 320}}, r"resize\.height is 0"),
        ({"resize": {"height": 240, "width": 10**9}}, r"resize\.width is 1000000000"),
        ({"resize": 320}, r"data\.inference\.resize is 320, not a mapping"),
        ({"resize": {"height": 2, "width": 2, "keep_ratio": "yes"}}, r"keep_ratio is 'yes'; it must be true or false"),
        ({"longest_max_size": [256, 320]}, r"longest_max_size is \[256, 320\]"),
        ({"auto_padding": {"min_height": 300, "pad_height_divisor": 32}}, "both min_height and pad_height_divisor"),
        ({"auto_padding": {"position": "left"}}, r"position is 'left'; valid are random, top_left"),
        ({"auto_padding": {"border_mode": "wrap"}}, "border_mode is 'wrap'"),
        ({"auto_padding": {"border_mode": "constant", "border_value": 300}}, "border_value is 300"),
        ({"top_down_crop": {"width": "wide"}}, r"top_down_crop\.width is 'wide'"),
    ],
)
def test_invalid_values_are_refused_by_name(inference: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read(inference)


def test_an_unknown_entry_that_is_off_causes_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert read({"sharpen": None, "blur": False}).preparation is None
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == [
        "c.yaml: data.inference.sharpen",
        "c.yaml: data.inference.blur",
    ]


def config(method: str = "bu", **changes: Any) -> dict[str, Any]:
    data = {"inference": {"normalize_images": True, **changes.pop("inference", {})}, **changes.pop("data", {})}
    return {"method": method, "metadata": {"bodyparts": ["a"]}, "data": data, "model": {"backbone": {}}, **changes}


def understood(method: str = "bu", **changes: Any) -> PoseConfig:
    return PoseConfig.from_mapping(config(method, **changes), where="c.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"colormode": "BGR"}}, r"data\.colormode is 'BGR'"),
        ({"data": {"frames": 3}}, r"c\.yaml: data\.frames is not supported"),
        ({"model": {"backbone": {}, "tail": {"type": "x"}}}, r"c\.yaml: model\.tail is not supported"),
    ],
)
def test_entries_outside_inference(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        understood(**changes)


def test_defaults_are_deeplabcuts() -> None:
    top_down, conditional, bottom_up = understood("td"), understood("ctd"), understood()
    assert (top_down.input_size, top_down.crop_context, top_down.crop_margin) == ((256, 256), True, 0)
    assert (conditional.input_size, conditional.crop_context, conditional.condition_margin) == ((256, 256), False, 20)
    assert bottom_up.input_size is None
    assert understood(inference={"top_down_crop": {"width": 256, "height": 256}}).input_size is None  # has no crops
    changed = understood("ctd", inference={"top_down_crop": {"width": 192, "margin": 5}}, data={"bbox_margin": 0})
    assert (changed.input_size, changed.crop_margin, changed.condition_margin) == ((256, 192), 5, 0)


def test_crops_are_not_resized_again() -> None:
    crop = {"width": 192, "height": 256}
    same = {"resize": {"width": 192, "height": 256}, "longest_max_size": 256, "top_down_crop": crop}
    assert understood("td", inference=same).preparation is None
    with pytest.raises(UnsupportedModelError, match="makes 240 x 320 pixels of crops of 192 x 256"):
        understood("td", inference={"longest_max_size": 320, "top_down_crop": crop})


@pytest.mark.parametrize(
    ("inference", "key"),
    [
        ({"resize": {"width": 192, "height": 256}}, "resize"),
        ({"longest_max_size": 320}, "longest_max_size"),
        ({"auto_padding": {"pad_height_divisor": 32}}, "auto_padding"),
    ],
)
def test_detectors_with_a_configured_resize_are_refused(inference: dict[str, Any], key: str) -> None:
    assert detector_normalisation({"data": {"inference": {"normalize_images": True, "resize": None}}}) == "imagenet"
    with pytest.raises(UnsupportedModelError, match=rf"detector\.data\.inference\.{key} is not supported"):
        detector_normalisation({"data": {"inference": inference}}, where="c.yaml")
