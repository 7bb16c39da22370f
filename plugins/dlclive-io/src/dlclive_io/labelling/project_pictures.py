"""The pictures in the folder of a video of a DeepLabCut project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, OutputExistsError, write_whole
from dlclive_io.outliers.frame_folder import read_png
from dlclive_io.output_file import reason

_NAME = re.compile(r"img(\d+)\.png", re.IGNORECASE)


class ProjectPictures:
    """Names pictures as DeepLabCut does, and adds those that are missing.

    DeepLabCut calls the picture of frame n `img<n>.png`, with as many digits as the number of the last frame of the video
    has. A frame whose picture is there keeps its name, whatever number of digits that has.

    Args:
        folder: of the video, in `labeled-data`; it need not exist.
        frame_count: of the video, 0 if unknown.
        frames: numbers of the frames that may be added.
    """

    def __init__(self, folder: Path, frame_count: int, frames: Iterable[int]) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        try:
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if match := _NAME.fullmatch(path.name):
                    self._names.setdefault(int(match[1]), path.name)
        except OSError as error:
            raise DataError(f"cannot read {folder}: {reason(error)}") from None
        self._digits = len(str(max([frame_count - 1, 0, *frames])))

    def name(self, frame: int) -> str:
        """The name of a frame's picture."""
        return self._names.get(frame) or f"img{frame:0{self._digits}d}.png"

    def holds(self, frame: int) -> bool:
        """Whether the frame's picture is there, or another one of its name."""
        return frame in self._names

    def is_other(self, frame: int, image: NDArray[np.uint8]) -> bool:
        """Whether there is a picture of the frame's name with other pixels. A grey one may be stored with equal colours."""
        if not self.holds(frame):
            return False
        there = read_png(self._folder / self.name(frame))
        return there is None or not _same(there, image)

    def add(self, frame: int, file: Path) -> None:
        """Copy a picture into the folder, unless it is there. Raises DataError."""
        if self.holds(frame):
            return
        name = self.name(frame)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {file}: {reason(error)}") from None
        try:
            write_whole(self._folder / name, content, overwrite=False)
        except OutputExistsError:
            raise DataError(f"{self._folder / name} was written by another program meanwhile: try again") from None
        self._names[frame] = name


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return one.shape[:2] == other.shape[:2] and np.array_equal(_colours(one), _colours(other))


def _colours(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3): DeepLabCut writes grey frames in three channels, and may write transparency."""
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]
