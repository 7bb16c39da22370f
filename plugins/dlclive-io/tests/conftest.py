"""Films whose frames carry their own number in the picture, and the parts of a run that sinks need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from dlclive_core import EndOfStream, Frame, FrameSource
from dlclive_core.testing import run_info

if TYPE_CHECKING:
    from dlclive_io.screen.web_display import WebDisplay

BITS, BLOCK = 12, 16
WIDTH, HEIGHT = BITS * BLOCK, 96


def draw_number(number: int) -> np.ndarray:
    """(96, 192, 3) RGB: the number as a row of black and white blocks above a moving coloured pattern."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack([(x + 3 * number) % 256, (2 * y + number) % 256, (x + y) % 256], axis=2).astype(np.uint8)
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `draw_number` drew."""
    middle = image[BLOCK // 2, BLOCK // 2 : WIDTH : BLOCK].mean(axis=1)
    return sum(1 << bit for bit in range(BITS) if middle[bit] > 127)


def make_video(
    path: Path,
    count: int = 90,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    fps: int = 30,
    stamps: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int = 0,
    draw: Callable[[int], np.ndarray] = draw_number,
) -> Path:
    """Write a film; `stamps` are presentation times in milliseconds, for a variable rate."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        first = draw(0)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = pix_fmt
        if codec == "libx264":
            stream.codec_context.gop_size = 15
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV cannot write a rotation")
            stream.set_display_rotation(rotation)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            if stamps is not None:
                frame.time_base, frame.pts = Fraction(1, 1000), stamps[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read_frames(source: FrameSource) -> list[Frame]:
    """Every frame of a source."""
    with source:
        source.open()
        frames = []
        while True:
            try:
                frames.append(source.read(1.0))
            except EndOfStream:
                return frames


def flip_bytes(path: Path, start: int, count: int) -> None:
    """Damage a file in place."""
    data = bytearray(path.read_bytes())
    for position in range(start, start + count):
        data[position] ^= 0xA5
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


class Films:
    """The functions above, for tests: with importlib's way of importing, tests cannot import one another."""

    make = staticmethod(make_video)
    draw = staticmethod(draw_number)
    number_in = staticmethod(number_in)
    read = staticmethod(read_frames)
    flip = staticmethod(flip_bytes)
    cut = staticmethod(cut)

    @staticmethod
    def indices_and_numbers(source: FrameSource) -> tuple[list[int], list[int]]:
        """The index of every frame, and the number drawn in it."""
        frames = read_frames(source)
        return [frame.index for frame in frames], [number_in(frame.image) for frame in frames]


@pytest.fixture
def films() -> type[Films]:
    return Films


@pytest.fixture
def display() -> Iterator[WebDisplay]:
    """One that serves."""
    from dlclive_io.screen.web_display import WebDisplay

    with WebDisplay(port=0, pcutoff=0.4) as sink:
        sink.open(run_info(is_live=True))
        yield sink
