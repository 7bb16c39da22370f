"""Pixel formats."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_cameras.pixels import converts, to_image

RED, BLUE = (200, 20, 10), (10, 20, 200)


def mosaic(order: str, colour: tuple[int, int, int]) -> np.ndarray:
    """What a sensor with this mosaic sees of one colour."""
    pixels = np.zeros((12, 16), np.uint8)
    second = {"R": "B", "B": "R", "G": "G"}
    rows = (order, second[order[1]] + second[order[0]])
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            pixels[y::2, x::2] = colour["RGB".index(letter)]
    return pixels


@pytest.mark.parametrize("order", ["RG", "GR", "GB", "BG"])
@pytest.mark.parametrize("colour", [RED, BLUE])
def test_every_mosaic_gives_its_colour(order: str, colour: tuple[int, int, int]) -> None:
    if order in ("RG", "BG"):
        pixels = mosaic(order, colour)
    else:  # the rows of GR and GB
        red_or_blue = order[1]
        pixels = np.roll(mosaic(f"{red_or_blue}G", colour), 1, axis=1)
    image = to_image(pixels, f"Bayer{order}8")
    assert image.shape == (12, 16, 3)
    assert np.abs(image[4:8, 4:12].astype(int) - colour).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_only_the_upper_eight_bits_are_kept(bits: int) -> None:
    pixels = np.array([[0, (1 << bits) - 1, 1 << (bits - 1)]], np.uint16)
    assert to_image(pixels, f"Mono{bits}").tolist() == [[0, 255, 128]]
    deep = mosaic("RG", RED).astype(np.uint16) << (bits - 8)
    assert (to_image(deep, f"BayerRG{bits}") == to_image(mosaic("RG", RED), "BayerRG8")).all()


def test_colour_formats_become_rgb() -> None:
    rgb = np.full((4, 4, 3), RED, np.uint8)
    with_alpha = np.dstack([rgb, np.full((4, 4), 9, np.uint8)])
    assert (to_image(rgb, "RGB8") == rgb).all()
    assert (to_image(rgb[:, :, ::-1], "BGR8Packed") == rgb).all()
    assert (to_image(with_alpha, "RGBa8") == rgb).all()
    assert (to_image(with_alpha[:, :, [2, 1, 0, 3]], "BGRa8") == rgb).all()


def test_images_are_copies() -> None:
    for pixel_format, shape in (("Mono8", (4, 4)), ("RGB8", (4, 4, 3)), ("BayerRG8", (4, 4))):
        pixels = np.zeros(shape, np.uint8)
        image = to_image(pixels, pixel_format)
        assert not np.shares_memory(image, pixels)


def test_an_unknown_pixel_format_is_an_error() -> None:
    assert all(converts(name) for name in ("Mono8", "Mono12Packed", "Mono10p", "BayerBG12", "RGBa8", "BGR8"))
    assert not any(converts(name) for name in ("YUV422_8", "Coord3D_C16", "RGB16", "Mono9", "JPEG"))
    with pytest.raises(ValueError, match="YUV422_8"):
        to_image(np.zeros((4, 4), np.uint8), "YUV422_8")
