"""The packets of a video file, and how many the file declares."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import av
from av.error import FFmpegError

from dlclive_core import DataError
from dlclive_io.video.asf import is_cut_asf
from dlclive_io.video.avi import read_avi
from dlclive_io.video.avi_hole import CHUNK_HEADER, AviHole, find_hole
from dlclive_io.video.fragments import fragment_is_missing
from dlclive_io.video.joined import second_recording
from dlclive_io.video.open_video import open_video
from dlclive_io.video.timeline import Timeline
from dlclive_io.video.transport_stream import packets_are_missing

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_log = logging.getLogger(__name__)

MAX_ERRORS_IN_A_ROW = 64
"""Reading ends after this many failures in a row."""

BLOCK_OVERHEAD = 256
"""A gap of up to this many bytes between two blocks is normal: headers of blocks and clusters take about twenty."""

AROUND_A_JOIN = 4
"""Packets before and after the place where two recordings are joined that the container calls damaged."""


_CONTIGUOUS = ("matroska,webm", "flv")  # FFmpeg's names of containers in which a packet follows the other
_STEADY_CODECS = ("mpeg1video", "mpeg2video")  # without pauses: a gap between timestamps is a loss
_DECLARING_NOTHING = ("mpegts", "mpeg")
_IMAGES = ("tiff_pipe", "webp_pipe")  # FFmpeg's names of files of which it reads the first picture only


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
        expected: number of packets that the container's head or index declares (MP4, MOV, AVI); None if it does not.
        frame_count: number of frames if the index has it, else None.
        missing: packets that were declared but not found; known at the end of the file.
    """

    def __init__(self, path: Path) -> None:
        self._container = open_video(path)
        if self._container.format.name in _IMAGES:
            self._container.close()
            raise DataError(f"{path} is an image, not a video: use the source 'images'")
        videos = [stream for stream in self._container.streams.video if stream.codec_context is not None]
        if not videos:
            kinds = sorted({stream.type for stream in self._container.streams})
            self._container.close()
            if "video" in kinds:
                raise DataError(f"{path} holds video in an unknown codec: it is damaged, or no decoder is installed")
            raise DataError(f"{path} holds no video, only {', '.join(kinds) or 'nothing'}; give a video file")
        self.stream: VideoStream = videos[0]
        self.missing = 0
        self._path = path
        self._damage: list[int] = []  # number of the packet at each place
        self._joined_at: int | None = None
        rate, unit = self.stream.average_rate, self.stream.time_base
        self._timeline = Timeline(float(1 / (rate * unit)) if rate and unit else None, float(1 / unit) if unit else 1.0)
        self._format = self._container.format.name
        self._seen = 0
        self._bytes_read = 0
        self._entry = 0
        self._lost = 0
        self._end = 0.0
        self._position: int | None = None
        self._last: Packet[Stream] | None = None
        self._lists_positions = False
        self._hole: AviHole | None = None
        self.expected, self.frame_count = self._indexed(path)

    @property
    def damaged(self) -> int:
        """Number of places where the container could not be read."""
        return len(self._damage)

    @property
    def _is_fragmented(self) -> bool:
        return "mp4" in self._format and self.expected is None

    @property
    def may_be_short(self) -> bool:
        """At the end of the file: whether it lacks packets, or is of a kind that does not tell."""
        return self.missing > 0 or self.damaged > 0 or self._format in _DECLARING_NOTHING

    @property
    def is_timed_by_index(self) -> bool:
        """Whether the declared rate is computed from all timestamps, which an index lists."""
        return "mp4" in self._format and self.expected is not None

    def __iter__(self) -> Iterator[Arrival]:
        """Yield every packet that is not empty; its times go on where the clock begins again."""
        waiting: deque[Arrival] = deque()
        for arrival in self._arrivals():
            if self._timeline.place(arrival.packet):
                self._join(waiting)
                arrival = arrival._replace(hole=False)
            if arrival.packet.is_discard and self._joined_at is not None:
                arrival = arrival._replace(packet=_kept(arrival.packet))
            self._note_end(arrival.packet)
            waiting.append(arrival)
            if len(waiting) > AROUND_A_JOIN:
                yield waiting.popleft()
        yield from waiting
        self.missing = max(self._missing(), self._hidden())

    def _arrivals(self) -> Iterator[Arrival]:
        failures = 0
        packets = self._container.demux()  # all streams: _has_hole accounts for the bytes of the others, too
        while failures < MAX_ERRORS_IN_A_ROW:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                break
            except (FFmpegError, OSError):
                self._damage.append(self._seen)
                failures += 1
                packets = self._container.demux()  # a generator that raised is exhausted; the file may continue
                continue
            failures = 0
            self._bytes_read = max(self._bytes_read, (packet.pos or 0) + packet.size)
            if not packet.size:  # the end of a stream
                continue
            hole = self._has_hole(packet)
            if packet.stream_index != self.stream.index:
                continue
            picture = cast("Packet[VideoStream]", packet)
            self._seen += 1
            if self._hole is not None and self._hole.first <= self._seen - 1 < self._hole.behind:
                continue  # between two holes of unknown size: it could be any frame
            lost = self._skipped(picture)
            self._lost += lost
            yield Arrival(picture, lost, hole)

    def _join(self, waiting: deque[Arrival]) -> None:
        """Note that another recording begins; what looks like damage here is the end of one and the head of the next."""
        if self._joined_at is None:
            _log.warning(
                "%s: its clock begins again at frame %d, as in joined recordings: frames are counted on, and times go on",
                self._path,
                self._seen - 1,
            )
        self._joined_at = self._seen
        self._damage = [position for position in self._damage if position < self._seen - AROUND_A_JOIN - 1]
        for position, arrival in enumerate(waiting):
            arrival.packet.is_corrupt = False
            waiting[position] = arrival._replace(hole=bool(self._damage) and arrival.hole)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _indexed(self, path: Path) -> tuple[int | None, int | None]:
        """Number of packets and of frames in the index. The edit list of an MP4 hides some frames."""
        entries = self.stream.index_entries
        if "mp4" in self._format and self.stream.frames:  # a fragmented MP4 has no count in its header
            return len(entries), sum(not entry.is_discard for entry in entries)
        if self._format == "avi" and (avi := read_avi(path)) is not None:
            self._lists_positions = avi.has_index
            is_short = not avi.is_whole or not (avi.promised or avi.has_index)
            if avi.missing or not is_short:
                count = avi.pictures + avi.missing
                if avi.missing and not avi.has_index:
                    self._hole = find_hole(path, self.stream.index, count)
                return count, count if avi.has_index else None
        return None, None

    def _skipped(self, packet: Packet[VideoStream]) -> int:
        """How many packets of an AVI's index were skipped, which FFmpeg does silently."""
        if self._hole is not None and self._seen - 1 == self._hole.behind:
            return self._hole.lost
        if not self._lists_positions or packet.pos is None:
            return 0
        entries, skipped = self.stream.index_entries, 0
        while self._entry < len(entries) and entries[self._entry].pos + CHUNK_HEADER < packet.pos:
            skipped += entries[self._entry].size > 0
            self._entry += 1
        self._entry += 1
        return skipped

    def _has_hole(self, packet: Packet[Stream]) -> bool:
        """Whether bytes before this packet were skipped: FFmpeg resynchronises silently."""
        damaged = packet.is_corrupt
        if self._format in _CONTIGUOUS and packet.pos is not None:
            damaged |= self._position is not None and packet.pos - self._position > BLOCK_OVERHEAD
            self._position = packet.pos + packet.size
        if packet.stream_index == self.stream.index:
            damaged |= self._is_cut_before(packet)
        if damaged and self._joined_at is not None and self._seen - self._joined_at < AROUND_A_JOIN:
            packet.is_corrupt = damaged = False
        if damaged:
            self._damage.append(self._seen)
        if self._format == "mpegts":  # its counters flag damage, not always at the packet after the loss
            return self.damaged > 0
        return damaged or self.stream.codec_context.name in _STEADY_CODECS

    def _missing(self) -> int:
        """Number of packets missing at the end.

        Exact where the head or an index tells the number. An AVI without it was not closed or is truncated; Matroska and
        FLV declare their length, and a file that stops more than two frames short of it is truncated: each counts as
        one, since the number is unknown. ASF declares its size. MPEG-TS and raw streams declare nothing.
        """
        if self.expected is not None:
            unused = 0 if self._hole is None else self._hole.behind - self._hole.first
            return max(0, self.expected - (self._seen - unused) - self._lost)
        if self._format == "avi":
            return int(self._seen > 1)
        if self._format == "flv" and self._path.stat().st_size - self._bytes_read > BLOCK_OVERHEAD:
            return 1  # FFmpeg gave up
        declared, rate = self._declared_end(), self.stream.average_rate
        if self._format == "asf":
            return int(is_cut_asf(self._path))
        return int(declared is not None and bool(rate) and self._end < declared - 2.5 / float(rate or 1))

    def _is_cut_before(self, packet: Packet[Stream]) -> bool:
        """Whether a transport stream or a fragmented MP4 is damaged where its times leave a gap."""
        last, self._last = self._last, packet
        if self._format != "mpegts" and not self._is_fragmented:
            return False
        if last is None or last.dts is None or last.pos is None or packet.dts is None or packet.pos is None:
            return False
        if not last.duration or packet.dts - last.dts < 1.5 * last.duration or packet.pos <= last.pos:
            return False
        if self._is_fragmented:
            return fragment_is_missing(self._path, last.pos + last.size, packet.pos)
        return packets_are_missing(self._path, last.pos, packet.pos)

    def _hidden(self) -> int:
        """A recording behind this one that was not read counts as one loss."""
        begin = None if self._is_fragmented else second_recording(self._path, self._format, self._bytes_read)
        if begin is not None:
            _log.warning("%s holds another recording from byte %d on, which is not read: split it", self._path, begin)
        return int(begin is not None)

    def _note_end(self, packet: Packet[VideoStream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.time_base is not None:
            self._end = max(self._end, float((stamp + (packet.duration or 0)) * packet.time_base))

    def _declared_end(self) -> float | None:
        """End time of the video according to the header of a Matroska or FLV file, in seconds."""
        if self._format not in ("matroska,webm", "flv"):
            return None
        if tag := self.stream.metadata.get("DURATION"):
            return _seconds(tag)
        alone = len(self._container.streams) == 1
        return self._container.duration / av.time_base if alone and self._container.duration else None


def _kept(packet: Packet[VideoStream]) -> Packet[VideoStream]:
    """The packet without its mark "do not show": FFmpeg applies the edit list of a first recording to those joined to it."""
    copy = cast("Packet[VideoStream]", av.Packet(bytes(packet)))
    copy.stream, copy.time_base = packet.stream, packet.time_base
    copy.pts, copy.dts, copy.duration, copy.is_keyframe = packet.pts, packet.dts, packet.duration, packet.is_keyframe
    return copy


def _seconds(tag: str) -> float | None:
    """Matroska's "00:00:20.000000000" in seconds."""
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
