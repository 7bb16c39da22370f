"""AVI files of every kind of index, whole and cut short."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import pytest
from dlclive_io.video.avi import read_avi
from dlclive_io.video.video_file import VideoFile

COUNT, PER_PART = 60, 25


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(kind: bytes, *chunks: bytes, name: bytes = b"LIST") -> bytes:
    return _chunk(name, kind + b"".join(chunks))


def _write(path: Path, films: Any, *, old_index: bool, new_index: bool, promises: Sequence[str]) -> None:
    """MJPEG, in one part, or with a new index in parts of 25 pictures. `promises`: fields of the head that hold the number."""
    images = [cv2.imencode(".jpg", films.draw(n)[..., ::-1])[1].tobytes() for n in range(COUNT)]
    size = PER_PART if new_index else COUNT
    groups = [images[first : first + size] for first in range(0, COUNT, size)]

    def said(field: str, number: int) -> int:
        return number if field in promises else 0

    def head(places: list[tuple[int, int, int]]) -> bytes:
        strh = struct.pack("<4s4s8I", b"vids", b"MJPG", 0, 0, 0, 1, 30, 0, said("strh", COUNT), 0) + bytes(16)
        strf = struct.pack("<IiiHH4sIiiII", 40, 192, 96, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
        indx = struct.pack("<HBBI4s3I", 4, 0, 0, len(places), b"00dc", 0, 0, 0)
        indx += b"".join(struct.pack("<QII", *entry) for entry in places)
        stream = [_chunk(b"strh", strh), _chunk(b"strf", strf), *([_chunk(b"indx", indx)] if new_index else [])]
        first = said("avih", len(groups[0]))
        avih = struct.pack("<10I", 33333, 0, 0, 16 * old_index, first, 0, 1, 0, 192, 96) + bytes(16)
        dmlh = _list(b"odml", _chunk(b"dmlh", struct.pack("<I", said("dmlh", COUNT)) + bytes(244)))
        return _list(b"hdrl", _chunk(b"avih", avih), _list(b"strl", *stream), *([dmlh] if new_index else []))

    def built(places: list[tuple[int, int, int]]) -> tuple[bytes, list[tuple[int, int, int]]]:
        data, index_places = b"", []
        for part, group in enumerate(groups):
            front = head(places) if part == 0 else b""
            begin = len(data) + 12 + len(front) + 8  # of `movi`
            body, entries = b"", []
            for image in group:
                entries.append((4 + len(body), len(image)))
                body += _chunk(b"00dc", image)
            if new_index:
                listed = b"".join(struct.pack("<II", offset + 8, length) for offset, length in entries)
                standard = struct.pack("<HBBI4sQI", 2, 0, 1, len(entries), b"00dc", begin, 0) + listed
                index_places.append((begin + 4 + len(body), len(standard) + 8, len(entries)))
                body += _chunk(b"ix00", standard)
            chunks = [_list(b"movi", body)]
            if old_index and part == 0:
                chunks.append(
                    _chunk(b"idx1", b"".join(struct.pack("<4sIII", b"00dc", 16, *entry) for entry in entries))
                )
            data += _list(b"AVIX" if part else b"AVI ", front, *chunks, name=b"RIFF")
        return data, index_places

    _, places = built([(0, 0, 0)] * len(groups))
    path.write_bytes(built(places)[0])


ALL = ("avih", "strh", "dmlh")
KINDS: dict[str, dict[str, Any]] = {
    "old index": {"old_index": True, "new_index": False, "promises": ALL},
    "new index": {"old_index": False, "new_index": True, "promises": ALL},
    "both": {"old_index": True, "new_index": True, "promises": ALL},
    "none": {"old_index": False, "new_index": False, "promises": ALL},
    "new index, number in dmlh alone": {"old_index": False, "new_index": True, "promises": ("dmlh",)},
    "new index, number nowhere else": {"old_index": False, "new_index": True, "promises": ()},
    "none, number in strh alone": {"old_index": False, "new_index": False, "promises": ("strh",)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_whole(films: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "film.avi"
    _write(path, films, **KINDS[kind])
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(COUNT))
    assert source.corrupt == 0


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_says_how_many_are_missing(films: Any, tmp_path: Path, kind: str, share: float) -> None:
    """The head tells, whether or not an index of the part that is left is complete."""
    path = tmp_path / "film.avi"
    _write(path, films, **KINDS[kind])
    films.cut(path, share)
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(len(indices)))
    assert 10 < len(indices) < COUNT
    assert source.corrupt == COUNT - len(indices) or source.corrupt == COUNT - len(indices) + 1  # the torn picture


def test_a_file_that_lost_only_its_index_is_cut(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    _write(path, films, **KINDS["old index"])
    path.write_bytes(path.read_bytes()[:-100])
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(COUNT))
    assert source.corrupt == 1


def test_a_file_that_was_never_closed_counts_as_one_loss(films: Any, tmp_path: Path) -> None:
    """Its writer was killed: the head promises nothing, and the lists have no size."""
    path = tmp_path / "film.avi"
    _write(path, films, old_index=False, new_index=False, promises=())
    data = bytearray(path.read_bytes())
    data[4:8] = bytes(4)
    where = data.index(b"movi")
    data[where - 4 : where] = bytes(4)
    path.write_bytes(data)
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(COUNT))
    assert source.corrupt == 1


def test_empty_chunks_are_not_pictures(films: Any, tmp_path: Path) -> None:
    """FFmpeg fills pauses with empty chunks; the head counts them, too."""
    path = films.make(
        tmp_path / "pauses.avi", 20, codec="mjpeg", pix_fmt="yuvj420p", stamps=[100 * n for n in range(20)]
    )
    content = read_avi(path)
    assert content is not None
    assert (content.pictures, content.missing, content.has_index, content.is_whole) == (20, 0, True, True)
    assert content.promised > 100
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(20))
    assert source.corrupt == 0
    where = path.read_bytes().rindex(b"idx1")
    path.write_bytes(path.read_bytes()[:where])
    content = read_avi(path)
    assert content is not None
    assert (content.pictures, content.missing, content.has_index) == (20, 0, False)


def test_another_container_is_not_an_avi(films: Any, tmp_path: Path) -> None:
    assert read_avi(films.make(tmp_path / "film.mp4", 3)) is None
