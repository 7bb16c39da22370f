"""Frames from a video file."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from dlclive_core import DataError, EndOfStream, Frame, FrameSource, SourceError, UsageError, nearest
from dlclive_io.video.colours import Colours, RgbConverter
from dlclive_io.video.frame_numbers import FrameNumbers
from dlclive_io.video.frame_rate import MEASURED, measured_rate
from dlclive_io.video.pace import Pace
from dlclive_io.video.packets import Arrival, VideoPackets

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


_log = logging.getLogger(__name__)

_MEASURED_BYTES = 16 * 2**20  # held while the rate is measured; a frame of uncompressed video has millions


class VideoFile(FrameSource):
    """Reads a video file from its first frame to its last, with constant memory.

    Frames are RGB, rotated as the file says (as OpenCV, and so DeepLabCut, does). `Frame.index` is the position in the
    video, even after pictures that could not be decoded; `Frame.device_time` is the presentation time in seconds;
    `Frame.captured_at` is when the frame was read. The frame rate may vary.

    Where the clock of a file begins again, as in joined recordings, times go on. `fps` is the declared rate, or that of the
    timestamps if they contradict it.

    `corrupt` counts lost or damaged pictures and places where the container could not be read. A truncated file counts,
    too, if the format declares a length: MP4 and MOV list their packets, AVI promises their number, Matroska and FLV have
    their duration, WMV its size; MPEG-TS and raw streams have nothing. `frame_count` is known for MP4, MOV and AVI, else None.

    With `realtime`, the video plays like a camera: each frame arrives when its timestamp is due, whether or not it is
    read. Frames that were due between two reads are skipped and counted in `skipped`; the video ends after its last one.

    Used by one thread at a time; FFmpeg decodes in threads of its own.

    Args:
        path: of the file. The format is detected from its content.
        realtime: play at the video's own pace, as a live source; else as fast as frames are read.
        colours: "true", as the film says, or "opencv", as OpenCV before 4.13 reads it, for networks trained on such frames.
    """

    def __init__(self, path: Path, *, realtime: bool = False, colours: Colours = "true") -> None:
        if colours not in get_args(Colours):
            raise UsageError(f"no colours {colours!r}: {nearest(colours, get_args(Colours))}")
        self.path = Path(path)
        self._colours = colours
        self.name = str(self.path)
        self.is_live = realtime
        self._packets: VideoPackets | None = None

    def open(self) -> None:
        """Open the file and decode its first frame.

        Raises:
            SourceError: the file does not exist or is not readable.
            DataError: it is not a video, or none of its frames can be decoded.
        """
        self.close()
        self._packets = packets = VideoPackets(self.path)
        self._stream = stream = packets.stream
        self._ended = False
        stream.thread_type = "AUTO"
        stream.codec_context.copy_opaque = True  # pictures tell the packet that they come from
        self._source: Iterator[Arrival] = iter(packets)
        rate = self._measure_rate()
        self._numbers = _numbers(stream, rate, has_times=self._has_times)
        self._errors = self._flagged = self.corrupt = self.skipped = 0
        self._next: tuple[VideoFrame, int] | None = None
        self._pace = Pace()
        self._last_time: float | None = None
        self._says_times = True
        self._converter = RgbConverter(self._colours)
        self._ready: deque[VideoFrame] = deque()
        self.fps = float(rate) if rate else None
        self._period = 1 / self.fps if self.fps else 0.1  # lateness at which the next frame is due
        self.frame_count = packets.frame_count
        if not self._decode():
            self.close()
            raise DataError(f"{self.path} holds no frame that can be decoded ({self.corrupt} damaged): record it again")
        first = self._ready[0]
        if first.interlaced_frame:  # its two fields may come as two packets
            self._numbers.count_only()
        upright = first.rotation % 180 == 0
        self.frame_size = (first.width, first.height) if upright else (first.height, first.width)

    def read(self, timeout: float = 0.0) -> Frame:
        """Return the next frame, RGB (H, W, 3).

        Raises:
            TimeoutError: with `realtime`, the frame is not due within `timeout` seconds.
            EndOfStream: the video has ended.
            SourceError: the file is not open.
        """
        if self._packets is None:
            raise SourceError(f"{self.path} is not open: call open() first")
        while True:
            picture, index = self._due(timeout)
            try:
                image = _upright(self._converter.convert(picture), picture.rotation)
            except (FFmpegError, OSError):  # damage in a sequence's header declares colours that do not exist
                self._flagged += 1
                self._count()
                continue
            return Frame(image, index, time.perf_counter(), self._seconds(picture), self.name)

    def _due(self, timeout: float) -> tuple[VideoFrame, int]:
        """The next picture and its number, once it is due. Raises as `read`."""
        self._next = self._next or self._picture()
        while self.is_live:
            remaining = self._pace.seconds_until(self._seconds(self._next[0]))
            if remaining > timeout:
                time.sleep(timeout)
                raise TimeoutError
            if remaining > -self._period:
                time.sleep(max(0.0, remaining))
                break
            self.skipped += 1
            self._next = self._picture()
        due, self._next = self._next, None
        return due

    def _picture(self) -> tuple[VideoFrame, int]:
        """The next picture and its number. Raises EndOfStream."""
        index = None
        while index is None:
            if not self._decode():
                self._next = None
                raise EndOfStream
            picture = self._ready.popleft()
            index = self._number_of(picture)
        self._flagged += picture.is_corrupt
        self._count()
        self._check_time(picture, index)
        return picture, index

    def _number_of(self, picture: VideoFrame) -> int | None:
        packet = picture.opaque if isinstance(picture.opaque, int) else None
        return self._numbers.picture(picture.pts, packet=packet, is_key=bool(picture.key_frame))

    def _check_time(self, picture: VideoFrame, index: int) -> None:
        """Say once that two frames have the same time, or that times go back."""
        now, last = self._seconds(picture), self._last_time
        if now is None:
            return
        if self._says_times and last is not None and now <= last:
            self._says_times = False
            what = "has the same time as the one before" if now == last else "is shown before the one before it"
            clock = float(self._stream.time_base or 0)
            _log.warning(
                "%s: frame %d %s (its clock ticks every %g s); numbers are right", self.path, index, what, clock
            )
        self._last_time = now

    def _seconds(self, picture: VideoFrame) -> float | None:
        """The presentation time in seconds."""
        unit = self._stream.time_base
        return None if picture.pts is None or unit is None else float(picture.pts * unit)

    def _measure_rate(self) -> Fraction | None:
        """Frames per second: as declared, or as the first packets tell if they contradict that."""
        declared, unit = self._stream.average_rate, self._stream.time_base
        head: list[Arrival] = []
        held = 0
        for arrival in self._source:
            head.append(arrival)
            held += arrival.packet.size
            if len(head) >= MEASURED or held > _MEASURED_BYTES:
                break
        self._source = chain(head, self._source)
        stamps = [arrival.packet.pts for arrival in head]
        self._has_times = any(stamp is not None for stamp in stamps)
        # The rate of an MP4 with a whole index is computed from all its timestamps.
        if unit is None or (self._packets is not None and self._packets.is_timed_by_index):
            return declared
        rate = measured_rate([stamp for stamp in stamps if stamp is not None], unit, declared)
        if declared and rate and rate != declared:
            _log.warning(
                "%s: it declares %g frames/s, but its timestamps are those of %.4g frames/s, which is used",
                self.path,
                float(declared),
                float(rate),
            )
        return rate

    def close(self) -> None:
        """Close the file; the counters stay readable."""
        if self._packets is not None:
            self._packets.close()
            self._packets = None

    def _decode(self) -> bool:
        """Decode until a picture is ready; False at the end of the video."""
        while not self._ready and not self._ended:
            arrival = next(self._source, None)
            if arrival is None:
                self._ended = True
                if self._packets is not None and self._packets.may_be_short:
                    self._numbers.cut_short()
                self._ready.extend(self._pictures(None))  # what the decoder held back
                continue
            packet = arrival.packet
            if not packet.is_discard:
                self._numbers.packet(packet.pts, lost=arrival.lost, hole=arrival.hole)
                packet.opaque = self._numbers.newest_packet
            self._ready.extend(self._pictures(packet))
        if not self._ready:
            self._numbers.end()
            self._count()
        return bool(self._ready)

    def _pictures(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        """Decode one packet, or flush the decoder with None; a damaged packet is counted and skipped."""
        try:
            return self._stream.codec_context.decode(packet)
        except EOFError:
            return []
        except (FFmpegError, OSError):
            self._errors += 1
            self._numbers.failed()
            self._count()
            return []

    def _count(self) -> None:
        """Update `corrupt`.

        A packet that raises an error usually yields no picture, and an unreadable place usually is a packet that does not
        come: each pair is one loss, so the larger count is used.
        """
        lost = max(self._errors, self._numbers.missing)
        if self._packets is not None:
            lost += max(self._packets.damaged, self._packets.missing)
        self.corrupt = self._flagged + lost


def _numbers(stream: VideoStream, rate: Fraction | None, *, has_times: bool) -> FrameNumbers:
    """The numbering for a stream's pictures."""
    codec = stream.codec_context
    # AVI has no presentation times for pictures out of decoding order: there, pictures are counted.
    reordered = codec.has_b_frames and stream.container.format.name == "avi"
    unit = stream.time_base
    period = float(1 / (rate * unit)) if rate and unit else None
    return FrameNumbers(ranked=has_times and not reordered, period=period)


def _upright(image: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """Rotate an image counter-clockwise by the display matrix's angle, rounded to a multiple of 90 degrees."""
    quarters = round(degrees / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image
