"""The sink that writes a video with the keypoints drawn on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.error import FFmpegError

from dlclive_core import DataError, Estimate, RunInfo, Sink, UsageError, as_rgb
from dlclive_io.drawing import PoseDrawing, keypoint_colours, letterbox
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.video.show_times import ShowTimes
from dlclive_io.video.video_writer import FORMATS, VideoWriter, even, frame_rate

MOST_FPS = 10_000


class LabelledVideo(Sink):
    """Writes an H.264 video with the keypoints drawn on it; the file opens even if the program is killed while writing.

    For a recording, frames are shown at their time in it, so missing frames leave a pause and shift nothing; images, which
    have no time, at n / fps. For a live source, frames are shown at their capture time. With `fps`, frame n is always
    shown at n / fps. An odd width or height gains one pixel at the right or bottom. If the frame size changes, later
    frames are scaled to the first size, with black bars. A run without frames leaves no file.

    Args:
        path: ends in .mp4 or .mkv.
        pcutoff: keypoints with less confidence are not drawn.
        radius: of the keypoints, in pixels.
        colormap: name of a colorcet map from which keypoints take their colours.
        names: write the names of the keypoints.
        skeleton: draw the model's edges.
        fps: frames per second; default: the source's, or 30.
        draw: False writes the frames without keypoints.
        overwrite: replace an existing file.
    """

    def __init__(
        self,
        path: Path,
        pcutoff: float = 0.6,
        radius: int = 3,
        colormap: str = "bmy",
        names: bool = False,
        skeleton: bool = True,
        fps: float | None = None,
        draw: bool = True,
        overwrite: bool = False,
    ) -> None:
        self._output = OutputFile(path, tuple(FORMATS), overwrite=overwrite)
        if not 0 <= pcutoff <= 1:
            raise UsageError(f"pcutoff is a confidence from 0 to 1, not {pcutoff}")
        if radius < 0:
            raise UsageError(f"radius is a number of pixels, not {radius}")
        if fps is not None and not 0 < fps <= MOST_FPS:
            raise UsageError(f"fps is a number of frames per second up to {MOST_FPS}, not {fps}")
        keypoint_colours(colormap, 1)
        self._pcutoff, self._radius, self._colormap = pcutoff, radius, colormap
        self._names, self._skeleton, self._fps, self._draw = names, skeleton, fps, draw
        self._writer: VideoWriter | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The video; its `.part` if the run did not finish; empty after a run without frames."""
        return self._output.outputs

    def open(self, run: RunInfo) -> None:
        """Begin the file. Raises OutputExistsError, DataError."""
        self._drawing = PoseDrawing(
            run.card,
            pcutoff=self._pcutoff,
            radius=self._radius,
            colormap=self._colormap,
            names=self._names,
            skeleton=self._skeleton,
        )
        rate = frame_rate(self._fps or run.fps)
        part = self._output.begin()
        with self._errors():
            self._writer = VideoWriter(part, FORMATS[self._output.path.suffix.lower()], rate)
        self._times = ShowTimes(run, rate, self._writer.time_base, by_number=self._fps is not None)

    def write(self, estimate: Estimate) -> None:
        """Draw and encode one frame. Raises DataError."""
        writer = self._opened()
        image = estimate.frame.image
        picture = even(self._drawing.draw(image, estimate.pose) if self._draw else as_rgb(image))
        if writer.size is not None and writer.size != (picture.shape[1], picture.shape[0]):
            picture = letterbox(picture, *writer.size)
        with self._errors():
            writer.write(picture, self._times.of(estimate.frame))

    def finish(self) -> None:
        """Finish the file and give it its final name."""
        writer, self._writer = self._opened(), None
        with self._errors():
            writer.close()
        if writer.size is None:
            self._output.discard()
        else:
            self._output.commit()

    def close(self) -> None:
        """Close the file; an unfinished one keeps the name `.part`."""
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                with self._errors():
                    writer.close()
                if writer.size is None:
                    self._output.discard()
        finally:
            self._output.release()

    def _opened(self) -> VideoWriter:
        if self._writer is None:
            raise DataError(f"{self._output.path} is not open: call open() first")
        return self._writer

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._output.errors():
            try:
                yield
            except OSError:
                raise
            except FFmpegError as error:
                raise DataError(f"cannot write {self._output.path}: {reason(error)}") from error
