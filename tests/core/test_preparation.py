"""What a configuration does to images before its network: the values are DeepLabCut's own, of deeplabcut 3.0.2."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pytest

from dlclive_core import Chain, Crop, FollowingCrop, FrameError, ModelCard, ModelError, Skeleton, UsageError
from dlclive_core.data.preparation import Preparation
from dlclive_core.deeplabcut.config import PoseConfig, detector_normalisation
from dlclive_core.deeplabcut.inference_options import InferenceOptions, read_inference
from dlclive_core.errors import UnsupportedModelError
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.model_contracts import fix_input_size
from dlclive_core.models.network import Network
from dlclive_core.models.padding import pad
from dlclive_core.models.preparation import prepare
from dlclive_core.regions import check_follows

pytest.importorskip("cv2", reason="resizing needs OpenCV")

# Name, data.inference, and what DeepLabCut's network sees of `picture()`: (height, width), the offset and the scale of the
# way back (x, y), the mean of each colour.
SEEN: list[tuple[str, dict[str, Any], tuple[int, int], tuple[float, float], tuple[float, float], tuple[float, ...]]] = [
    (
        "resize_keep",
        {"resize": {"height": 240, "width": 400, "keep_ratio": True}},
        (240, 400),
        (0.0, 0.0),
        (0.959752, 0.958333),
        (103.47, 99.29, 102.64),
    ),
    (
        "resize_default",
        {"resize": {"height": 300, "width": 160}},
        (300, 160),
        (0.0, 0.0),
        (1.9375, 1.949153),
        (50.4, 48.38, 49.99),
    ),
    (
        "resize_free",
        {"resize": {"height": 200, "width": 300, "keep_ratio": False}},
        (200, 300),
        (0.0, 0.0),
        (1.033333, 1.15),
        (128.13, 122.96, 127.11),
    ),
    (
        "resize_up",
        {"resize": {"height": 512, "width": 600}},
        (512, 600),
        (0.0, 0.0),
        (0.516667, 0.516854),
        (111.36, 106.89, 110.47),
    ),
    (
        "resize_odd",
        {"resize": {"height": 333, "width": 217}},
        (333, 217),
        (0.0, 0.0),
        (1.428571, 1.428571),
        (61.96, 59.45, 61.47),
    ),
    ("longest", {"longest_max_size": 320}, (237, 320), (0.0, 0.0), (0.96875, 0.970464), (128.13, 122.97, 127.11)),
    ("longest_up", {"longest_max_size": 500}, (371, 500), (0.0, 0.0), (0.62, 0.619946), (128.13, 122.99, 127.1)),
    ("longest_odd", {"longest_max_size": 201}, (149, 201), (0.0, 0.0), (1.542289, 1.543624), (128.13, 123.05, 127.11)),
    (
        "both",
        {"resize": {"height": 240, "width": 400}, "longest_max_size": 250},
        (150, 250),
        (0.0, 0.0),
        (1.535604, 1.533333),
        (103.45, 99.24, 102.63),
    ),
    (
        "min_tl",
        {
            "auto_padding": {
                "min_height": 300,
                "min_width": 400,
                "pad_height_divisor": None,
                "pad_width_divisor": None,
                "position": "top_left",
            }
        },
        (300, 400),
        (0.0, 0.0),
        (1.0, 1.0),
        (127.51, 124.39, 126.65),
    ),
    (
        "min_center",
        {
            "auto_padding": {
                "min_height": 301,
                "min_width": 400,
                "pad_height_divisor": None,
                "pad_width_divisor": None,
                "position": "center",
            }
        },
        (301, 400),
        (-45.0, -35.0),
        (1.0, 1.0),
        (126.52, 120.91, 126.58),
    ),
    (
        "min_br",
        {
            "auto_padding": {
                "min_height": 301,
                "min_width": 100,
                "pad_height_divisor": None,
                "pad_width_divisor": None,
                "position": "bottom_right",
                "border_mode": "constant",
                "border_value": 77,
            }
        },
        (301, 310),
        (0.0, -71.0),
        (1.0, 1.0),
        (116.17, 94.06, 97.22),
    ),
    (
        "div_center",
        {"auto_padding": {"pad_height_divisor": 32, "pad_width_divisor": 64, "position": "center"}},
        (256, 320),
        (-5.0, -13.0),
        (1.0, 1.0),
        (127.52, 120.77, 126.94),
    ),
    (
        "div_tr",
        {"auto_padding": {"pad_height_divisor": 32, "pad_width_divisor": 64, "position": "top_right"}},
        (256, 320),
        (-10.0, 0.0),
        (1.0, 1.0),
        (128.17, 122.16, 126.57),
    ),
    (
        "div_bl",
        {
            "auto_padding": {
                "pad_height_divisor": 32,
                "pad_width_divisor": 64,
                "position": "bottom_left",
                "border_mode": "constant",
                "border_value": [10, 20, 30],
            }
        },
        (256, 320),
        (0.0, -26.0),
        (1.0, 1.0),
        (112.93, 109.74, 114.63),
    ),
    (
        "div_const",
        {
            "auto_padding": {
                "pad_height_divisor": 32,
                "pad_width_divisor": 64,
                "position": "top_left",
                "border_mode": "constant",
            }
        },
        (256, 320),
        (0.0, 0.0),
        (1.0, 1.0),
        (111.63, 107.14, 110.74),
    ),
    (
        "mixed",
        {
            "auto_padding": {
                "min_height": 300,
                "pad_height_divisor": None,
                "pad_width_divisor": 64,
                "position": "center",
            }
        },
        (300, 320),
        (-5.0, -35.0),
        (1.0, 1.0),
        (127.03, 121.12, 127.01),
    ),
    (
        "all",
        {
            "longest_max_size": 250,
            "auto_padding": {"pad_height_divisor": 32, "pad_width_divisor": 32, "position": "center"},
        },
        (192, 256),
        (-3.72, -3.7297),
        (1.24, 1.243243),
        (127.8, 121.02, 127.02),
    ),
    (
        "huge_pad",
        {
            "auto_padding": {
                "min_height": 1000,
                "min_width": 1500,
                "pad_height_divisor": None,
                "pad_width_divisor": None,
                "position": "center",
            }
        },
        (1000, 1500),
        (-595.0, -385.0),
        (1.0, 1.0),
        (128.56, 124.1, 127.34),
    ),
]


def picture(height: int = 230, width: int = 310) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([(3 * x + y) % 256, (x * y // 7) % 256, (5 * y + 2 * x) % 256], -1).astype(np.uint8)


def read(inference: dict[str, Any]) -> InferenceOptions:
    return read_inference({"colormode": "RGB", "inference": inference}, where="c.yaml")


@pytest.mark.parametrize(
    ("inference", "shape", "offset", "scale", "means"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN]
)
def test_the_network_sees_what_deeplabcuts_does(
    inference: dict[str, Any],
    shape: tuple[int, int],
    offset: tuple[float, float],
    scale: tuple[float, float],
    means: tuple[float, ...],
) -> None:
    options = read(inference)
    images, transform = prepare(np.stack([picture()] * 2), options.preparation)
    images = pad(images, options.pad_divisor)  # the network's own part
    assert images.shape == (2, *shape, 3)
    assert transform.offset == pytest.approx(offset, abs=1e-3)
    assert transform.scale == pytest.approx(scale, abs=1e-5)
    np.testing.assert_allclose(images[1].reshape(-1, 3).mean(0), means, atol=0.02)
    if options.preparation is not None:
        assert options.preparation.prepared((230, 310)) == shape


def test_reflection_at_the_bottom_and_right_is_the_networks_own_part() -> None:
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
        ({"blur": True}, r"c\.yaml: data\.inference\.blur is not known"),
        ({"resize": {"height": 2, "width": 2, "mode": "crop"}}, r"data\.inference\.resize\.mode is not known"),
        ({"auto_padding": {"pad_depth_divisor": 3}}, r"auto_padding\.pad_depth_divisor is not known"),
        ({"top_down_crop": {"width": 256, "height": 256, "rotate": 3}}, r"top_down_crop\.rotate is not known"),
        ({"affine": {"p": 0.5}}, r"data\.inference\.affine changes images at random"),
        ({"gaussian_noise": 12.75}, r"data\.inference\.gaussian_noise changes images at random"),
        ({"normalize_images": True, "scale_to_unit_range": True}, "both normalize_images and scale_to_unit_range"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(inference: dict[str, Any], message: str) -> None:
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
        ({"resize": {"height": 2, "width": 2, "keep_ratio": "yes"}}, r"keep_ratio is 'yes'; it is true or false"),
        ({"longest_max_size": [256, 320]}, r"longest_max_size is \[256, 320\]"),
        ({"auto_padding": {"min_height": 300, "pad_height_divisor": 32}}, "both min_height and pad_height_divisor"),
        ({"auto_padding": {"position": "left"}}, r"position is 'left'; valid are random, top_left"),
        ({"auto_padding": {"border_mode": "wrap"}}, "border_mode is 'wrap'"),
        ({"auto_padding": {"border_mode": "constant", "border_value": 300}}, "border_value is 300"),
        ({"top_down_crop": {"width": "wide"}}, r"top_down_crop\.width is 'wide'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(inference: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read(inference)


def test_an_unknown_entry_that_is_off_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
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
        ({"data": {"frames": 3}}, r"c\.yaml: data\.frames is not known"),
        ({"model": {"backbone": {}, "tail": {"type": "x"}}}, r"c\.yaml: model\.tail is not known"),
    ],
)
def test_entries_beside_it(changes: dict[str, Any], message: str) -> None:
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
def test_detectors_with_a_resize_of_their_own_are_refused(inference: dict[str, Any], key: str) -> None:
    assert detector_normalisation({"data": {"inference": {"normalize_images": True, "resize": None}}}) == "imagenet"
    with pytest.raises(UnsupportedModelError, match=rf"detector\.data\.inference\.{key} is not supported"):
        detector_normalisation({"data": {"inference": inference}}, where="c.yaml")


class Brightest(Network):
    """Finds the brightest pixel, and one unique keypoint at its own corner."""

    runtime = "test"

    def __init__(self, preparation: Preparation) -> None:
        self.card = ModelCard(
            net_type="brightest", skeleton=Skeleton(("spot",)), unique_keypoints=("corner",), preparation=preparation
        )

    def run(self, images: np.ndarray, conditions: np.ndarray | None = None) -> dict[str, np.ndarray]:
        spots = []
        for image in images:
            y, x = np.unravel_index(image[:, :, 0].argmax(), image.shape[:2])
            spots.append([[[x + 0.5, y + 0.5, 1.0]]])
        corner = [[[images.shape[2], images.shape[1], 1.0]]] * len(images)
        return {"keypoints": np.array(spots, np.float32), "unique": np.array(corner, np.float32)}


def test_poses_are_in_pixels_of_the_image() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[40:44, 80:84] = 255  # its middle is at 82, 42
    model = BottomUpModel(
        Brightest(Preparation(resize=(60, 100), longest_side=50))
    )  # 100 x 60 with 20 black, then 50 x 30
    alone, together = model.predict(image), model.predict_batch([image, image[:100]])
    assert alone.keypoints[0, 0, :2] == pytest.approx((82, 42), abs=2.1)
    assert together[0].keypoints[0, 0, :2] == pytest.approx((82, 42), abs=2.1)
    assert together[1].keypoints[0, 0, :2] == pytest.approx((82, 42), abs=2.1)
    assert alone.unique is not None
    assert alone.unique[0, :2] == pytest.approx(
        (200, 120), abs=1e-4
    )  # 20 / 100 of the width are black, beyond the image


def test_an_image_of_which_nothing_is_left() -> None:
    with pytest.raises(FrameError, match="nothing is left of one of 400 x 1"):
        prepare(np.zeros((1, 1, 400, 3), np.uint8), Preparation(longest_side=20))


def test_a_card_keeps_it() -> None:
    preparation = Preparation(resize=(240, 320), min_size=(10, 20), position="center", border=(1, 2, 3))
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=preparation)
    assert ModelCard.from_json(card.to_json()) == card
    broken = json.loads(card.to_json())
    broken["preparation"]["position"] = "left"
    with pytest.raises(ModelError, match="cannot be read"):
        ModelCard.from_json(json.dumps(broken))


def test_a_fixed_input_is_what_the_network_sees() -> None:
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=Preparation(longest_side=320))
    fixed = fix_input_size(card, (640, 480), "n")
    assert fixed.input_size == (240, 320)
    assert fix_input_size(fixed, (1280, 960), "n") == fixed
    with pytest.raises(UsageError, match="is fixed to 320x240"):
        fix_input_size(fixed, (640, 640), "n")


def test_a_crop_that_follows_the_animal_would_be_enlarged() -> None:
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=Preparation(longest_side=320))
    following = Chain([FollowingCrop(0.5, 10.0)])
    with pytest.raises(UsageError, match="which resizes images"):
        check_follows(following, card)
    check_follows(Chain([Crop(0, 9, 0, 9)]), card)
    check_follows(following, card.with_(preparation=Preparation(min_size=(9, 9))))
