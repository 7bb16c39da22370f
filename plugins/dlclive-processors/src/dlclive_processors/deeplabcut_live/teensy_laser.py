"""DeepLabCut-live's example `TeensyLaser`, written anew: a laser on a Teensy board, on while a keypoint is in a box."""

from __future__ import annotations

import io
import logging
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError, check_number, check_whole
from dlclive_processors.deeplabcut_live.board_processor import BoardProcessor

_log = logging.getLogger(__name__)

_MOST = 65535  # two bytes
_FOREVER = 65355  # what the board makes of a duration of 0, in ms


class TeensyLaser(BoardProcessor):
    """Switches pulses of a laser on while a keypoint of any animal is inside a box of the image, and off outside.

    On: the byte O and three uint16 in the computer's byte order: pulses per second, width and longest duration in ms. The board
    answers with a line of these three numbers. Off: the byte X, also at the end of a run.

    The board's sketch has no watchdog: if the computer dies or hangs while the laser is on, it stays on for `max_stim_dur`,
    or, with 0, for 65 s. Use `Stimulate` for a laser that must not do that.

    Args:
        com: the board's port, for example "/dev/ttyACM0".
        baudrate: bits per second.
        pulse_freq: pulses per second.
        pulse_width: length of a pulse in ms.
        max_stim_dur: longest time on, in ms; 0: the board's longest.
        keypoint: name of the keypoint to watch; None: the first one.
        box: x1, y1, x2, y2 in px of the full frame; the keypoint must be strictly inside.
        lik_thresh: the keypoint's likelihood must be above this; a missing keypoint is never inside.
        save: file for the times, see `save`, written at the end.
        overwrite: whether it may be replaced.

    Attributes:
        stim_on_time, stim_off_time: wall times, in seconds, at which it was switched.

    Raises:
        UsageError: an invalid option, or an unknown keypoint (in `open`).
        DependencyError, OutputError: the port cannot be opened (in `open`), or is gone.
    """

    def __init__(
        self,
        com: str,
        baudrate: int = 115200,
        pulse_freq: int = 50,
        pulse_width: int = 5,
        max_stim_dur: int = 0,
        *,
        keypoint: str | None = None,
        box: Sequence[float] = (0, 0, 100, 100),
        lik_thresh: float = 0.5,
        save: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        if not com:
            raise UsageError("com is empty; give the board's port, for example /dev/ttyACM0")
        super().__init__(com, baudrate, lik_thresh, 0.05, {"keypoint": keypoint or 0}, save, overwrite)
        self.pulse_freq = check_whole("pulse_freq", pulse_freq, least=1, most=_MOST)
        self.pulse_width = check_whole("pulse_width", pulse_width, least=1, most=_MOST)
        self.max_stim_dur = check_whole("max_stim_dur", max_stim_dur, least=0, most=_MOST)
        if self.pulse_freq * self.pulse_width > 1000:
            raise UsageError(
                f"pulses of {pulse_width} ms overlap at {pulse_freq} per second; reduce pulse_width or pulse_freq"
            )
        corners = [check_number("box", value) for value in box]
        if len(corners) != 4 or not (corners[0] < corners[2] and corners[1] < corners[3]):
            raise UsageError(f"box is {list(box)!r:.60}; give x1, y1, x2, y2 with x1 < x2 and y1 < y2")
        self._box = corners
        self._begin()

    @property
    def stimulating(self) -> bool:
        """Whether it was switched on last; the board may have ended it since."""
        return self._is_on

    @property
    def statistics(self) -> Mapping[str, float]:
        """Times it was switched on; those that the board confirmed, and those that it understood wrongly."""
        return {"switched_on": len(self.stim_on_time), "confirmed": self._confirmed, "misread": self._misread}

    def save(self, filename: str = "") -> int:
        """Write `stim_on` and `stim_off`, arrays of wall times, for `numpy.load`. Returns 1; 0 without a name, -1 if it failed.

        The file is no pickle, unlike that of DeepLabCut-live's example: opening it runs no code.
        """
        return (1 if super().save(filename) else -1) if filename else 0

    def close_serial(self) -> None:
        """`close`, by the name in DeepLabCut-live's example."""
        self.close()

    def _begin(self) -> None:
        self.stim_on_time: list[float] = []
        self.stim_off_time: list[float] = []
        self._is_on = False
        self._confirmed = self._misread = 0
        self._line = b""

    def _act(self, animals: NDArray[np.floating[Any]], keywords: Mapping[str, Any]) -> None:
        self._listen()
        x, y, likelihood = self._points(animals, "keypoint").T
        x1, y1, x2, y2 = self._box
        inside = bool(((likelihood > 0) & (x1 < x) & (x < x2) & (y1 < y) & (y < y2)).any())
        if inside and not self._is_on:
            self._send(b"O" + struct.pack("=HHH", self.pulse_freq, self.pulse_width, self.max_stim_dur))
            self._is_on = True
            self.stim_on_time.append(time.time())
        elif self._is_on and not inside:
            self._send(b"X")
            self._is_on = False
            self.stim_off_time.append(time.time())

    def _send(self, data: bytes) -> None:
        if self._board is not None:
            self._board.send(data)

    def _listen(self) -> None:
        """Read what the board understood. It reads numbers before they have arrived, if the line is slow."""
        if self._board is None:
            return
        *lines, self._line = (self._line + self._board.received()).split(b"\n")
        self._line = self._line[-100:]
        asked = f"{self.pulse_freq},{self.pulse_width},{self.max_stim_dur or _FOREVER}".encode()
        for line in lines:
            if line.strip() in (asked, asked.replace(str(_FOREVER).encode(), b"0")):
                self._confirmed += 1
            else:
                self._misread += 1
                _log.warning("the board on %s understood %r, not %r", self.com, line.strip()[:60], asked)

    def _last_bytes(self) -> bytes:
        if self._is_on:
            self._is_on = False
            self.stim_off_time.append(time.time())
        return b"X"  # even if it should be off

    def _content(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, stim_on=np.array(self.stim_on_time), stim_off=np.array(self.stim_off_time))
        return file.getvalue()
