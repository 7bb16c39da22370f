"""Crops of boxes: numbers that deeplabcut 3.0.2 gives, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from dlclive_core.errors import UsageError
from dlclive_core.models.topdown import CropRules, cut_boxes

IMAGE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
SQUARE = (256, 256)


@pytest.mark.parametrize(
    ("box", "rules", "offset", "size"),
    [
        # x1, y1, width, height -> the corner and the size of what is shown, in pixels of the frame
        ((100, 100, 256, 256), CropRules(shape=SQUARE), (100, 100), (256, 256)),
        ((100, 100, 256, 256), CropRules(shape=SQUARE, margin=10), (90, 90), (276, 276)),
        ((100, 100, 200, 100), CropRules(shape=SQUARE), (100, 50), (200, 200)),
        ((100.3, 100.7, 199.2, 100.9), CropRules(shape=SQUARE), (100, 52), (200, 199)),
        ((100.3, 100.7, 199.2, 100.9), CropRules(shape=SQUARE, context=False), (100, 52), (200, 199)),
        ((-20, -30, 80, 60), CropRules(shape=SQUARE), (-20, -40), (80, 80)),
        ((-20, -30, 80, 60), CropRules(shape=SQUARE, context=False), (-20, -45), (80, 90)),
        ((600, 450, 100, 100), CropRules(shape=SQUARE, context=False), (600, 445), (100, 110)),
        ((10.5, 11.5, 100.5, 61.5), CropRules(shape=SQUARE), (10, -8), (101, 100)),
        ((10.5, 11.5, 100.5, 61.5), CropRules(shape=SQUARE, context=False), (10, -8), (101, 101)),
        ((99.5, 100.5, 257, 255), CropRules(shape=SQUARE), (100, 100), (256, 256)),
    ],
)
def test_shows_the_same_part_of_the_frame_as_deeplabcut(
    box: tuple[float, ...], rules: CropRules, offset: tuple[float, float], size: tuple[float, float]
) -> None:
    x, y, width, height = box
    crops, (transform,) = cut_boxes(IMAGE, np.array([[x, y, x + width, y + height]]), rules)
    assert crops.shape == (1, *rules.shape, 3)
    assert transform.offset == offset
    np.testing.assert_allclose(transform.scale, (size[0] / rules.shape[1], size[1] / rules.shape[0]), rtol=1e-12)


def test_an_input_that_is_not_square_gets_the_black_that_deeplabcut_adds() -> None:
    """Which is too much: 32 px above and below would reach the ratio, and 42 are there."""
    box = np.array([[195.0, 0, 306, 19]])
    crops, (transform,) = cut_boxes(IMAGE, box, CropRules(shape=(192, 256), context=False))
    assert transform.offset == (195, -42)
    np.testing.assert_allclose(transform.scale, (111 / 256, 103 / 192), rtol=1e-12)
    assert not crops[0, :75].any()


def test_a_box_of_the_inputs_size_is_untouched() -> None:
    crops, (transform,) = cut_boxes(IMAGE, np.array([[50, 60, 50 + 96, 60 + 128]]), CropRules(shape=(128, 96)))
    np.testing.assert_array_equal(crops[0], IMAGE[60 : 60 + 128, 50 : 50 + 96])
    assert transform.scale == (1.0, 1.0)


def test_outside_the_frame_it_is_black_and_with_context_the_surroundings_are_seen() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    box = np.array([[-32.0, 20, 32, 52]])  # 64 wide, 32 high, half of it left of the frame
    crop = cut_boxes(white, box, CropRules(shape=(64, 64)))[0][0]
    assert (crop[:, :32] == 0).all()
    assert (crop[:, 32:] == 255).all()
    inside = np.array([[10.0, 20, 74, 52]])
    without_context = cut_boxes(white, inside, CropRules(shape=(64, 64), context=False))[0][0]
    assert (without_context[16:48] == 255).all()
    assert (without_context[:16] == 0).all()
    assert (without_context[48:] == 0).all()


def test_a_box_wholly_outside_is_black() -> None:
    crops, _ = cut_boxes(IMAGE, np.array([[-200.0, -200, -100, -100]]), CropRules(shape=(64, 64)))
    assert not crops.any()


def test_keypoints_come_back_to_where_they_are() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        x, y, width, height = rng.uniform((0, 0, 20, 20), (500, 400, 300, 300))
        rules = CropRules(shape=(192, 256), margin=float(rng.integers(0, 20)))
        _, (transform,) = cut_boxes(IMAGE, np.array([[x, y, x + width, y + height]]), rules)
        points = rng.uniform(0, 200, (5, 3)).astype(np.float32)
        np.testing.assert_allclose(transform.to_inner(transform.to_outer(points)), points, atol=1e-3)


def test_a_box_that_is_none() -> None:
    with pytest.raises(UsageError, match="x1 < x2"):
        cut_boxes(IMAGE, np.array([[5.0, 5, 5, 9]]), CropRules(shape=SQUARE))
