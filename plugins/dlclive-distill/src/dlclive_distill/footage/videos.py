"""The user's videos: what tells one from another, and their frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_io import VideoFile

from dlclive_core import DataError, EndOfStream, Frame, SourceError, as_rgb

FPS = 30.0
"""Frames per second of a video that does not tell."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video.

    Attributes:
        path: where it is.
        size: (width, height) of its frames.
        fps: frames per second.
        length, modified_ns: of the file: bytes, and when it was written.
    """

    path: Path
    size: tuple[int, int]
    fps: float
    length: int
    modified_ns: int

    @property
    def identity(self) -> dict[str, Any]:
        """What tells the file from others, wherever it lies, as values for JSON."""
        return {"name": self.path.name, "bytes": self.length, "modified_ns": self.modified_ns}


def look_at(paths: Sequence[Path]) -> tuple[Video, ...]:
    """Open each video.

    Raises:
        SourceError, DataError: one cannot be read, or their frames differ in size.
    """
    videos = tuple(_look_at(path.expanduser()) for path in paths)
    for video in videos[1:]:
        if video.size != videos[0].size:
            ours, first = ("{} x {}".format(*it.size) for it in (video, videos[0]))
            raise DataError(
                f"{video.path} has frames of {ours}, and {videos[0].path} of {first}: a student is for one size; give videos "
                "of one camera"
            )
    return videos


def _look_at(path: Path) -> Video:
    if path.is_dir():
        raise DataError(f"{path} is a folder: a student learns from videos, whose frames follow each other")
    with VideoFile(path) as source:
        source.open()
        assert source.frame_size is not None
        facts = path.stat()
        return Video(path, source.frame_size, source.fps or FPS, facts.st_size, facts.st_mtime_ns)


class Reader:
    """Reads a video from its first frame to its last. `corrupt` counts what could not be decoded.

    Raises:
        SourceError, DataError: from `frames`, if the video cannot be read, or its frames change their size.
    """

    def __init__(self, video: Video) -> None:
        self._video = video
        self._source = VideoFile(video.path)

    @property
    def corrupt(self) -> int:
        return self._source.corrupt

    @property
    def frame_count(self) -> int | None:
        return self._source.frame_count

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order, RGB; frames that could not be decoded are missing from `Frame.index`."""
        width, height = self._video.size
        with self._source as source:
            source.open()
            while True:
                try:
                    frame = source.read(1.0)
                except EndOfStream:
                    return
                except TimeoutError as error:  # a file waits for nothing
                    raise SourceError(f"{self._video.path} gave no frame: {error}") from None
                image = as_rgb(frame.image)
                if image.shape[:2] != (height, width):
                    raise DataError(
                        f"{self._video.path} changes from {width} x {height} to {image.shape[1]} x {image.shape[0]} at frame "
                        f"{frame.index}: cut it there, and give the parts of one size"
                    )
                yield frame
