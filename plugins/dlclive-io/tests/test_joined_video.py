"""Recordings joined byte by byte, and clocks that begin again: frames are counted on, and times go on."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dlclive_io.video.video_file import VideoFile

COUNT = 40
B_FRAMES = {"bf": "3"}

JOINABLE: dict[str, dict[str, Any]] = {
    "camcorder.ts": {"options": B_FRAMES},
    "dvb.ts": {"codec": "mpeg2video", "options": {"bf": "2"}},
    "dvd.mpg": {"codec": "mpeg2video", "options": {"bf": "2"}},
    "film.mkv": {"options": B_FRAMES},
    "browser.webm": {"codec": "libvpx", "options": {"deadline": "realtime"}},
    "camera.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "raw.h264": {"options": B_FRAMES},
    "raw.mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "fragments.mp4": {
        "options": B_FRAMES,
        "container_options": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    },
}


def _join(films: Any, path: Path, parts: int = 2, **options: Any) -> Path:
    data = b""
    for part in range(parts):
        part_path = path.with_name(f"part{part}{path.suffix}")
        films.make(part_path, COUNT, draw=lambda number, part=part: films.draw(part * COUNT + number), **options)
        data += part_path.read_bytes()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", JOINABLE)
def test_joined_recordings_are_counted_on(
    films: Any, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    parts = 2 if name.endswith((".mkv", ".webm")) else 3
    source = VideoFile(_join(films, tmp_path / name, parts, **JOINABLE[name]))
    frames = films.read(source)
    assert [frame.index for frame in frames] == list(range(parts * COUNT))
    assert [films.number_in(frame.image) for frame in frames] == list(range(parts * COUNT))
    assert source.corrupt == 0
    times = [frame.device_time for frame in frames]
    if times[0] is not None:  # raw H.264 has none
        np.testing.assert_allclose(np.diff(times), times[1] - times[0], atol=0.0011)
        messages = [r.getMessage() for r in caplog.records if "begins again" in r.getMessage()]
        assert len(messages) == (name not in ("camera.avi", "raw.mjpeg"))  # those count frames, and have no clock


@pytest.mark.parametrize("name", ["whole.mp4", "film.flv", "film.wmv", "film.mkv"])
def test_a_recording_that_cannot_be_reached_is_a_loss(
    films: Any, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    codec = {"codec": "wmv2"} if name == "film.wmv" else {}
    read = 2 if name == "film.mkv" else 1
    path = _join(films, tmp_path / name, read + 1, **codec)
    first = sum((tmp_path / f"part{part}{path.suffix}").stat().st_size for part in range(read))
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(read * COUNT))
    assert source.corrupt == 1
    record = caplog.records[-1]
    assert record.getMessage() == f"{path} holds another recording from byte {first} on, which is not read: split it"
    alone = VideoFile(tmp_path / f"part0{path.suffix}")
    films.read(alone)
    assert alone.corrupt == 0


def _stamped(path: Path, films: Any, stamps: list[int], codec: str = "mjpeg") -> Path:
    """A Matroska file with these times in milliseconds, in this order."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        packets = []
        for number in range(len(stamps)):
            frame = av.VideoFrame.from_ndarray(films.draw(number), format="rgb24")
            packets += stream.encode(frame)
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.pts = packet.dts = stamp
            packet.time_base = Fraction(1, 1000)
            packet.stream = stream
            container.mux(packet)
    return path


def test_frames_with_one_time_are_counted_and_said(
    films: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stamps = [number // 2 for number in range(40)]  # 2000 frames/s on a clock of milliseconds
    path = _stamped(tmp_path / "fast.mkv", films, stamps)
    with caplog.at_level(logging.WARNING):
        frames = films.read(VideoFile(path))
    assert [frame.index for frame in frames] == [films.number_in(frame.image) for frame in frames] == list(range(40))
    messages = [record.getMessage() for record in caplog.records if "same time" in record.getMessage()]
    assert messages == [
        f"{path}: frame 1 has the same time as the one before (its clock ticks every 0.001 s); numbers are right"
    ]


def test_a_pause_before_reordered_frames_is_no_new_clock(
    films: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stamps = [40 * number + 60_000 * (number // 13) for number in range(60)]
    path = films.make(tmp_path / "pauses.mkv", 60, stamps=stamps, options=B_FRAMES)
    source = VideoFile(path)
    frames = films.read(source)
    np.testing.assert_allclose([frame.device_time for frame in frames], np.array(stamps) / 1000, atol=1e-6)
    assert [films.number_in(frame.image) for frame in frames] == list(range(60))
    assert not [record for record in caplog.records if "begins again" in record.getMessage()]


RATES = [(1000, 15), (30, 25), (25, 240), (60, 7)]


@pytest.mark.parametrize(
    ("name", "declared", "actual"),
    [
        (name, declared, actual)
        for name in ("film.webm", "film.mkv", "film.avi", "film.ts", "film.flv")
        for declared, actual in RATES
        if not (name == "film.avi" and actual > declared)  # its clock ticks at the declared rate
    ],
)
def test_the_rate_is_that_of_the_timestamps(
    films: Any, tmp_path: Path, name: str, declared: int, actual: int, caplog: pytest.LogCaptureFixture
) -> None:
    codec = {"film.webm": "libvpx", "film.avi": "mjpeg"}.get(name, "libx264")
    stamps = [round(1000 * number / actual) for number in range(50)]
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = films.make(tmp_path / name, 50, codec=codec, pix_fmt=pix_fmt, fps=declared, stamps=stamps)
    source = VideoFile(path)
    frames = films.read(source)
    assert source.fps == pytest.approx(actual, rel=0.03)
    assert [films.number_in(frame.image) for frame in frames] == [frame.index for frame in frames] == list(range(50))
    times = np.array([frame.device_time for frame in frames])
    np.testing.assert_allclose(times - times[0], np.array(stamps) / 1000, atol=0.0011)
    assert len(caplog.records) <= 1


def test_a_pause_does_not_contradict_the_rate(films: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stamps = [33 * number + 2000 * (number // 25) for number in range(60)]
    source = VideoFile(films.make(tmp_path / "pause.mkv", 60, stamps=stamps))
    films.read(source)
    assert source.fps == pytest.approx(30, rel=0.02)
    assert caplog.records == []
