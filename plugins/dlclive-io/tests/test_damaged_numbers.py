"""After damage in the middle of a video, frame numbers are right in every container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_io.video.frame_numbers import FrameNumbers
from dlclive_io.video.video_file import VideoFile

COUNT = 120
# The films must be the same in every run, or each run damages other places: x264's assembly gives other bytes now and then, and
# a Matroska file holds random numbers.
CLOSED = {"bf": "3", "x264-params": "open-gop=0:keyint=15:scenecut=0:threads=1:no-asm=1"}
EXACT = {"fflags": "+bitexact"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}

FILMS: dict[str, dict[str, Any]] = {
    "reordered.avi": {"options": CLOSED},
    "divx.avi": {"codec": "mpeg4", "options": {"g": "15", "bf": "2"}},
    "old.avi": {"codec": "mpeg4", "options": {"g": "15"}},
    "camera.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "camera.mkv": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container_options": EXACT},
    "film.mkv": {"options": CLOSED, "container_options": EXACT},
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


def test_the_films_are_the_same_in_every_run(films: Any, tmp_path: Path) -> None:
    for name, options in FILMS.items():
        first, second = (films.make(tmp_path / f"{run}-{name}", 30, **options).read_bytes() for run in range(2))
        assert first == second, name


@pytest.mark.parametrize("kind", ["changed", "zero"])
@pytest.mark.parametrize("name", ["film.mkv", "camera.mkv", "film.ts", "reordered.avi", "dvd.mpg"])
def test_numbers_are_right_wherever_the_damage_begins(films: Any, tmp_path: Path, name: str, kind: str) -> None:
    """Damage that begins in the time of a packet or in the header of a sequence is the worst."""
    whole = films.make(tmp_path / f"whole-{name}", COUNT, **FILMS[name]).read_bytes()
    path = tmp_path / name
    wrong = []
    for share in np.linspace(0.3, 0.6, 60):
        path.write_bytes(whole)
        _damage(path, kind, float(share), 900)
        source = VideoFile(path)
        indices, numbers = films.indices_and_numbers(source)
        if indices[-16:-1] != numbers[-16:-1] or not source.corrupt:
            wrong.append((float(share), indices[-3:], numbers[-3:], source.corrupt))
    assert wrong == []


def test_a_packet_with_a_time_that_was_shown_shifts_no_number() -> None:
    numbers = FrameNumbers(ranked=True, period=10.0)
    shown = []
    for pts in (0, 10, 20, 30, 5, 50, 60, 200, 210):  # 5: a damaged 40; 70 to 190 are gone
        numbers.packet(pts, hole=pts == 200)
        if pts != 5:
            shown.append(numbers.picture(pts))
    assert shown == [0, 1, 2, 3, 5, 6, 20, 21]
    assert numbers.missing == 14


@pytest.mark.parametrize(("name", "codec"), [("film.flv", "libx264"), ("film.wmv", "wmv2")])
def test_a_truncated_video_with_a_declared_length_is_reported(
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
def test_the_last_pictures_of_a_truncated_video_have_their_numbers(
    films: Any, tmp_path: Path, name: str, share: float
) -> None:
    """The file may end between a picture and others that are shown before it."""
    path = films.make(tmp_path / name, COUNT, options=CLOSED)
    films.cut(path, share)
    indices, numbers = films.indices_and_numbers(VideoFile(path))
    wrong = [(index, number) for index, number in zip(indices[:-2], numbers[:-2], strict=True) if index != number]
    assert not wrong
