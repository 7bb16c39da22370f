"""Damage in the middle of a film: no frame after it has another frame's number, in any container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dlclive_io.video.video_file import VideoFile

COUNT = 120
CLOSED = {"bf": "3", "x264-params": "open-gop=0:keyint=15:scenecut=0:threads=1"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}

FILMS: dict[str, dict[str, Any]] = {
    "reordered.avi": {"options": CLOSED},
    "divx.avi": {"codec": "mpeg4", "options": {"g": "15", "bf": "2"}},
    "old.avi": {"codec": "mpeg4", "options": {"g": "15"}},
    "camera.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "camera.mkv": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "film.mkv": {"options": CLOSED},
    "film.ts": {"options": CLOSED},
    "dvd.mpg": {"codec": "mpeg2video", "options": {"bf": "2", "g": "15"}},
    "fragments.mp4": {"options": CLOSED, "container_options": FRAGMENTS},
}


def _damage(path: Path, kind: str, share: float, length: int) -> None:
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    if kind == "changed":
        data[at : at + length] = bytes(byte ^ 0xA5 for byte in data[at : at + length])
    elif kind == "zero":
        data[at : at + length] = bytes(length)
    else:
        del data[at : at + length]
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["changed", "zero", "missing"])
@pytest.mark.parametrize("name", FILMS)
def test_numbers_after_damage_are_right(films: Any, tmp_path: Path, name: str, kind: str) -> None:
    whole = films.make(tmp_path / f"whole-{name}", COUNT, **FILMS[name]).read_bytes()
    for share in (0.35, 0.45, 0.55):
        path = tmp_path / name
        path.write_bytes(whole)
        _damage(path, kind, share, 900)
        source = VideoFile(path)
        indices, numbers = films.indices_and_numbers(source)
        assert len(indices) > COUNT // 4
        assert indices == sorted(set(indices))
        assert indices[-16:-1] == numbers[-16:-1], (share, list(zip(indices, numbers, strict=True)))
        if name != "fragments.mp4":  # FFmpeg may not find the next fragment
            assert indices[-1] == COUNT - 1
        assert source.corrupt > 0


@pytest.mark.parametrize(("name", "codec"), [("film.flv", "libx264"), ("film.wmv", "wmv2")])
def test_a_cut_film_that_declares_its_length_is_not_silently_short(
    films: Any, tmp_path: Path, name: str, codec: str
) -> None:
    path = films.make(tmp_path / name, COUNT, codec=codec)
    whole = VideoFile(path)
    assert films.indices_and_numbers(whole) == (list(range(COUNT)), list(range(COUNT)))
    assert whole.corrupt == 0
    films.cut(path, 0.7)
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices[:-3] == numbers[:-3] == list(range(len(indices) - 3))
    assert 20 < len(indices) < COUNT
    assert source.corrupt > 0


@pytest.mark.parametrize("name", ["film.flv", "film.mkv", "film.ts", "film.avi"])
@pytest.mark.parametrize("share", [0.5, 0.53, 0.56, 0.59, 0.62])
def test_the_last_pictures_of_a_cut_film_have_their_numbers(
    films: Any, tmp_path: Path, name: str, share: float
) -> None:
    """The cut may fall between a picture and those that are shown before it."""
    path = films.make(tmp_path / name, COUNT, options=CLOSED)
    films.cut(path, share)
    indices, numbers = films.indices_and_numbers(VideoFile(path))
    wrong = [(index, number) for index, number in zip(indices[:-2], numbers[:-2], strict=True) if index != number]
    assert not wrong
