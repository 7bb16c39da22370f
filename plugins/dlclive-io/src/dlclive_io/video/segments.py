"""The files of a recording: a new one when the frame format changes, or when a file can grow no further."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_io.output_file import OutputFile
from dlclive_io.recovery.recover_video import recover_video
from dlclive_io.video.video_writer import FORMATS, Encoding, VideoWriter, even

MOST = 1000
"""Maximum number of files of one recording. A format that changes more often points to a problem with the source."""

_FRAME_OVERHEAD = 96  # bytes of the container and its index for each frame
_FILE_OVERHEAD = 65_536


class Segment:
    """One video file, whose frames have one format. Raises DataError, OutputExistsError.

    Attributes:
        frame_format: shape and data type of the source's frames; None before the first.
        frames: number of frames written.
    """

    def __init__(
        self,
        output: OutputFile,
        *,
        rate: Fraction,
        encoding: Encoding,
        keeps_unfinished: bool,
    ) -> None:
        self.output = output
        self.frame_format: tuple[object, ...] | None = None
        self._pads = encoding.is_subsampled
        part = output.begin(keeps_unfinished=keeps_unfinished)
        self.frames = 0
        try:
            format = FORMATS[output.path.suffix.lower()]
            self._writer: VideoWriter | None = VideoWriter(part, format, rate, encoding)
        except BaseException:
            output.release()
            raise

    @property
    def size_in_bytes(self) -> int:
        """Size of the file so far."""
        for path in (self.output.part, self.output.path):
            if path.exists():
                return path.stat().st_size
        return 0

    def accepts(self, image: NDArray[np.uint8]) -> bool:
        """Whether this frame has the format of the previous ones."""
        return self.frame_format is None or self.frame_format == format_of(image)

    def has_room(self, image: NDArray[np.uint8], largest: int | None) -> bool:
        """Whether the file, once it is complete, can still hold this frame; a first frame always counts as fitting.

        A compressed frame is smaller than the image, but for noise not by much.
        """
        if largest is None or not self.frames or self._writer is None:
            return True
        overhead = _FILE_OVERHEAD + _FRAME_OVERHEAD * (self.frames + 1)
        return self._writer.packet_bytes + image.nbytes + image.nbytes // 2 + overhead <= largest

    def abandon(self) -> int:
        """Keep what is in a file that could not grow, as after a crash. Returns the number of frames that it lost.

        Raises DataError if nothing can be read from it.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(FFmpegError, OSError):
                writer.close()
        kept = recover_video(self.output.part, self.output.path, was_killed=True).rows
        lost, self.frames = self.frames - kept, kept
        return lost

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Encode one frame."""
        if self._writer is None:
            raise DataError(f"{self.output.path} is not open: call open() first")
        self.frame_format = format_of(image)
        self._writer.write(even(image) if self._pads else image, pts)
        self.frames += 1

    def end(self) -> None:
        """Finish the file, which keeps the name `.part`. Safe to call twice."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def commit(self) -> None:
        """Give the finished file its final name; remove one without frames."""
        if self.frames:
            self.output.commit()
        else:
            self.output.discard()


def format_of(image: NDArray[np.uint8]) -> tuple[object, ...]:
    """Shape and data type, which cannot change within a file."""
    return (*image.shape, image.dtype.str)


def describe_format(frame_format: tuple[object, ...] | None) -> str:
    """For messages: "640x480 RGB"."""
    if frame_format is None:
        return "nothing"
    return f"{frame_format[1]}x{frame_format[0]} {'RGB' if len(frame_format) == 4 else 'grey'}"


def next_file(first: Path, number: int, *, overwrite: bool) -> tuple[OutputFile, int]:
    """The file after `number` files, and its number: mouse.mkv, mouse-2.mkv, ...; existing names are skipped."""
    while number < MOST:
        number += 1
        path = first if number == 1 else first.with_name(f"{first.stem}-{number}{first.suffix}")
        output = OutputFile(path, tuple(FORMATS), overwrite=overwrite)
        if number == 1 or overwrite or not (path.exists() or output.part.exists()):
            return output, number
    raise DataError(
        f"{first}: the recording has {MOST} files, because the frame format keeps changing or files cannot grow; "
        "check the source's settings and the disk"
    )
