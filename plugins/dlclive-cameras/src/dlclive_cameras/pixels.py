"""Conversion of a camera's pixel formats to the images that models take: 8-bit grey or RGB."""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

# GenICam names a mosaic by its first two pixels, OpenCV's newer names by all four.
_BAYER = {
    "RG": cv2.COLOR_BayerRGGB2RGB,
    "GR": cv2.COLOR_BayerGRBG2RGB,
    "GB": cv2.COLOR_BayerGBRG2RGB,
    "BG": cv2.COLOR_BayerBGGR2RGB,
}
_COLOUR = {
    "RGB8": None,
    "BGR8": cv2.COLOR_BGR2RGB,
    "RGBA8": cv2.COLOR_RGBA2RGB,
    "BGRA8": cv2.COLOR_BGRA2RGB,
}
_FORMAT = re.compile(
    r"(?P<kind>Mono|Bayer(?P<mosaic>RG|GR|GB|BG)|RGBa?|BGRa?)(?P<bits>8|10|12|14|16)(?:Packed|p)?", re.I
)


def converts(pixel_format: str) -> bool:
    """Whether `to_image` supports this format, given by its GenICam name."""
    return _parse(pixel_format) is not None


def to_image(pixels: NDArray[np.uint8] | NDArray[np.uint16], pixel_format: str) -> NDArray[np.uint8]:
    """Return (H, W) grey for Mono, (H, W, 3) RGB for colour; the result is always a copy.

    Args:
        pixels: (H, W) for Mono and Bayer, uint8, or uint16 with the number of bits in the name; (H, W, 3 or 4) for colour.
        pixel_format: the GenICam name, for example "BayerRG12".
    """
    parsed = _parse(pixel_format)
    if parsed is None:
        raise ValueError(f"pixel format {pixel_format} cannot be converted")
    kind, bits = parsed
    if pixels.dtype == np.uint16:
        pixels = (pixels >> (bits - 8)).astype(np.uint8)
    if kind in _BAYER:
        return np.asarray(cv2.cvtColor(pixels, _BAYER[kind]), dtype=np.uint8)
    code = _COLOUR.get(f"{kind}8")
    return np.array(pixels, dtype=np.uint8) if code is None else np.asarray(cv2.cvtColor(pixels, code), dtype=np.uint8)


def _parse(pixel_format: str) -> tuple[str, int] | None:
    match = _FORMAT.fullmatch(pixel_format)
    if match is None:
        return None
    kind, bits = (match["mosaic"] or match["kind"]).upper(), int(match["bits"])
    colour = match["mosaic"] is None and kind != "MONO"
    return None if colour and bits != 8 else (kind, bits)
