"""VideoFile on damaged videos: nothing is lost silently, and frame numbers after the damage are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dlclive_io.video.video_file import VideoFile

from dlclive_core import DataError, SourceError

COUNT = 150
CLOSED = {"bf": "3", "x264-params": "open-gop=0:keyint=15:scenecut=0:threads=1"}


def _media_start(path: Path) -> int:
    """Bytes in front of the first packet."""
    with av.open(str(path)) as container:
        return min(packet.pos for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_flipped_bytes(films: Any, tmp_path: Path, suffix: str) -> None:
    path = films.make(tmp_path / f"film{suffix}", COUNT, options=CLOSED)
    middle = (_media_start(path) + path.stat().st_size) // 2
    films.flip(path, middle, 1200)
    source = VideoFile(path)
    frames = films.read(source)
    assert COUNT // 2 < len(frames) <= COUNT
    assert source.corrupt > 0
    # Pictures near the damage are smeared, so there the film's clock tells which frame it is.
    first = frames[0].device_time
    assert [frame.index for frame in frames] == [round((frame.device_time - first) * 30) for frame in frames]
    ends = [frame for frame in frames if frame.index < 30 or frame.index >= COUNT - 15]
    assert len(ends) >= 40
    assert [films.number_in(frame.image) for frame in ends] == [frame.index for frame in ends]
    assert frames[-1].index == COUNT - 1


def test_flipped_bytes_in_a_film_of_variable_rate(films: Any, tmp_path: Path) -> None:
    """The clock tells nothing here, and an MP4's index all."""
    stamps = [40 * number + 13 * (number % 2) + 500 * (number // 70) for number in range(COUNT)]
    path = films.make(tmp_path / "film.mp4", COUNT, options=CLOSED, stamps=stamps)
    films.flip(path, _media_start(path) + path.stat().st_size // 3, 1200)
    source = VideoFile(path)
    frames = films.read(source)
    assert source.corrupt > 0
    times = np.array([frame.device_time for frame in frames])
    np.testing.assert_allclose(times, np.array(stamps)[[frame.index for frame in frames]] / 1000, atol=1e-6)


def test_a_lost_picture_of_an_avi_leaves_its_number_out(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "film.avi", COUNT, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    films.flip(path, packets[40][0] - 8, 8)  # the head of its chunk: FFmpeg passes over it without a word
    films.flip(path, packets[90][0], packets[90][1])  # a picture of noise
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == [number for number in range(COUNT) if number not in (40, 90)]
    assert source.corrupt == 2


def test_each_lost_packet_is_counted_once(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "film.mp4", 30, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for number in (0, 11, 12, 29):
        films.flip(path, *packets[number])
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == [number for number in range(30) if number not in (0, 11, 12, 29)]
    assert source.corrupt == 4
    assert source.frame_count == 30


@pytest.mark.parametrize(
    ("name", "options"),
    [("fast.mp4", {"movflags": "faststart"}), ("film.mkv", {}), ("film.avi", {}), ("film.webm", {})],
)
def test_a_film_that_was_cut_is_never_silently_short(
    films: Any, tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    codec = {"codec": "libvpx", "options": {"deadline": "realtime"}} if name.endswith("webm") else {"options": CLOSED}
    path = films.make(tmp_path / name, COUNT, container_options=options, **codec)
    films.cut(path, 0.7)
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert 20 < len(indices) < COUNT
    whole = len(indices) - 3  # the last pictures are shown after some that were cut off, or are torn
    assert indices[:whole] == numbers[:whole] == list(range(whole))
    assert indices == sorted(set(indices))
    assert source.corrupt > 0
    if name == "fast.mp4":  # its index is whole
        assert source.frame_count == COUNT
        assert source.corrupt >= COUNT - len(indices)


def test_a_hole_in_a_webm_is_not_silent(films: Any, tmp_path: Path) -> None:
    """FFmpeg finds the next cluster by itself, and the file is as long as it says."""
    path = films.make(tmp_path / "film.webm", 400, codec="libvpx", options={"deadline": "realtime", "g": "20"})
    films.flip(path, path.stat().st_size // 2, 3000)
    source = VideoFile(path)
    frames = films.read(source)
    assert len(frames) < 400
    assert source.corrupt > 0
    assert [frame.index for frame in frames] == [round(frame.device_time * 30) for frame in frames]


def test_a_file_that_is_not_a_video_is_a_one_line_error(
    films: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    headless = films.make(tmp_path / "headless.mp4", 30)
    films.cut(headless, 0.6)
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    noise = films.make(tmp_path / "noise.mp4", 5, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(noise)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets:
        films.flip(noise, position, size)
    cases = [
        (empty, "is empty"),
        (headless, "cannot be read as a video"),
        (sound, "holds no video, only audio"),
        (noise, "holds no frame that can be decoded"),
    ]
    capfd.readouterr()
    for path, message in cases:
        source = VideoFile(path)
        with pytest.raises(DataError, match=message) as caught:
            source.open()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        source.close()
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no video at"):
        VideoFile(tmp_path / "none.mp4").open()
    with pytest.raises(SourceError, match="is a folder"):
        VideoFile(tmp_path).open()


def test_ffmpeg_is_quiet_about_damage(films: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = films.make(tmp_path / "film.mp4", COUNT, options=CLOSED)
    films.flip(path, path.stat().st_size // 2, 1200)
    capfd.readouterr()
    films.read(VideoFile(path))
    assert capfd.readouterr() == ("", "")
