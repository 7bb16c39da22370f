"""Preparation of images as configured; the expected values are from deeplabcut 3.0.2."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from dlclive_core import Chain, Crop, FollowingCrop, FrameError, ModelCard, ModelError, Skeleton, UsageError
from dlclive_core.data.preparation import Preparation
from dlclive_core.deeplabcut.inference_options import InferenceOptions, read_inference
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.model_contracts import fix_input_size
from dlclive_core.models.network import Network
from dlclive_core.models.padding import pad
from dlclive_core.models.preparation import prepare
from dlclive_core.regions import fit_to_model

pytest.importorskip("cv2", reason="resizing needs OpenCV")

# Name, data.inference, and the input of DeepLabCut's network for `picture()`: (height, width), the offset and scale (x, y) back
# to the image, the mean of each colour.
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
def test_the_network_gets_the_same_pixels_as_deeplabcuts(
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


def test_an_image_shrunk_to_nothing() -> None:
    with pytest.raises(FrameError, match="shrinks a 400x1 image to nothing"):
        prepare(np.zeros((1, 1, 400, 3), np.uint8), Preparation(longest_side=20))


def test_a_card_stores_the_preparation() -> None:
    preparation = Preparation(resize=(240, 320), min_size=(10, 20), position="center", border=(1, 2, 3))
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=preparation)
    assert ModelCard.from_json(card.to_json()) == card
    broken = json.loads(card.to_json())
    broken["preparation"]["position"] = "left"
    with pytest.raises(ModelError, match="cannot be read"):
        ModelCard.from_json(json.dumps(broken))


def test_a_fixed_size_is_that_of_the_networks_input() -> None:
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=Preparation(longest_side=320))
    fixed = fix_input_size(card, (640, 480), "n")
    assert fixed.input_size == (240, 320)
    assert fix_input_size(fixed, (1280, 960), "n") == fixed
    with pytest.raises(UsageError, match="is fixed to 320x240"):
        fix_input_size(fixed, (640, 640), "n")


def test_a_following_crop_is_refused_if_images_are_scaled() -> None:
    card = ModelCard(net_type="n", skeleton=Skeleton(("a",)), preparation=Preparation(longest_side=320))
    following = Chain([FollowingCrop(0.5, 10.0)])
    with pytest.raises(UsageError, match="which resizes images"):
        fit_to_model(following, card)
    fit_to_model(Chain([Crop(0, 9, 0, 9)]), card)
    fit_to_model(following, card.with_(preparation=Preparation(min_size=(9, 9))))
