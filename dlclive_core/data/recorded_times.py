"""The times of recorded frames, from a table of timestamps."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from dlclive_core.errors import DataError

_LONGEST_LINE = 4096
_NEEDED = ("frame", "captured_at_s")
_LAST_NUMBER = 2**62


@dataclass(frozen=True, slots=True)
class RecordedTime:
    """The times of one frame, in seconds from the start of the run.

    Attributes:
        index: the frame's number in the source.
        captured_at: `Frame.captured_at` minus `RunInfo.started_clock`.
        device_time: the camera's own clock, or the time in the video; None if there is none.
        latency: from the capture to the finished pose; None if the table does not have it.
        wall_time: with time zone; None if the table does not have it.
        video, video_frame: the recorded video that has the frame, and its position there; None if the table does not say.
    """

    index: int
    captured_at: float
    device_time: float | None
    latency: float | None
    video: str | None = None
    video_frame: int | None = None
    wall_time: datetime | None = None


def is_times(path: Path) -> bool:
    """Whether a file is a table of timestamps, finished or the `.part` of a killed run."""
    return Path(path.name.removesuffix(".part")).suffix.lower() == ".csv" and set(_NEEDED) <= set(_header(path))


def read_times(path: Path) -> Iterator[RecordedTime]:
    """Yield the rows of a table of the sink `timestamps`, or of the one beside a recorded video, in their order.

    A last line that is incomplete, as in the file of a killed run, is left out.

    Raises:
        DataError: the file cannot be read, or a line holds something else than times.
    """
    line = 1
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(_whole_lines(file))
            header = next(rows, [])
            if not set(_NEEDED) <= set(header):
                raise DataError(f"{path} is not a table of timestamps: its first line lacks {' or '.join(_NEEDED)}")
            for row in rows:
                line += 1
                if len(row) != len(header):
                    raise ValueError(f"{len(row)} values for {len(header)} columns")
                yield _time(dict(zip(header, row, strict=True)))
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}, line {line}: {' '.join(str(error).split())[:200]}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


class TimesInOrder:
    """Finds the times of frames that come in the order of their numbers, without keeping the table in memory.

    Args:
        times: in the order of their numbers.
        number: the number of a row; None: the frame's number in the source. A row without a number is passed over.
    """

    def __init__(
        self, times: Iterator[RecordedTime], number: Callable[[RecordedTime], int | None] | None = None
    ) -> None:
        self._times = times
        self._number = number or (lambda time: time.index)
        self._next = next(times, None)

    def of(self, number: int) -> RecordedTime | None:
        """The times of a frame; None if it has no row. Raises DataError as `read_times`."""
        while self._next is not None and ((at := self._number(self._next)) is None or at < number):
            self._next = next(self._times, None)
        return self._next if self._next is not None and self._number(self._next) == number else None


def _header(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE).decode("utf-8", "replace")
    except OSError:
        return []
    return line.strip().split(",")


def _whole_lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ValueError("the line is too long")
        if not line.endswith("\n"):
            return
        yield line


def _time(cells: Mapping[str, str]) -> RecordedTime:
    latency = _number(cells.get("latency_ms", ""), "latency_ms")
    place = cells.get("video_frame", "")
    return RecordedTime(
        index=_count(cells["frame"], "frame"),
        captured_at=_finite(cells["captured_at_s"], "captured_at_s"),
        device_time=_number(cells.get("device_time_s", ""), "device_time_s"),
        latency=None if latency is None or not math.isfinite(latency) else latency / 1e3,
        video=cells.get("video") or None,
        video_frame=_count(place, "video_frame") if place else None,
        wall_time=_moment(cells.get("wall_time", "")),
    )


def _number(text: str, name: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text[:40]!r}, not a number") from None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"wall_time is {text[:40]!r}, not a date and time") from None


def _finite(text: str, name: str) -> float:
    value = _number(text, name)
    if value is None or not math.isfinite(value):
        raise ValueError(f"{name} is {text[:40]!r}, not a finite number")
    return value


def _count(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 19 or int(text) >= _LAST_NUMBER:
        raise ValueError(f"{name} is {text[:40]!r}, not a frame number")
    return int(text)
