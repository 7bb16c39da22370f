"""DeepLabCut-live's example `DogJumpLED`, written anew: a light that is on while a dog's elbow is above its withers."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError
from dlclive_processors.deeplabcut_live.board_processor import BoardProcessor

_REST = 0.25  # seconds between two switches
_OFF = (b"\x00", b"0")


class JumpLed(BoardProcessor):
    """Switches a light on while an elbow of any animal is higher in the image than its withers, and off otherwise.

    In each frame the board is asked for its state (the byte R, answered with one byte). If that is not as it should be, the
    light is toggled (the byte L), at most every 0.25 s. Only with `record`: a session always records, `DLCLive.get_pose` takes
    it as a keyword. At the end, the light is switched off.

    The example's variants with a Kalman filter are `--processor kalman --processor jump-led:...`.

    Args:
        com: the board's port; empty: no board, the times alone.
        lik_thresh: likelihood above which a keypoint counts.
        baudrate: bits per second.
        elbows: names of both; None: keypoints number 12 and 13, counted from 0.
        withers: its name; None: keypoint number 6.
        timeout: seconds to wait for the board's state; the latency path waits as well.
        save: file for the times, see `save`, written at the end.
        overwrite: whether it may be replaced.

    Attributes:
        led_times: for each switch whether it was on (1) or off (0), the frame's wall time, and the wall time of the switch.
    """

    def __init__(
        self,
        com: str = "",
        lik_thresh: float = 0.5,
        baudrate: int = 9600,
        *,
        elbows: Sequence[str] | None = None,
        withers: str | None = None,
        timeout: float = 0.05,
        save: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        if elbows is not None and (isinstance(elbows, str) or len(elbows) != 2):
            raise UsageError(f"elbows is {elbows!r:.60}; give two names, such as [left_elbow,right_elbow]")
        first, second = elbows if elbows is not None else (12, 13)
        keypoints: dict[str, str | int] = {"elbows[0]": first, "elbows[1]": second, "withers": withers or 6}
        super().__init__(com, baudrate, lik_thresh, timeout, keypoints, save, overwrite)
        self._begin()

    @property
    def statistics(self) -> Mapping[str, float]:
        """Number of switches, and of questions that the board did not answer."""
        return {"switches": len(self.led_times), **super().statistics}

    def switch_led(self, val: bool, frame_time: float) -> None:
        """Toggle the light, unless it is as it should be or was toggled a moment ago.

        Args:
            val: whether it should be on.
            frame_time: wall time of the frame behind it, in seconds.
        """
        if not self._ask_state():
            return
        if val != self._is_on and time.perf_counter() - self._switched_at > _REST:
            self._toggle()
            self.led_times.append((float(val), frame_time, time.time()))

    def save(self, filename: str = "") -> bool:
        """Write `led_times`, (n, 3), for `numpy.load`, under this very name. Returns whether it did."""
        return bool(super().save(filename))

    def _begin(self) -> None:
        self.led_times: list[tuple[float, float, float]] = []
        self._is_on = False
        self._switched_at = -math.inf

    def _act(self, animals: NDArray[np.floating[Any]], keywords: Mapping[str, Any]) -> None:
        if not keywords.get("record"):
            return
        withers = self._points(animals, "withers")
        jumps = False
        for option in ("elbows[0]", "elbows[1]"):
            elbow = self._points(animals, option)
            both = (elbow[:, 2] > 0) & (withers[:, 2] > 0)
            jumps = jumps or bool((both & (elbow[:, 1] < withers[:, 1])).any())  # y points down
        self.switch_led(jumps, float(keywords.get("frame_time", math.nan)))

    def _ask_state(self) -> bool:
        """Learn from the board whether the light is on; False if it does not say."""
        if self._board is None:
            return True
        answer = self._ask(b"R")
        if answer:
            self._is_on = answer not in _OFF
        return bool(answer)

    def _toggle(self) -> None:
        if self._board is not None:
            self._board.send(b"L")
        self._is_on = not self._is_on
        self._switched_at = time.perf_counter()

    def _last_bytes(self) -> bytes:
        was_on, self._is_on = self._is_on, False
        if was_on:
            self.led_times.append((0.0, math.nan, time.time()))
        return b"L" if was_on else b""

    def _content(self) -> bytes:
        file = io.BytesIO()
        np.save(file, np.array(self.led_times, np.float64).reshape(-1, 3))
        return file.getvalue()
