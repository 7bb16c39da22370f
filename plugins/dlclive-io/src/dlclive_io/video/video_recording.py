"""The sink that records the source's frames."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from dlclive_core import DataError, Estimate, Frame, OutputExistsError, RunInfo, Sink, UsageError, check_image, nearest
from dlclive_io.disk_space import DiskSpace
from dlclive_io.drawing import PoseDrawing, keypoint_colours
from dlclive_io.largest_file import largest_file
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.priority import lower_thread_priority
from dlclive_io.recovery.recover_csv import keep_rows_of_videos
from dlclive_io.video.segments import Segment, describe_format, format_of, next_file
from dlclive_io.video.show_times import ShowTimes
from dlclive_io.video.video_times import VideoTimes
from dlclive_io.video.video_writer import CODECS, FORMATS, PRESETS, TIME_BASES, Encoding, frame_rate

_log = logging.getLogger(__name__)


class VideoRecording(Sink):
    """Records raw frames, RGB or grey, with their timestamps in a table beside the video, `<name>_timestamps.csv`.

    A killed process loses at most the last half second, and every frame in the video has its row; `dlclive_io.recover`
    gives the files their index and final names. Frames of a live source are shown at their capture time (the rate
    varies), those of a recording at their time in it. If the frame size changes, or grey becomes RGB, the recording
    continues in `<name>-2.mkv` and so on, and the log says so. In H.264, odd sizes gain one row or column. A run without
    frames leaves only the table.

    A file that can grow no further (4 GB on FAT32, a limit of the process) is completed, and the recording continues in the
    next one. Where the limit is not known beforehand, the frames that did not reach the disk, up to half a second, are
    missing, and `finish` raises DataError with their number after all files are complete.

    The disk is checked every five seconds. With less than 5 GB free at the start, the log warns. With less than
    `minutes_left` at the current rate, the files are completed and `write` raises DataError: the session continues
    without this sink and keeps the remaining space for the poses.

    Args:
        path: ends in .mkv, or in .mp4 for players that need it.
        codec: "libx264", or "ffv1": lossless, .mkv only.
        crf: quality of libx264; 0 is lossless, 18 visually lossless, 28 small.
        preset: of libx264; slower presets give smaller files.
        threads: of the encoder; 1 leaves the cores to the model, 0 uses all.
        nice: niceness of the sink's thread, 0 to 19; Linux only.
        draw: draw the keypoints with their names, a legend and the frame's number; grey frames become RGB.
        pcutoff: keypoints with less confidence are not drawn.
        radius: of the keypoints, in pixels.
        colormap: name of a colorcet map from which keypoints take their colours.
        minutes_left: the recording ends when the disk lasts less than this; 0 records until it is full.
        overwrite: replace existing files.
    """

    def __init__(
        self,
        path: Path,
        codec: str = "libx264",
        crf: int = 20,
        preset: str = "ultrafast",
        threads: int = 1,
        nice: int = 5,
        draw: bool = False,
        pcutoff: float = 0.5,
        radius: int = 3,
        colormap: str = "bmy",
        minutes_left: float = 5.0,
        overwrite: bool = False,
    ) -> None:
        self._path = Path(path)
        OutputFile(self._path, tuple(FORMATS), overwrite=overwrite)  # checks the suffix
        if codec not in CODECS:
            raise UsageError(f"no codec {codec!r}: {nearest(codec, CODECS)}")
        if codec == "ffv1" and self._path.suffix.lower() != ".mkv":
            raise UsageError(f"codec ffv1 needs a path that ends in .mkv, not {self._path}")
        if preset not in PRESETS:
            raise UsageError(f"no preset {preset!r}: {nearest(preset, PRESETS)}")
        if not 0 <= crf <= 51:
            raise UsageError(f"crf is a quality from 0 (best) to 51, not {crf}")
        if threads < 0 or not 0 <= nice <= 19 or not minutes_left >= 0:
            raise UsageError(
                f"threads is 0 or more, nice 0 to 19, minutes_left 0 or more; got {threads}, {nice}, {minutes_left}"
            )
        keypoint_colours(colormap, 1)
        self._encoding = Encoding(codec, crf, preset, threads)
        self._nice, self._minutes_left, self._overwrite = nice, minutes_left, overwrite
        self._draw, self._pcutoff, self._radius, self._colormap = draw, pcutoff, radius, colormap
        self._times = VideoTimes(self._path.with_name(f"{self._path.stem}_timestamps.csv"), overwrite=overwrite)
        self._segments: list[Segment] = []
        self._number, self._is_empty = 0, True

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The videos and the table of timestamps; their `.part` if the run did not finish."""
        videos = [path for segment in self._segments for path in segment.output.outputs]
        return (*(videos if self._segments else [self._path]), *self._times.output.outputs)

    def open(self, run: RunInfo) -> None:
        """Begin both files. Raises OutputExistsError, DataError."""
        self._drawing = PoseDrawing(
            run.card,
            pcutoff=self._pcutoff,
            radius=self._radius,
            colormap=self._colormap,
            names=None,
            skeleton=True,
            legend=True,
        )
        self._run = run
        self._rate = frame_rate(run.fps)
        self._show_times = ShowTimes(run, self._rate, TIME_BASES[FORMATS[self._path.suffix.lower()]])
        self._segments, self._number, self._is_empty = [], 0, True
        self._lost: dict[str, int] = {}  # frames of files that could not grow
        self._times.open(run)
        self._begin_segment()
        with self._errors():
            self._largest = largest_file(self._path.parent)
            self._disk = DiskSpace(self._path.parent)
        if self._disk.is_low:
            _log.warning("%s: free some space, or the recording of %s may end early", self._disk, self._path)
        lower_thread_priority(self._nice)

    def write(self, estimate: Estimate) -> None:
        """Write the frame's row, then the frame. Raises DataError, also if the disk is nearly full."""
        frame = estimate.frame
        image = check_image(self._drawing.draw(frame.image, estimate.pose, frame.index) if self._draw else frame.image)
        self._is_empty = False
        segment = self._segments[-1] if self._segments else self._begin_segment()
        if not segment.accepts(image):
            before = describe_format(segment.frame_format)
            self._end(segment)
            segment = self._begin_segment()
            now, name = describe_format(format_of(image)), segment.output.path.name
            _log.warning("frame %d is %s, not %s: the recording continues in %s", frame.index, now, before, name)
        elif not segment.has_room(image, self._largest):
            self._end(segment)
            segment = self._continue(frame)
        if not self._put(segment, frame, image):
            segment = self._continue(frame)
            if not self._put(segment, frame, image):
                raise DataError(f"cannot write {segment.output.path}: not even one frame fits into a file here")
        if self._minutes_left and self._disk.is_due:
            self._check_disk()

    def finish(self) -> None:
        """Finish the files and give them their final names. Raises DataError, also if frames did not fit into their file."""
        for segment in self._segments:
            self._end(segment)
        self._times.end()
        if self._lost:
            with self._errors():
                keep_rows_of_videos(
                    self._times.output.part, {segment.output.path.name: segment.frames for segment in self._segments}
                )
        for segment in self._segments:
            segment.commit()
        self._times.output.commit()
        if self._lost:
            lost = ", ".join(f"{count} of {name}" for name, count in self._lost.items())
            raise DataError(f"the recording is complete except for frames of a file that could not grow: {lost}")

    def close(self) -> None:
        """Close the files; unfinished ones keep the name `.part`, and those of a run without a frame are removed."""
        try:
            with self._errors():
                for segment in self._segments:
                    segment.end()
        finally:
            try:
                self._times.end()
            finally:
                for output in (*(segment.output for segment in self._segments), self._times.output):
                    output.release(is_empty=self._is_empty)

    def _put(self, segment: Segment, frame: Frame, image: NDArray[np.uint8]) -> bool:
        """Write the frame's row, then the frame; False if the file could not grow."""
        self._times.write(frame, segment.output.path.name, segment.frames)
        with self._errors():
            try:
                segment.write(image, self._show_times.of(frame))
            except (FFmpegError, OSError) as error:
                if error.errno != errno.EFBIG:
                    raise
                self._abandon(segment)
                return False
        return True

    def _end(self, segment: Segment) -> None:
        with self._errors():
            try:
                segment.end()
            except (FFmpegError, OSError) as error:
                if error.errno != errno.EFBIG:
                    raise
                self._abandon(segment)

    def _abandon(self, segment: Segment) -> None:
        """Keep what a file holds that could not grow, and learn its size for the next ones."""
        self._largest = segment.size_in_bytes
        if lost := segment.abandon():
            self._lost[segment.output.path.name] = lost

    def _continue(self, frame: Frame) -> Segment:
        before, segment = self._segments[-1].output.path.name, self._begin_segment()
        name, size = segment.output.path.name, (self._largest or 0) / 1e6
        _log.warning(
            "frame %d: %s cannot grow beyond %.0f MB: the recording continues in %s", frame.index, before, size, name
        )
        return segment

    def _begin_segment(self) -> Segment:
        while True:
            output, self._number = next_file(self._path, self._number, overwrite=self._overwrite)
            try:
                with self._errors():
                    segment = Segment(
                        output,
                        rate=self._rate,
                        encoding=self._encoding,
                        keeps_unfinished=self._run.is_live,
                    )
            except OutputExistsError:
                if self._number == 1:
                    raise
                continue  # another run took the name since it was free: the next one
            self._segments.append(segment)
            return segment

    def _check_disk(self) -> None:
        with self._errors():
            seconds_left = self._disk.check(sum(segment.size_in_bytes for segment in self._segments))
        if seconds_left < 60 * self._minutes_left:
            self.finish()
            raise DataError(
                f"the recording of {self._path} has ended early and is complete up to here: {self._disk}, "
                f"{seconds_left / 60:.1f} minutes at {self._disk.rate / 1e6:.1f} MB/s; free some space, or set minutes_left"
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FFmpegError as error:  # some of them are OSErrors, too
            raise DataError(f"cannot write {self._path}: {reason(error)}") from error
        except OSError as error:
            raise DataError(f"cannot write {self._path}: {reason(error)}") from error
