"""An LED is found where it blinks, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_processors.led_spot import LEAST, Spot, SpotFinder

from dlclive_core import UsageError

HEIGHT, WIDTH = 120, 160


class Room:
    """A noisy room with a disc that moves, a lamp that flickers, and an LED in square (y, x)."""

    def __init__(self, seed: int, led: tuple[int, int, int] | None = (70, 30, 5), brightness: float = 60.0) -> None:
        self._random = np.random.default_rng(seed)
        self._led, self._brightness = led, brightness
        self._walk = 0

    def image(self, lit: bool, channels: int = 3) -> np.ndarray:
        image = self._random.normal(90, 6, (HEIGHT, WIDTH))
        self._walk += 7
        column = 20 + self._walk % 120
        image[40:60, column : column + 15] += 120
        image *= 1 + 0.05 * self._random.normal()
        if lit and self._led is not None:
            y, x, size = self._led
            image[y : y + size, x : x + size] += self._brightness
        grey = np.clip(image, 0, 255).astype(np.uint8)
        return grey if channels == 1 else np.repeat(grey[:, :, None], 3, axis=2)


def found(room: Room, finder: SpotFinder, channels: int = 3, frames: int = 2) -> Spot | float:
    for phase in range(13):
        finder.begin()
        for _ in range(frames):
            finder.add(room.image(phase % 2 == 1, channels))
    return finder.spot()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_an_led_is_found_beside_what_moves(seed: int, channels: int) -> None:
    random = np.random.default_rng(100 + seed)
    y, x, size = int(random.integers(4, 108)), int(random.integers(4, 148)), int(random.integers(3, 9))
    room = Room(seed, (y, x, size))
    spot = found(room, SpotFinder(), channels)
    assert isinstance(spot, Spot)
    assert abs(spot.x + spot.size / 2 - x - size / 2) <= 1.5
    assert abs(spot.y + spot.size / 2 - y - size / 2) <= 1.5
    assert spot.on - spot.off > 30
    assert spot.is_lit(room.image(True, channels))
    assert not spot.is_lit(room.image(False, channels))


@pytest.mark.parametrize("seed", range(20))
def test_no_led_is_found_where_there_is_none(seed: int) -> None:
    change = found(Room(seed, None), SpotFinder())
    assert isinstance(change, float)
    assert 0 <= change < LEAST


def test_an_led_that_is_too_dim_is_not_taken() -> None:
    change = found(Room(1, brightness=6), SpotFinder())
    assert isinstance(change, float)
    assert change < LEAST


def test_a_square_that_is_given_is_used() -> None:
    spot = found(Room(3), SpotFinder((31, 71, 3)))
    assert isinstance(spot, Spot)
    assert (spot.x, spot.y, spot.size) == (31, 71, 3)
    assert isinstance(found(Room(3), SpotFinder((100, 10, 3))), float)


@pytest.mark.parametrize("square", [(150, 10, 20), (10, 110, 20), (400, 400, 5)])
def test_a_square_outside_the_frame_is_refused(square: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="is not inside the frame, which has 160 x 120 pixels"):
        found(Room(3), SpotFinder(square))
