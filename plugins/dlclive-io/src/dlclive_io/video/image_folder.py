"""Frames from image files."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, EndOfStream, Frame, FrameSource, SourceError
from dlclive_io.plugin import IMAGE_SUFFIXES
from dlclive_io.video.pages import BROKEN, Page, first_page_at, pages

_LARGEST = 2**31 - 1  # bytes that OpenCV decodes from memory


class _Picture(NamedTuple):
    """A file with one picture, or one page of a file."""

    path: Path
    page: Page | None = None


class ImageFolder(FrameSource):
    """Reads the images of a folder in natural order: img2 before img10.

    Frames are RGB, 8 bit: 16-bit values are divided by 256, grey is repeated in the three channels, transparency is
    dropped, and the EXIF orientation is applied, all as OpenCV's `imread` does by default. `Frame.index` is the position
    in the folder, where each page of a TIFF counts. Hidden files (`.name`, such as the `._name` that macOS leaves on other
    disks) are not read. An unreadable image is counted in `corrupt` and its number is skipped. Images may differ in size;
    `frame_size` is that of the first readable one.

    Args:
        path: a folder, a single image, or a TIFF with several pages.
        pattern: which files of the folder to read, for example "*_left*".
    """

    is_live = False

    def __init__(self, path: Path, pattern: str = "*") -> None:
        self.path = Path(path)
        self.pattern = pattern
        self.name = str(self.path)
        self._images: list[_Picture] = []
        self._position = 0
        self._peeked: NDArray[np.uint8] | None = None

    def open(self) -> None:
        """List the images and read the first one.

        Raises:
            SourceError: the folder or file does not exist.
            DataError: the folder holds no images, or none can be read, or one is an animation.
        """
        self._images = [picture for path in self._find() for picture in _pictures(path)]
        self._position = self.corrupt = 0
        self.frame_count = len(self._images)
        if not self._advance() or self._peeked is None:
            self.close()
            raise DataError(
                f"{self.path}: none of {self.frame_count} images can be read; they are damaged or not images"
            )
        self.frame_size = (self._peeked.shape[1], self._peeked.shape[0])

    def read(self, timeout: float = 0.0) -> Frame:
        """Return the next readable image, RGB (H, W, 3). Raises EndOfStream after the last."""
        if not self._images:
            raise SourceError(f"{self.path} is not open: call open() first")
        if not self._advance() or self._peeked is None:
            raise EndOfStream
        image, self._peeked = self._peeked, None
        self._position += 1
        return Frame(image, self._position - 1, time.perf_counter(), None, self.name)

    def close(self) -> None:
        """Forget the list of images."""
        self._images = []
        self._peeked = None

    def _advance(self) -> bool:
        """Read until an image is available; False at the end."""
        while self._peeked is None and self._position < len(self._images):
            self._peeked = _decode(self._images[self._position])
            if self._peeked is None:
                self.corrupt += 1
                self._position += 1
        return self._peeked is not None

    def _find(self) -> list[Path]:
        suffixes = ", ".join(IMAGE_SUFFIXES)
        if not self.path.exists():
            raise SourceError(f"no folder or image at {self.path}: check the path")
        if self.path.is_file():
            if self.path.suffix.lower() not in IMAGE_SUFFIXES:
                raise DataError(f"{self.path} is not an image that can be read; known suffixes: {suffixes}")
            return [self.path]
        try:
            files = [item for item in self.path.glob(self.pattern) if _is_image(item)]
        except (ValueError, NotImplementedError) as error:
            raise SourceError(f"pattern {self.pattern!r} is not valid in {self.path}: {error}") from None
        except OSError as error:
            raise SourceError(f"cannot read the folder {self.path}: {error.strerror}") from None
        images = sorted((item for item in files if item.is_file()), key=_natural)
        if not images:
            raise DataError(f"no images {self.pattern!r} in {self.path}; looked for {suffixes}")
        return images


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key: digits by value, letters case-insensitively, ties by the name itself."""
    pieces = re.split(r"(\d+)", path.name.lower())
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces], path.name


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _pictures(path: Path) -> list[_Picture]:
    """The pictures in a file. Raises DataError for an animation."""
    return [_Picture(path, page) for page in pages(path)] or [_Picture(path)]


def _decode(picture: _Picture) -> NDArray[np.uint8] | None:
    """(H, W, 3) RGB uint8, None if the picture cannot be read."""
    path, page = picture
    try:
        if page is None:
            data = np.fromfile(path, dtype=np.uint8)  # imread itself cannot open every name on Windows
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        elif page.position == BROKEN:
            image = None
        elif path.stat().st_size <= _LARGEST:
            image = _decode_page(path, page.position)
        else:
            _, images = cv2.imreadmulti(str(path), page.number, 1, flags=cv2.IMREAD_COLOR)
            image = images[0] if len(images) == 1 else None
    except (OSError, cv2.error):
        return None
    if image is None:
        return None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _decode_page(path: Path, position: int) -> cv2.typing.MatLike | None:
    """Decode one page of a TIFF, by making it the first one of a private copy, of which only what is needed is read."""
    at, link = first_page_at(path, position)
    data = np.memmap(path, dtype=np.uint8, mode="c")
    data[at : at + len(link)] = np.frombuffer(link, np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
