"""The files of a recording: one, or one more each time the form of the frames changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_io.output_file import OutputFile
from dlclive_io.video.video_writer import FORMATS, Encoding, VideoWriter, even

MOST = 100
"""Files of one recording. More means that the form changes all the time, and then something is wrong with the source."""


class Segment:
    """One video file, whose frames have one form. Raises DataError, OutputExistsError.

    Attributes:
        form: shape and type of the frames as they came.
        frames: how many were written.
    """

    def __init__(
        self,
        output: OutputFile,
        *,
        rate: Fraction,
        time_base: Fraction,
        encoding: Encoding,
        keeps_unfinished: bool,
    ) -> None:
        self.output = output
        self.form: tuple[object, ...] | None = None
        self._pads = encoding.is_subsampled
        part = output.begin(keeps_unfinished=keeps_unfinished)
        self.frames = 0
        try:
            format = FORMATS[output.path.suffix.lower()]
            self._writer: VideoWriter | None = VideoWriter(part, format, rate, time_base, encoding)
        except BaseException:
            output.release()
            raise

    @property
    def size_in_bytes(self) -> int:
        """Of what was written so far."""
        for path in (self.output.part, self.output.path):
            if path.exists():
                return path.stat().st_size
        return 0

    def takes(self, image: NDArray[np.uint8]) -> bool:
        """Whether this frame has the form of those before it."""
        return self.form is None or self.form == format_of(image)

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Encode one frame."""
        if self._writer is None:
            raise DataError(f"{self.output.path} is not open: call open() first")
        self.form = format_of(image)
        self._writer.write(even(image) if self._pads else image, pts)
        self.frames += 1

    def end(self) -> None:
        """Write the end of the file, which keeps the name `.part`. Safe to call twice."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def commit(self) -> None:
        """Give the ended file its name; one without frames is removed."""
        if self.frames:
            self.output.commit()
        else:
            self.output.discard()


def format_of(image: NDArray[np.uint8]) -> tuple[object, ...]:
    """What may not change within a file."""
    return (*image.shape, image.dtype.str)


def describe_format(form: tuple[object, ...] | None) -> str:
    """For people: "640x480 RGB"."""
    if form is None:
        return "nothing"
    return f"{form[1]}x{form[0]} {'RGB' if len(form) == 4 else 'grey'}"


def next_file(first: Path, number: int, *, overwrite: bool) -> tuple[OutputFile, int]:
    """The file behind `number` files, and its number: mouse.mkv, mouse-2.mkv, ...; names that are taken are passed over."""
    while number < MOST:
        number += 1
        path = first if number == 1 else first.with_name(f"{first.stem}-{number}{first.suffix}")
        output = OutputFile(path, tuple(FORMATS), overwrite=overwrite)
        if number == 1 or overwrite or not (path.exists() or output.part.exists()):
            return output, number
    raise DataError(f"{first}: the frames changed their form too often for {MOST} files; look at the source's settings")
