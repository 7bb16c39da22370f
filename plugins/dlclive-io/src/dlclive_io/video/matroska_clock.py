"""The clock of a Matroska file, which FFmpeg lets tick in milliseconds only.

All times in the file count ticks, whose length stands in its head. FFmpeg writes packets whose times are given in finer
ticks as if they were milliseconds; here the length of a tick is then corrected in the head.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

TICK = Fraction(1, 100_000)
"""Length of a tick in seconds: a Matroska block lies at most 32767 ticks behind the head of its cluster."""

FFMPEG_TICK = Fraction(1, 1000)
"""What FFmpeg takes a tick for."""

OPTIONS = {"write_crc32": "0"}
"""A checksum of the head would not fit the corrected one."""

_HEAD = 65_536  # bytes in which the elements below are searched
_SCALE = b"\x2a\xd7\xb1"  # TimestampScale, the length of a tick in nanoseconds
_DURATION_TAG = b"DURATION"
_TAG_TEXT = b"\x44\x87"  # TagString
_TEXT_LENGTH = len("00:00:00.000000000")
_RATIO = int(FFMPEG_TICK / TICK)
_FFMPEG_SCALE = int(FFMPEG_TICK * 10**9).to_bytes(3, "big")
_OUR_SCALE = int(TICK * 10**9).to_bytes(3, "big")


def set_clock(path: Path) -> bool:
    """Correct the length of a tick, and the durations that FFmpeg wrote as text; False if the head is not as expected."""
    with path.open("rb+") as file:
        head = file.read(_HEAD)
        scale_at = head.find(_SCALE + b"\x83" + _FFMPEG_SCALE)
        if scale_at < 0:
            return head.find(_SCALE + b"\x83" + _OUR_SCALE) >= 0
        at = head.find(_DURATION_TAG)
        while at >= 0:
            begin = head.find(_TAG_TEXT, at, at + 16) + len(_TAG_TEXT) + 1
            text = head[begin : begin + _TEXT_LENGTH]
            if begin > len(_TAG_TEXT) and (shorter := _divided(text)):
                file.seek(begin)
                file.write(shorter)
            at = head.find(_DURATION_TAG, at + 1)
        file.seek(scale_at + len(_SCALE) + 1)
        file.write(_OUR_SCALE)
    return True


def _divided(text: bytes) -> bytes | None:
    """The true duration for what FFmpeg wrote, such as 00:03:20.000000000; None if it is not such a text."""
    try:
        hours, minutes, seconds = text.decode("ascii").split(":")
        whole, _, fraction = seconds.partition(".")
        nanoseconds = ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10**9 + int(fraction.ljust(9, "0")[:9])
    except ValueError:
        return None
    left, part = divmod(nanoseconds // _RATIO, 10**9)
    return f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}.{part:09}".encode("ascii")
