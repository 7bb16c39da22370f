"""Recovery of videos: unfinished ones open, but have no index, and players do not know their length."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from dlclive_core import DataError, RecoveredFile, draft_beside
from dlclive_io.output_file import reason
from dlclive_io.video import matroska_clock
from dlclive_io.video.ffmpeg_name import ffmpeg_name
from dlclive_io.video.video_writer import FORMATS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_HEADER = 65_536  # bytes; a file without frames is not larger
_MATROSKA, _MP4 = b"\x1aE\xdf\xa3", b"ftyp"
_LOST = "up to half a second before the crash may be lost"


def recover_video(part: Path, final: Path, *, was_killed: bool) -> RecoveredFile:
    """Give a video its index by copying the packets, unchanged, into a new file that replaces the `.part`.

    If the disk has no space for the copy, the video stays without an index. A video without frames is removed. Raises
    DataError if it cannot be read.
    """
    if _is_only_a_header(part):
        part.unlink()
        return RecoveredFile(path=final, kind="video", note="killed before the first frame was written; removed")
    frames, seconds = _measure(part)
    if not frames:
        raise DataError(f"{part} holds no readable frame; it is unchanged")
    note = ""
    if was_killed:
        note = _LOST if _index(part, final, frames) else f"no index: no disk space for a copy; {_LOST}"
    return RecoveredFile(path=final, kind="video", rows=frames, seconds=seconds, note=note)


def _is_only_a_header(part: Path) -> bool:
    """Whether a file is empty or holds only the header, or part of it, that FFmpeg writes before the first frame."""
    if part.stat().st_size > _HEADER:
        return False
    with part.open("rb") as file:
        start = file.read(8)
    if not start:
        return True
    if not (start.startswith(_MATROSKA[: len(start)]) or start[4:] == _MP4):
        return False
    try:
        return _measure(part)[0] == 0
    except DataError:
        return True


def count_frames(path: Path) -> int:
    """Number of frames in a video file. Raises DataError if it cannot be read."""
    return _measure(path)[0]


def _measure(path: Path) -> tuple[int, float | None]:
    """Number of frames, and the time of the last one in seconds."""
    frames, last = 0, None
    with _opened(path) as video:
        for packet in _packets(video):
            frames += 1
            if packet.pts is not None:
                last = float(packet.pts * (packet.time_base or Fraction(0)))
    return frames, last


def _index(part: Path, final: Path, frames: int) -> bool:
    """Copy the packets into a file with an index; False if the disk has no space for it."""
    try:
        draft = draft_beside(part)
    except OSError:
        return False
    try:
        format = FORMATS[final.suffix.lower()]
        with _opened(part) as old:
            is_fine = format == "matroska" and old.streams.video[0].time_base == matroska_clock.TICK
            with av.open(
                ffmpeg_name(draft), "w", format=format, options=matroska_clock.OPTIONS if is_fine else {}
            ) as new:
                stream = new.add_stream_from_template(old.streams.video[0])
                for packet in _packets(old):
                    packet.stream = stream
                    if is_fine:
                        packet.time_base = matroska_clock.FFMPEG_TICK
                    new.mux(packet)
        if is_fine:
            matroska_clock.set_clock(draft)
        if count_frames(draft) != frames:
            raise DataError(f"{part} could not be copied frame by frame; it is unchanged")
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(part)
    except OSError:  # FFmpeg's errors are OSErrors if they come from the system
        return False
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return True


def _packets(video: InputContainer) -> Iterator[Packet[VideoStream]]:
    """The complete packets of the video, up to its truncated end."""
    with contextlib.suppress(FFmpegError, EOFError):
        for packet in video.demux(video.streams.video[0]):
            if packet.size and not packet.is_corrupt:
                yield packet


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        video = av.open(ffmpeg_name(path))
    except (FFmpegError, OSError) as error:
        raise DataError(f"{path} cannot be read as a video: {reason(error)}") from None
    with video:
        if not video.streams.video:
            raise DataError(f"{path} holds no video")
        yield video
