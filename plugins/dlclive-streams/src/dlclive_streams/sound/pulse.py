"""The samples of a sound, made before the run."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError

_RAMP = 0.002  # seconds of rise and fall, against clicks
_LONGEST = 60.0  # seconds of a file
_WIDTHS = {1: ("u1", 128.0, 128.0), 2: ("<i2", 0.0, 32768.0), 4: ("<i4", 0.0, 2147483648.0)}
"""Bytes of a sample in a WAV file: its type, its zero, its largest value."""


def tone(frequency: float, duration: float, volume: float, rate: int) -> NDArray[np.float32]:
    """(samples, 1): a sine of `frequency` Hz for `duration` seconds, with ramps shaped as half a cosine.

    Args:
        volume: amplitude, 1 is the device's largest.
        rate: samples per second.
    """
    count = max(1, round(duration * rate))
    samples = volume * np.sin(2 * np.pi * frequency * np.arange(count) / rate)
    ramp = min(round(_RAMP * rate), count // 2)
    if ramp:
        rise = (1 - np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)) / 2
        samples[:ramp] *= rise
        samples[-ramp:] *= rise[::-1]
    return samples[:, None].astype(np.float32)


def read_wav(path: Path, volume: float) -> tuple[NDArray[np.float32], int]:
    """The (samples, channels) of a WAV file of 8, 16 or 32 bits, times `volume`, and its samples per second.

    Raises:
        DataError: it cannot be read, or is longer than a minute.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, frames = file.getparams()[:4]
            if width not in _WIDTHS or not 1 <= channels <= 32 or not 1000 <= rate <= 400_000:
                raise DataError(
                    f"{path} has {channels} channels of {8 * width} bits; give a WAV file of 8, 16 or 32 bits"
                )
            if frames > _LONGEST * rate:
                raise DataError(f"{path} is longer than {_LONGEST:g} s; give a shorter sound")
            data = file.readframes(frames)
    except (OSError, EOFError, wave.Error) as error:
        raise DataError(f"{path} cannot be read as a WAV file: {error}") from None
    kind, zero, largest = _WIDTHS[width]
    values = np.frombuffer(data[: len(data) // (width * channels) * width * channels], kind).astype(np.float64)
    if not len(values):
        raise DataError(f"{path} holds no sound")
    return (volume * (values - zero) / largest).reshape(-1, channels).astype(np.float32), rate
