"""DeepLabCut-live's example `MouseLickLED`, written anew: a light for every frame in which the tongue is seen."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import UsageError
from dlclive_processors.deeplabcut_live.board_processor import BoardProcessor


class LickLed(BoardProcessor):
    """Sends the byte I while a keypoint is seen, and waits for the board's byte: a measurement of the loop's delay.

    Only with `record`: a session always records, `DLCLive.get_pose` takes it as a keyword.

    DeepLabCut-live's example waits for the byte for ever. This one waits for `timeout` seconds, keeps NaN in place of the
    time, and ends the session with OutputError when three bytes in a row did not come.

    Args:
        com: the board's port.
        lik_thresh: likelihood above which the keypoint is seen.
        baudrate: bits per second.
        keypoint: its name; None: keypoint number 6, counted from 0.
        timeout: seconds to wait for the board's byte; the latency path waits as well.
        save: file for the times, see `save`, written at the end.
        overwrite: whether it may be replaced.

    Attributes:
        lick_frame_time: wall times of the frames, in seconds.
        out_time: wall times at which the byte was sent.
        in_time: wall times at which the board's byte came; NaN if it did not.
    """

    def __init__(
        self,
        com: str,
        lik_thresh: float = 0.5,
        baudrate: int = 9600,
        *,
        keypoint: str | None = None,
        timeout: float = 0.05,
        save: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        if not com:
            raise UsageError("com is empty; give the board's port, for example /dev/ttyACM0")
        super().__init__(com, baudrate, lik_thresh, timeout, {"keypoint": keypoint or 6}, save, overwrite)
        self._begin()

    @property
    def statistics(self) -> Mapping[str, float]:
        """Number of licks, of bytes that did not come back, and the median seconds from sending one to its answer."""
        delays = np.subtract(self.in_time, self.out_time)
        median = float(np.nanmedian(delays)) if np.isfinite(delays).any() else math.nan
        return {"licks": len(self.out_time), **super().statistics, "answer_median": median}

    def save(self, filename: str = "") -> bool:
        """Write `lick_frame_time`, `out_time` and `in_time`, for `numpy.load`; under this very name. Returns whether it did."""
        return bool(super().save(filename))

    def _begin(self) -> None:
        self.lick_frame_time: list[float] = []
        self.out_time: list[float] = []
        self.in_time: list[float] = []

    def _act(self, animals: NDArray[np.floating[Any]], keywords: Mapping[str, Any]) -> None:
        if not keywords.get("record") or not (self._points(animals, "keypoint")[:, 2] > 0).any():
            return
        self.lick_frame_time.append(float(keywords.get("frame_time", math.nan)))
        self.out_time.append(time.time())
        self.in_time.append(math.nan)
        if self._ask(b"I"):
            self.in_time[-1] = time.time()

    def _content(self) -> bytes:
        file = io.BytesIO()
        np.savez(
            file,
            lick_frame_time=np.array(self.lick_frame_time),
            out_time=np.array(self.out_time),
            in_time=np.array(self.in_time),
        )
        return file.getvalue()
