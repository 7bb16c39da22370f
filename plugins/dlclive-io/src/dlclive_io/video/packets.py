"""The packets of a video file, and how many the file declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import av
from av.error import FFmpegError

from dlclive_core import DataError, SourceError
from dlclive_io.video.avi import has_index

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

MAX_ERRORS_IN_A_ROW = 64
"""Reading ends after this many failures in a row."""

MATROSKA_OVERHEAD = 256
"""A gap of up to this many bytes between two blocks is normal: headers of blocks and clusters take about twenty."""

AVI_CHUNK_HEADER = 8
"""Bytes between the position in an AVI's index and that of the packet."""


class Arrival(NamedTuple):
    """A packet, and what is known about losses before it.

    Attributes:
        packet: not empty.
        lost: packets listed in the file's index just before this one that did not come.
        hole: bytes before it could not be read.
    """

    packet: Packet[VideoStream]
    lost: int
    hole: bool


class VideoPackets:
    """Opens a video file and yields the packets of its first video stream.

    Attributes:
        stream: the video stream.
        expected: number of packets in the container's index (MP4, MOV, AVI); None without an index.
        frame_count: number of frames if the index tells it, else None.
        damaged: number of places where the container could not be read.
        missing: packets that were declared but not found; known at the end of the file.
    """

    def __init__(self, path: Path) -> None:
        self._container = _open(path)
        videos = [stream for stream in self._container.streams.video if stream.codec_context is not None]
        if not videos:
            kinds = sorted({stream.type for stream in self._container.streams})
            self._container.close()
            if "video" in kinds:
                raise DataError(f"{path} holds video in an unknown codec: it is damaged, or no decoder is installed")
            raise DataError(f"{path} holds no video, only {', '.join(kinds) or 'nothing'}; give a video file")
        self.stream: VideoStream = videos[0]
        self.damaged = 0
        self.missing = 0
        self._format = self._container.format.name
        self._seen = 0
        self._entry = 0
        self._lost = 0
        self._end = 0.0
        self._position: int | None = None
        self.expected, self.frame_count = self._indexed(path)

    def __iter__(self) -> Iterator[Arrival]:
        """Yield every packet that is not empty."""
        failures = 0
        packets = self._container.demux()  # all streams: _has_hole accounts for the bytes of the others, too
        while failures < MAX_ERRORS_IN_A_ROW:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                break
            except (FFmpegError, OSError):
                self.damaged += 1
                failures += 1
                packets = self._container.demux()  # a generator that raised is exhausted; the file may continue
                continue
            failures = 0
            if not packet.size:  # the end of a stream
                continue
            hole = self._has_hole(packet)
            if packet.stream_index != self.stream.index:
                continue
            picture = cast("Packet[VideoStream]", packet)
            self._seen += 1
            lost = self._skipped(picture)
            self._lost += lost
            self._note_end(picture)
            yield Arrival(picture, lost, hole)
        self.missing = self._missing()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _indexed(self, path: Path) -> tuple[int | None, int | None]:
        """Number of packets and of frames in the index. The edit list of an MP4 hides some frames."""
        entries = self.stream.index_entries
        if "mp4" in self._format and self.stream.frames:  # a fragmented MP4 has no count in its header
            return len(entries), sum(not entry.is_discard for entry in entries)
        if self._format == "avi" and has_index(path):
            count = sum(entry.size > 0 for entry in entries)
            return count, count
        return None, None

    def _skipped(self, packet: Packet[VideoStream]) -> int:
        """How many packets of an AVI's index were skipped, which FFmpeg does silently."""
        if self._format != "avi" or self.expected is None or packet.pos is None:
            return 0
        entries, skipped = self.stream.index_entries, 0
        while self._entry < len(entries) and entries[self._entry].pos + AVI_CHUNK_HEADER < packet.pos:
            skipped += entries[self._entry].size > 0
            self._entry += 1
        self._entry += 1
        return skipped

    def _has_hole(self, packet: Packet[Stream]) -> bool:
        """Whether bytes before this packet were skipped: FFmpeg resynchronises silently."""
        damaged = packet.is_corrupt
        if "matroska" in self._format and packet.pos is not None:
            damaged |= self._position is not None and packet.pos - self._position > MATROSKA_OVERHEAD
            self._position = packet.pos + packet.size
        self.damaged += damaged
        if self._format == "mpegts":  # its counters flag damage, not always at the packet after the loss
            return self.damaged > 0
        return damaged

    def _missing(self) -> int:
        """Number of packets missing at the end.

        Exact with an index. An AVI without one was not closed or is truncated; Matroska declares its length, and a file
        that stops more than two frames short of it is truncated: each counts as one, since the number is unknown.
        MPEG-TS and raw streams declare nothing.
        """
        if self.expected is not None:
            return max(0, self.expected - self._seen - self._lost)
        if self._format == "avi":
            return int(self._seen > 1)
        declared, rate = self._declared_end(), self.stream.average_rate
        return int(declared is not None and bool(rate) and self._end < declared - 2.5 / float(rate or 1))

    def _note_end(self, packet: Packet[VideoStream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.time_base is not None:
            self._end = max(self._end, float((stamp + (packet.duration or 0)) * packet.time_base))

    def _declared_end(self) -> float | None:
        """End time of a Matroska file's video according to its header, in seconds."""
        if "matroska" not in self._format:
            return None
        if tag := self.stream.metadata.get("DURATION"):
            return _seconds(tag)
        alone = len(self._container.streams) == 1
        return self._container.duration / av.time_base if alone and self._container.duration else None


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
        return av.open(str(path), metadata_errors="replace")  # a video's title may be in any encoding
    except PermissionError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    except (FFmpegError, OSError) as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{path} cannot be read as a video ({reason}): it is damaged, truncated or not a video"
        ) from None
