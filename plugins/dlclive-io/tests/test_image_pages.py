"""Files that hold several pictures: every page is a frame, or the file is refused by name."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from dlclive_io.video import image_folder
from dlclive_io.video.image_folder import ImageFolder
from dlclive_io.video.video_file import VideoFile

from dlclive_core import DataError, EndOfStream, Frame

COUNT = 25


def _read(source: ImageFolder) -> list[Frame]:
    frames = []
    with source:
        source.open()
        while True:
            try:
                frames.append(source.read())
            except EndOfStream:
                return frames


def _values(frames: list[Frame]) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in frames]


def _stack(path: Path, count: int = COUNT, dtype: type = np.uint8, scale: int = 10) -> Path:
    pages = [np.full((6, 8), number * scale, dtype) for number in range(count)]
    assert cv2.imwritemulti(str(path), pages)
    return path


def _grey_tiff(
    path: Path,
    values: list[int],
    *,
    order: str = "<",
    big: bool = False,
    previews: tuple[int, ...] = (),
    text: bytes = b"",
) -> Path:
    """Uncompressed grey pages of 4 x 2 pixels; those named in `previews` are marked as smaller copies."""
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if big else mark + struct.pack(f"{order}HI", 42, 8)
    data = bytearray(head)
    for number, value in enumerate(values):
        tags = [(254, 4, int(number in previews)), (256, 4, 4), (257, 4, 2), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
        if text:
            tags.append((270, 2, 0))
        tags += [(273, 4, 0), (277, 3, 1), (278, 4, 2), (279, 4, 8)]
        size = (8 + 20 * len(tags) + 8) if big else (2 + 12 * len(tags) + 4)
        pixels = len(data) + size
        following = pixels + 8 + len(text)
        following += following % 2
        entries = b""
        for tag, kind, content in tags:
            content = {273: pixels, 270: pixels + 8}.get(tag, content)
            length = len(text) if tag == 270 else 1
            width = {3: "H", 4: "I", 2: "Q" if big else "I"}[kind]
            packed = struct.pack(order + width, content).ljust(8 if big else 4, b"\0")
            entries += struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, kind, length) + packed
        last = number == len(values) - 1
        link = struct.pack(f"{order}{'Q' if big else 'I'}", 0 if last else following)
        data += struct.pack(f"{order}{'Q' if big else 'H'}", len(tags)) + entries + link
        data += bytes([value]) * 8 + text
        data += bytes(len(data) % 2)
    path.write_bytes(data)
    return path


def test_every_page_of_a_stack_is_a_frame(tmp_path: Path) -> None:
    source = ImageFolder(_stack(tmp_path / "stack.tif"))
    frames = _read(source)
    assert _values(frames) == [number * 10 for number in range(COUNT)]
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert (source.frame_count, source.corrupt, source.frame_size) == (COUNT, 0, (8, 6))


def test_pages_of_sixteen_bits(tmp_path: Path) -> None:
    frames = _read(ImageFolder(_stack(tmp_path / "deep.tiff", 5, np.uint16, 2560)))
    assert _values(frames) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_every_kind_of_tiff(tmp_path: Path, order: str, big: bool) -> None:
    frames = _read(ImageFolder(_grey_tiff(tmp_path / "a.tif", [5, 6, 7], order=order, big=big)))
    assert _values(frames) == [5, 6, 7]


def test_previews_are_not_frames(tmp_path: Path) -> None:
    frames = _read(ImageFolder(_grey_tiff(tmp_path / "a.tif", [5, 50, 6, 60], previews=(1, 3))))
    assert _values(frames) == [5, 6]


def test_a_stack_among_images_counts_in_its_place(tmp_path: Path) -> None:
    _grey_tiff(tmp_path / "img1.tif", [1])
    _grey_tiff(tmp_path / "img2.tif", [2, 3, 4])
    _grey_tiff(tmp_path / "img10.tif", [5])
    frames = _read(ImageFolder(tmp_path))
    assert _values(frames) == [frame.index + 1 for frame in frames] == [1, 2, 3, 4, 5]


def test_a_stack_that_is_cut_is_not_silently_short(tmp_path: Path) -> None:
    path = _grey_tiff(tmp_path / "cut.tif", [1, 2, 3, 4])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 5 // 8])
    source = ImageFolder(path)
    frames = _read(source)
    assert _values(frames) == [1, 2]
    assert source.corrupt == 1


def test_stacks_too_large_for_memory_are_read_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_folder, "_LARGEST", 10)
    path = _grey_tiff(tmp_path / "a.tif", [5, 50, 6], previews=(1,))
    assert _values(_read(ImageFolder(path))) == [5, 6]


def test_a_stack_whose_pages_are_not_listed_is_refused(tmp_path: Path) -> None:
    path = _grey_tiff(tmp_path / "large.tif", [1], text=b"ImageJ=1.54f\nimages=25\nslices=25\n\0")
    with pytest.raises(DataError, match=r"large\.tif holds 25 images but lists 1"):
        ImageFolder(path).open()
    path = _grey_tiff(tmp_path / "listed.tif", [1, 2], text=b"ImageJ=1.54f\nimages=2\n\0")
    assert _values(_read(ImageFolder(path))) == [1, 2]


def _png(path: Path, pictures: int | None) -> Path:
    data = cv2.imencode(".png", np.full((6, 8, 3), 40, np.uint8))[1].tobytes()
    if pictures is not None:
        chunk = struct.pack(">I4sII", 8, b"acTL", pictures, 0) + bytes(4)
        data = data[:33] + chunk + data[33:]
    path.write_bytes(data)
    return path


def _gif(path: Path, pictures: int) -> Path:
    picture = b"\x21\xf9\x04\0\0\0\0\0" + b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    path.write_bytes(head + pictures * picture + b"\x3b")
    return path


def _webp(path: Path) -> Path:
    path.write_bytes(b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<IB", 10, 2) + bytes(9))
    return path


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WebP"])
@pytest.mark.parametrize("in_folder", [False, True])
def test_animations_are_refused_by_name(tmp_path: Path, kind: str, in_folder: bool) -> None:
    """Also with another suffix: OpenCV decodes by content."""
    path = tmp_path / "moving.png"
    _png(tmp_path / "a.png", None)
    if kind == "PNG":
        _png(path, 3)
    elif kind == "GIF":
        _gif(path, 2)
    else:
        _webp(path)
    with pytest.raises(DataError, match=rf"moving\.png is an animated {kind} with several pictures") as caught:
        ImageFolder(tmp_path if in_folder else path).open()
    assert "\n" not in str(caught.value)


def test_an_animation_of_one_picture_is_an_image(tmp_path: Path) -> None:
    assert _values(_read(ImageFolder(_png(tmp_path / "still.png", 1)))) == [40]


def test_a_tiff_is_not_a_video(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is an image, not a video: use the source 'images'"):
        VideoFile(_stack(tmp_path / "stack.tif")).open()


def test_hidden_files_are_not_images(tmp_path: Path) -> None:
    """macOS leaves `._name` files on disks that cannot hold its attributes; Windows leaves Thumbs.db and desktop.ini."""
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), np.full((6, 8), number, np.uint8))
        (tmp_path / f"._img{number}.png").write_bytes(bytes.fromhex("0005160700020000") + bytes(4088))
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png"):
        (tmp_path / name).write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / "folder.png").mkdir()
    for pattern in ("*", "*.png", "*img*"):
        source = ImageFolder(tmp_path, pattern)
        frames = _read(source)
        assert _values(frames) == [frame.index for frame in frames] == [0, 1, 2]
        assert (source.corrupt, source.frame_count) == (0, 3)


@pytest.mark.parametrize("name", ["12:30.png", "a%03d.png", "what?.png", "no#1.png", "a*b.png", "[x].png"])
def test_names_are_taken_literally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(name.removesuffix(".png"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip(f"this file system has no name {name!r}")
    (folder / name).write_bytes(cv2.imencode(".png", np.full((6, 8), 7, np.uint8))[1].tobytes())
    Path(name).write_bytes(cv2.imencode(".png", np.full((6, 8), 8, np.uint8))[1].tobytes())
    assert _values(_read(ImageFolder(folder))) == [7]
    assert _values(_read(ImageFolder(Path(name)))) == [8]
