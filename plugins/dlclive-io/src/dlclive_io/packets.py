"""The packets of a video file, with what the file says about how many there should be."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from dlclive_core import DataError, SourceError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

MAX_ERRORS_IN_A_ROW = 64
"""A file whose next packets fail this often in a row has ended."""


class VideoPackets:
    """Opens a video file and yields the packets of its first video stream.

    Attributes:
        stream: the video stream.
        damaged: places at which the container itself could not be read.
        missing: at the end of the file, how many packets it promised and did not hold.
        expected: how many the container's index lists, where the index is complete (MP4, MOV); else None.
    """

    def __init__(self, path: Path) -> None:
        self._container = _open(path)
        if not self._container.streams.video:
            kinds = sorted({stream.type for stream in self._container.streams})
            self._container.close()
            raise DataError(f"{path} holds no video, only {', '.join(kinds) or 'nothing'}; give a video file")
        self.stream: VideoStream = self._container.streams.video[0]
        self.damaged = 0
        self._seen = 0
        self.missing = 0
        self._end = 0.0
        self.expected = self._indexed()

    def __iter__(self) -> Iterator[Packet]:
        """Every packet with content, then one without, which flushes the decoder."""
        errors = 0
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                self.missing = self._missing()
                return
            except (FFmpegError, OSError):
                self.damaged += 1
                errors += 1
                if errors == MAX_ERRORS_IN_A_ROW:
                    self.missing = self._missing()
                    return
                packets = self._container.demux(self.stream)  # a generator that raised is over; the file may go on
                continue
            errors = 0
            if packet.size:
                self._seen += 1
                self._note_end(packet)
            yield packet

    def _missing(self) -> int:
        """Exact where there is an index. A file that only declares its length (Matroska, AVI) and stops more than two
        frames short of it misses one, for want of a better number; MPEG-TS and raw streams declare nothing.
        """
        if self.expected is not None:
            return max(0, self.expected - self._seen)
        declared = self._declared_end()
        rate = self.stream.average_rate
        return int(declared is not None and bool(rate) and self._end < declared - 2.5 / float(rate or 1))

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _note_end(self, packet: Packet) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.time_base is not None:
            self._end = max(self._end, float((stamp + (packet.duration or 0)) * packet.time_base))

    def _indexed(self) -> int | None:
        """The samples that an MP4's index lists: `stsz`, less what its edit list leaves out."""
        if "mp4" not in self._container.format.name or not self.stream.frames:
            return None  # a fragmented file has no count in front
        return min(self.stream.frames, len(self.stream.index_entries) or self.stream.frames)

    def _declared_end(self) -> float | None:
        """Seconds at which the video ends as the file's head says, None where it says nothing that can be relied on."""
        name = self._container.format.name
        if "matroska" in name:
            tag = self.stream.metadata.get("DURATION")
            if tag:
                return _seconds(tag)
            alone = len(self._container.streams) == 1
            return self._container.duration / av.time_base if alone and self._container.duration else None
        if name == "avi" and self.stream.duration and self.stream.time_base:
            return float(self.stream.duration * Fraction(self.stream.time_base))
        return None


def _seconds(tag: str) -> float | None:
    """Matroska's "00:00:20.000000000" in seconds."""
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _open(path: Path) -> InputContainer:
    if not path.exists():
        raise SourceError(f"no video at {path}: check the path")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; give a video file, or use the source 'images'")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty: the recording or the copy failed")
        return av.open(str(path))
    except PermissionError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    except (FFmpegError, OSError) as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{path} cannot be read as a video ({reason}): it is damaged, cut short, or no video") from None
