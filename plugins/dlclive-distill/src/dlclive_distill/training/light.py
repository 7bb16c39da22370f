"""Augmentation of what the camera sees: light, contrast, colour, blur, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_RAMP = np.arange(256, dtype=np.float32) / 255
_MIDDLE = np.float32(0.4)  # the level around which contrast changes


@dataclass(frozen=True, slots=True, kw_only=True)
class LightRange:
    """How much is varied; each value is drawn anew for each picture.

    Attributes:
        gain: (least, most) factor of the brightness.
        gamma, contrast, colour: largest factor, up or down; colour for each channel apart.
        blur: (least, most) standard deviation of a Gaussian in pixels, for `blurred` of all pictures.
        noise: largest standard deviation of the noise, as a share of white.
    """

    gain: tuple[float, float] = (0.45, 1.5)
    gamma: float = 1.35
    contrast: float = 1.25
    colour: float = 1.1
    blur: tuple[float, float] = (0.4, 1.8)
    blurred: float = 0.25
    noise: float = 0.045


TRAINING = LightRange()


def vary(pictures: NDArray[np.uint8], random: np.random.Generator, light: LightRange = TRAINING) -> NDArray[np.uint8]:
    """Pictures (B, H, W, 3) in other light, each in its own; the input is not changed."""
    varied = np.empty_like(pictures)
    for picture, result in zip(pictures, varied, strict=True):
        if random.random() < light.blurred:
            picture = cv2.GaussianBlur(picture, (0, 0), _between(random, *light.blur))
        cv2.LUT(picture, _levels(random, light)[None], dst=result)
        sigma = random.random() ** 2 * light.noise * 255
        if sigma >= 1:
            noise = np.empty(picture.shape, np.int16)
            cv2.setRNGSeed(int(random.integers(1 << 31)))  # OpenCV's, of this thread
            cv2.randn(noise, np.zeros(3), np.full(3, sigma))
            cv2.add(result, noise, dst=result, dtype=cv2.CV_8U)
    return varied


def _levels(random: np.random.Generator, light: LightRange) -> NDArray[np.uint8]:
    """The new value of each old one, (256, 3)."""
    curve = _RAMP ** _factor(random, light.gamma)
    curve = (curve - _MIDDLE) * _factor(random, light.contrast) + _MIDDLE
    gains = [_between(random, *light.gain) * _factor(random, light.colour) for _ in range(3)]
    shift = random.uniform(-0.05, 0.05)
    levels = curve[:, None] * np.array(gains, np.float32) + np.float32(shift)
    return np.ascontiguousarray((levels.clip(0, 1) * 255 + 0.5).astype(np.uint8))


def _factor(random: np.random.Generator, most: float) -> float:
    return _between(random, 1 / most, most)


def _between(random: np.random.Generator, least: float, most: float) -> float:
    """Drawn evenly from the logarithms."""
    return float(np.exp(random.uniform(np.log(least), np.log(most))))
