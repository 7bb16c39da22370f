"""The sink that records the source's frames."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from av.error import FFmpegError

from dlclive_core import DataError, Estimate, Frame, RunInfo, Sink, UsageError, check_image, nearest
from dlclive_io.disk_space import DiskSpace
from dlclive_io.drawing import PoseDrawing, keypoint_colours
from dlclive_io.output_file import OutputFile, reason
from dlclive_io.priority import lower_thread_priority
from dlclive_io.video.labelled_video import DEFAULT_FPS, LIVE_TIME_BASE
from dlclive_io.video.segments import Segment, describe_format, format_of, next_file
from dlclive_io.video.video_times import VideoTimes
from dlclive_io.video.video_writer import CODECS, FORMATS, PRESETS, Encoding

_log = logging.getLogger(__name__)


class VideoRecording(Sink):
    """Records raw frames, RGB or grey, with their timestamps in a table beside the video, `<name>_timestamps.csv`.

    A killed process loses at most the last half second, and every frame in the video has its row; `dlclive_io.recover`
    gives the files their index and final names. Frames of a live source are shown at their capture time (the rate
    varies), those of a recording at n / fps. If the frame size changes, or grey becomes RGB, the recording continues in
    `<name>-2.mkv` and so on, and the log says so. In H.264, odd sizes gain one row or column. A run without frames leaves
    only the table.

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
        draw: draw the keypoints; grey frames become RGB.
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
        self._number = 0

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
            names=False,
            skeleton=True,
        )
        self._run = run
        self._rate = Fraction(run.fps or DEFAULT_FPS).limit_denominator(1001)
        self._time_base = LIVE_TIME_BASE if self._path.suffix.lower() == ".mp4" else Fraction(1, 1000)
        self._last = -1
        self._segments, self._number = [], 0
        self._times.open(run)
        self._begin_segment()
        with self._errors():
            self._disk = DiskSpace(self._path.parent)
        if self._disk.is_low:
            _log.warning("%s: free some space, or the recording of %s may end early", self._disk, self._path)
        lower_thread_priority(self._nice)

    def write(self, estimate: Estimate) -> None:
        """Write the frame's row, then the frame. Raises DataError, also if the disk is nearly full."""
        frame = estimate.frame
        image = check_image(self._drawing.draw(frame.image, estimate.pose) if self._draw else frame.image)
        segment = self._segments[-1] if self._segments else self._begin_segment()
        if not segment.accepts(image):
            before = describe_format(segment.frame_format)
            with self._errors():
                segment.end()
            segment = self._begin_segment()
            now, name = describe_format(format_of(image)), segment.output.path.name
            _log.warning("frame %d is %s, not %s: the recording continues in %s", frame.index, now, before, name)
        self._times.write(frame, segment.output.path.name, segment.frames)
        with self._errors():
            segment.write(image, self._stamp(frame))
        if self._minutes_left and self._disk.is_due:
            self._check_disk()

    def finish(self) -> None:
        """Finish the files and give them their final names."""
        with self._errors():
            for segment in self._segments:
                segment.end()
        self._times.end()
        for segment in self._segments:
            segment.commit()
        self._times.output.commit()

    def close(self) -> None:
        """Close the files; unfinished ones keep the name `.part`."""
        try:
            with self._errors():
                for segment in self._segments:
                    segment.end()
        finally:
            try:
                self._times.end()
            finally:
                for output in (*(segment.output for segment in self._segments), self._times.output):
                    output.release()

    def _begin_segment(self) -> Segment:
        output, self._number = next_file(self._path, self._number, overwrite=self._overwrite)
        with self._errors():
            segment = Segment(
                output,
                rate=self._rate,
                time_base=self._time_base,
                encoding=self._encoding,
                keeps_unfinished=self._run.is_live,
            )
        self._segments.append(segment)
        return segment

    def _stamp(self, frame: Frame) -> int:
        """The frame's time in units of the time base; always later than the previous one, as containers require."""
        seconds = frame.captured_at - self._run.started_clock if self._run.is_live else frame.index / self._rate
        self._last = max(round(seconds * self._time_base.denominator), self._last + 1)
        return self._last

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
