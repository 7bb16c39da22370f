"""ImageFolder: order, colours, depth, damage."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from dlclive_io.video.image_folder import ImageFolder

from dlclive_core import DataError, EndOfStream, Frame, FrameSource, SourceError
from dlclive_core.testing import FrameSourceContract


def _save(path: Path, values: tuple[int, ...], dtype: type = np.uint8, size: tuple[int, int] = (6, 8)) -> None:
    """An image of one colour; OpenCV's order is blue, green, red, transparency."""
    image = np.full((*size, len(values)), values, dtype=dtype)
    assert cv2.imwrite(str(path), image)


def _read(source: FrameSource) -> list[Frame]:
    frames = []
    with source:
        source.open()
        while True:
            try:
                frames.append(source.read(1.0))
            except EndOfStream:
                return frames


def test_images_are_read_in_numeric_order(tmp_path: Path) -> None:
    for number in (1, 2, 9, 10, 100):
        _save(tmp_path / f"img{number}.png", (number, 0, 0))
    (tmp_path / "notes.txt").write_text("no image")
    source = ImageFolder(tmp_path)
    frames = _read(source)
    assert [int(frame.image[0, 0, 2]) for frame in frames] == [1, 2, 9, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert (source.frame_count, source.frame_size, source.corrupt) == (5, (8, 6), 0)
    assert frames[0].device_time is None


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_images_are_rgb(tmp_path: Path, suffix: str) -> None:
    _save(tmp_path / f"a{suffix}", (10, 20, 30))
    (frame,) = _read(ImageFolder(tmp_path))
    assert frame.image.dtype == np.uint8
    np.testing.assert_array_equal(frame.image, np.full((6, 8, 3), (30, 20, 10)))


def test_depth_grey_and_transparency(tmp_path: Path) -> None:
    _save(tmp_path / "a16.png", (40000,), np.uint16)
    _save(tmp_path / "b16.tif", (256, 2560, 65535), np.uint16)
    _save(tmp_path / "c_grey.jpg", (77,))
    _save(tmp_path / "d_alpha.png", (10, 20, 30, 0))
    pixels = [frame.image[0, 0].tolist() for frame in _read(ImageFolder(tmp_path))]
    assert pixels == [[156] * 3, [255, 10, 1], [77] * 3, [30, 20, 10]]


def test_a_damaged_image_leaves_a_gap(tmp_path: Path) -> None:
    for number in range(5):
        _save(tmp_path / f"{number}.png", (number, number, number))
    (tmp_path / "0.png").write_bytes(b"")
    (tmp_path / "3.png").write_bytes(b"not an image")
    source = ImageFolder(tmp_path)
    frames = _read(source)
    assert [frame.index for frame in frames] == [1, 2, 4]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 4]
    assert (source.corrupt, source.frame_count) == (2, 5)


def test_one_image_and_a_pattern(tmp_path: Path) -> None:
    for name in ("left1.png", "right1.png", "left2.png"):
        _save(tmp_path / name, (len(name), 0, 0))
    assert len(_read(ImageFolder(tmp_path / "left2.png"))) == 1
    assert len(_read(ImageFolder(tmp_path, pattern="left*"))) == 2


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no images '\*' in .*looked for \.png, \.jpg"):
        ImageFolder(tmp_path).open()
    with pytest.raises(SourceError, match="no folder or image at"):
        ImageFolder(tmp_path / "none").open()
    (tmp_path / "a.png").write_bytes(b"noise")
    with pytest.raises(DataError, match="none of 1 images can be read"):
        ImageFolder(tmp_path).open()
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match="is not an image"):
        ImageFolder(tmp_path / "a.txt").open()
    with pytest.raises(SourceError, match="not open"):
        ImageFolder(tmp_path).read()


class TestImageFolder(FrameSourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        for number in range(5):
            _save(tmp_path / f"{number}.png", (number, 0, 0))
        return ImageFolder(tmp_path)
