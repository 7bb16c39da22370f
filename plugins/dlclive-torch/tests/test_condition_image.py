"""The condition image, compared with hand-computed values."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from dlclive_torch.condition_image import ColouredConditions, StackedConditions, build_condition_image
from dlclive_torch.gaussian import gaussian_taps
from dlclive_torch.rainbow import rainbow
from torch import Tensor

from dlclive_core import UnsupportedModelError

HEIGHT, WIDTH = 64, 96
ABSENT = (math.nan, math.nan, 0.0)
NEXT = math.exp(-0.5 / 2.6**2)  # a kernel of 15 pixels has a standard deviation of 0.3 * (7 - 1) + 0.8
SECOND = math.exp(-0.5 * (2 / 2.6) ** 2)


def draw(*keypoints: tuple[float, ...], size: tuple[int, int] = (HEIGHT, WIDTH), bound: Any = None) -> Tensor:
    """The channels of one condition, each (height, width)."""
    picture = StackedConditions(len(keypoints), (15, 15), bound or size)
    return picture(torch.tensor([keypoints]), *size)[0]


def test_a_keypoint_is_a_gaussian_around_the_preceding_pixel() -> None:
    drawn = draw((20.9, 30.2, 0.4))[0]
    assert drawn[29, 19].item() == pytest.approx(255)
    assert drawn[29, 20].item() == drawn[28, 19].item() == pytest.approx(255 * NEXT, abs=1e-3)
    assert drawn[30, 20].item() == pytest.approx(255 * NEXT * NEXT, abs=1e-3)
    assert drawn[27, 18].item() == pytest.approx(255 * SECOND * NEXT, abs=1e-3)
    shown = drawn.nonzero()
    assert (shown.amin(0).tolist(), shown.amax(0).tolist()) == ([22, 12], [36, 26])


def test_the_blur_reflects_at_the_edges_without_repeating_them() -> None:
    drawn = draw((2.0, 30.0, 1.0))[0]  # pixel 1: its reflection is at -1
    edge, own = 2 * NEXT, 1 + SECOND
    assert drawn[29, 0].item() == pytest.approx(255)
    assert drawn[29, 1].item() == pytest.approx(255 * own / edge, abs=1e-3)
    assert draw((1.0, 30.0, 1.0))[0, 29, 1].item() == pytest.approx(255 * NEXT, abs=1e-3)  # pixel 0 has no reflection
    corner = draw((WIDTH - 1.0, HEIGHT - 1.0, 1.0))[0]
    assert corner[-1, -1].item() == pytest.approx(255)
    assert corner[-2, -2].item() == pytest.approx(255 * (own / edge) ** 2, abs=1e-3)


def test_the_brightest_pixel_of_all_channels_is_255() -> None:
    drawn = draw((WIDTH - 1.0, 30.0, 1.0), (40.0, 30.0, 1.0))
    assert drawn[0].amax().item() == pytest.approx(255)
    assert drawn[1].amax().item() == pytest.approx(
        255 / (2 * NEXT), abs=1e-3
    )  # the reflection at the edge doubles the other keypoint


@pytest.mark.parametrize(
    ("keypoint", "pixel"),
    [
        ((WIDTH, HEIGHT, 1.0), (HEIGHT - 1, WIDTH - 1)),
        ((1.0, 1.0, 0.01), (0, 0)),
        ((0.9, 20.0, 1.0), (19, WIDTH - 1)),  # wraps around to the last pixel
        ((20.0, 0.0, 1.0), (HEIGHT - 1, 19)),
    ],
)
def test_keypoints_on_the_edges_are_drawn(keypoint: tuple[float, float, float], pixel: tuple[int, int]) -> None:
    drawn = draw(keypoint)[0]
    assert divmod(int(drawn.argmax()), WIDTH) == pixel


@pytest.mark.parametrize(
    "keypoint",
    [
        ABSENT,
        (20.0, 20.0, 0.0),
        (20.0, 20.0, -1.0),
        (-0.1, 20.0, 1.0),
        (20.0, -3.0, 1.0),
        (WIDTH + 0.1, 20.0, 1.0),
        (20.0, HEIGHT + 0.1, 1.0),
        (math.nan, 20.0, 1.0),
        (math.inf, 20.0, 1.0),
    ],
)
def test_missing_keypoints_are_not_drawn(keypoint: tuple[float, float, float]) -> None:
    drawn = draw(keypoint, (30.0, 30.0, 1.0))
    assert drawn[0].abs().amax() == 0
    assert drawn[1].amax().item() == pytest.approx(255)
    assert draw(keypoint).abs().amax() == 0  # no division by zero


def test_keypoints_beyond_the_training_size_are_not_drawn() -> None:
    large = draw((90.0, 50.0, 1.0), (97.0, 50.0, 1.0), (90.0, 65.0, 1.0), size=(128, 160), bound=(HEIGHT, WIDTH))
    assert large.shape == (3, 128, 160)
    assert (large.amax((1, 2)) > 0).tolist() == [True, False, False]
    small = draw((90.0, 50.0, 1.0), (40.0, 20.0, 1.0), size=(32, 64), bound=(HEIGHT, WIDTH))
    assert (small.amax((1, 2)) > 0).tolist() == [False, True]


def test_batch_items_are_independent() -> None:
    first, second = [(WIDTH - 1.0, 30.0, 1.0), (40.0, 30.0, 1.0)], [(10.0, 30.0, 1.0), ABSENT]
    picture = StackedConditions(2, (15, 15), (HEIGHT, WIDTH))
    batch = picture(torch.tensor([first, second, [ABSENT, ABSENT]]), HEIGHT, WIDTH)
    torch.testing.assert_close(batch[0], draw(*first), rtol=0, atol=0)
    torch.testing.assert_close(batch[1], draw(*second), rtol=0, atol=0)
    assert batch[2].abs().amax() == 0


def test_kernels_may_be_rectangular() -> None:
    picture = StackedConditions(1, (5, 3), (HEIGHT, WIDTH))
    drawn = picture(torch.tensor([[[20.0, 30.0, 1.0]]]), HEIGHT, WIDTH)[0, 0]
    assert (drawn[29, 16:23] / 255).tolist() == pytest.approx([0, 1 / 6, 4 / 6, 1, 4 / 6, 1 / 6, 0])
    assert (drawn[27:32, 19] / 255).tolist() == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert gaussian_taps(15)[1:3] == pytest.approx((NEXT, SECOND))


def test_colours_add_up_and_the_brightest_becomes_255() -> None:
    picture = ColouredConditions([(100, 0, 50), (0, 200, 0)], (15, 15), (HEIGHT, WIDTH))
    drawn = picture(torch.tensor([[[20.0, 30.0, 1.0], [21.0, 30.0, 1.0]]]), HEIGHT, WIDTH)[0]
    assert drawn[:, 29, 20].tolist() == pytest.approx([127.5 * NEXT, 255, 63.75 * NEXT], abs=1e-3)
    assert drawn[:, 29, 19].tolist() == pytest.approx([127.5, 255 * NEXT, 63.75], abs=1e-3)


def test_the_last_of_several_keypoints_in_a_pixel_is_painted() -> None:
    picture = ColouredConditions([(100, 0, 0), (0, 200, 0), (0, 0, 50)], (15, 15), (HEIGHT, WIDTH))

    def colour(*confidences: float) -> list[float]:
        condition = torch.tensor([[[20.1 + 0.2 * index, 30.0, sure] for index, sure in enumerate(confidences)]])
        return [round(value, 3) for value in picture(condition, HEIGHT, WIDTH)[0, :, 29, 19].tolist()]

    assert colour(1, 1, 1) == [0, 0, 255]
    assert colour(1, 1, 0) == [0, 255, 0]
    assert colour(1, 0, 0) == [255, 0, 0]


def test_default_colours_are_the_rainbow() -> None:
    assert rainbow(1) == [(127, 0, 255)]
    assert rainbow(3) == [(127, 0, 255), (128, 254, 179), (255, 0, 0)]
    picture = build_condition_image({"type": "ColoredKeypointEncoder", "num_joints": 3})
    assert isinstance(picture, ColouredConditions)
    assert picture.colours.tolist() == [list(colour) for colour in rainbow(3)]
    assert picture.size == (256, 256)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "BasicKeypointEncoder"}, "BasicKeypointEncoder"),
        ({"kernel_size": [15, 4]}, "odd"),
        ({"type": "ColoredKeypointEncoder", "colors": [[1, 2, 3]]}, "2 keypoints"),
        ({"type": "ColoredKeypointEncoder", "colors": [[1, 2], [3, 4]]}, "three values"),
    ],
)
def test_unsupported_encoders_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        build_condition_image({"type": "StackedKeypointEncoder", "num_joints": 2, **changes})
    with pytest.raises(UnsupportedModelError, match="kpt_encoder"):
        build_condition_image("StackedKeypointEncoder")
