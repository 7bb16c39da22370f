"""VideoFile on whole films: numbers, times, colours, size."""

from __future__ import annotations

import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from dlclive_io.video.video_file import VideoFile

from dlclive_core import DataError, EndOfStream, FrameSource, SourceError
from dlclive_core.testing import FrameSourceContract

OPENFIELD = Path(__file__).parents[4] / "shared" / "openfield" / "m3v1mp4.mp4"
B_FRAMES = {"bf": "3"}
UNEVEN = [30 * number + 11 * (number % 3) + 400 * (number // 40) for number in range(90)]  # milliseconds

FILMS: dict[str, dict[str, Any]] = {
    "constant.mp4": {"options": B_FRAMES},
    "variable.mp4": {"options": B_FRAMES, "stamps": UNEVEN},
    "variable.mkv": {"options": B_FRAMES, "stamps": UNEVEN},
    "stream.ts": {"options": B_FRAMES},
    "fragments.mp4": {"options": B_FRAMES, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "camera.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "old.avi": {"codec": "mpeg4"},
    "reordered.avi": {"options": B_FRAMES},
    "variable.avi": {"codec": "mpeg4", "stamps": UNEVEN},
    "dvd.mpg": {"codec": "mpeg2video", "fps": 25, "options": {"bf": "2"}},
    "interlaced.mpg": {"codec": "mpeg2video", "fps": 25, "options": {"flags": "+ilme+ildct", "bf": "0"}},
    "interlaced.ts": {"options": {"x264-params": "tff=1"}},
    "web.webm": {"codec": "libvpx", "options": {"deadline": "realtime", "auto-alt-ref": "1", "lag-in-frames": "16"}},
    "raw.mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}


@pytest.mark.parametrize("name", FILMS)
def test_every_frame_has_its_number(films: Any, tmp_path: Path, name: str) -> None:
    source = VideoFile(films.make(tmp_path / name, **FILMS[name]))
    indices, numbers = films.indices_and_numbers(source)
    assert indices == list(range(90))
    assert numbers == list(range(90))
    assert source.corrupt == 0


def test_metadata_is_that_of_the_file(films: Any, tmp_path: Path) -> None:
    with VideoFile(films.make(tmp_path / "film.mp4", 30, fps=25)) as source:
        source.open()
        assert (source.frame_size, source.fps, source.frame_count) == ((192, 96), 25.0, 30)
        assert source.is_live is False
        assert source.name == str(tmp_path / "film.mp4")
    with VideoFile(films.make(tmp_path / "film.mkv", 30)) as source:
        source.open()
        assert source.frame_count is None  # Matroska counts nothing


def test_times_are_those_of_the_film(films: Any, tmp_path: Path) -> None:
    before = time.perf_counter()
    frames = films.read(VideoFile(films.make(tmp_path / "film.mkv", stamps=UNEVEN, options=B_FRAMES)))
    np.testing.assert_allclose([frame.device_time for frame in frames], np.array(UNEVEN) / 1000, atol=1e-6)
    assert before < frames[0].captured_at <= frames[-1].captured_at < time.perf_counter()


def test_an_audio_track_is_ignored(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=48000)
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 192, 96, "yuv420p"
        for number in range(60):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48000, number * 1600, Fraction(1, 48000)
            container.mux(audio.encode(sound))
            container.mux(video.encode(av.VideoFrame.from_ndarray(films.draw(number), format="rgb24")))
        container.mux(audio.encode(None))
        container.mux(video.encode(None))
    source = VideoFile(path)
    indices, numbers = films.indices_and_numbers(source)
    assert indices == numbers == list(range(60))
    assert source.corrupt == 0


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_images_are_those_of_opencv(films: Any, tmp_path: Path, rotation: int, pix_fmt: str) -> None:
    """DeepLabCut reads through OpenCV, which rotates a video according to its display matrix."""
    path = films.make(tmp_path / "turned.mp4", 5, rotation=rotation, pix_fmt=pix_fmt)
    source = VideoFile(path)
    frames = films.read(source)
    assert source.frame_size == ((192, 96) if rotation % 180 == 0 else (96, 192))
    capture = cv2.VideoCapture(str(path))
    for frame in frames:
        expected = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
        assert frame.image.shape[:2] == source.frame_size[::-1]
        np.testing.assert_array_equal(frame.image, expected)
    capture.release()


def test_a_title_in_another_encoding_is_ignored(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "title.mkv", 3)
    data = path.read_bytes()
    assert data.count(b"Lavf") > 0
    path.write_bytes(data.replace(b"Lavf", b"L\xe4vf"))
    assert len(films.read(VideoFile(path))) == 3


def test_grey_films_are_rgb(films: Any, tmp_path: Path) -> None:
    frame = films.read(VideoFile(films.make(tmp_path / "grey.mp4", 3, pix_fmt="gray")))[0]
    assert frame.image.shape == (96, 192, 3)
    assert (np.ptp(frame.image, axis=2) <= 1).all()


def test_a_film_cut_out_of_a_longer_one_begins_at_zero(films: Any, tmp_path: Path) -> None:
    """Its first pictures depend on a key frame that was cut off; they cannot be decoded and are not numbered."""
    whole = films.make(tmp_path / "whole.ts", options={**B_FRAMES, "x264-params": "open-gop=1:keyint=15:scenecut=0"})
    part = tmp_path / "part.ts"
    with av.open(str(whole)) as source, av.open(str(part), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        keys = 0
        for packet in source.demux(video=0):
            keys += packet.size > 0 and packet.is_keyframe
            if packet.size and keys >= 2:
                packet.stream = stream
                target.mux(packet)
    video = VideoFile(part)
    indices, numbers = films.indices_and_numbers(video)
    assert indices == list(range(len(indices)))
    assert numbers == list(range(numbers[0], 90))
    assert video.corrupt == 0


def test_read_stays_at_the_end_and_needs_open(films: Any, tmp_path: Path) -> None:
    source = VideoFile(films.make(tmp_path / "film.mp4", 3))
    with pytest.raises(SourceError, match="not open"):
        source.read(1.0)
    films.read(source)
    with source:
        source.open()  # a second time, from the first frame
        assert source.read(1.0).index == 0
        source.read(1.0)
        source.read(1.0)
        for _ in range(2):
            with pytest.raises(EndOfStream):
                source.read(1.0)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(films: Any, tmp_path: Path) -> None:
    """3000 frames of 55 kB are 160 MB; reading them takes less than 60 MB more than reading the first 300."""
    path = films.make(tmp_path / "long.mp4", 3000, draw=lambda number: films.draw(number % 64), codec="mpeg4")
    script = f"""
import resource
from dlclive_io.video.video_file import VideoFile
with VideoFile({str(path)!r}) as source:
    source.open()
    for index in range(3000):
        source.read(1.0)
        if index == 300:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early)
"""
    if sys.platform == "win32":
        pytest.skip("the resource module is POSIX")
    grown = int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout)
    assert grown < 60_000  # kB


@pytest.mark.slow
@pytest.mark.skipif(not OPENFIELD.is_file(), reason="the shared openfield video is not here")
def test_openfield() -> None:
    capture = cv2.VideoCapture(str(OPENFIELD))
    with VideoFile(OPENFIELD) as source:
        source.open()
        assert (source.frame_size, source.frame_count) == ((640, 480), 2330)
        for index in range(2330):
            frame = source.read(1.0)
            assert frame.index == index
            if index < 20:
                np.testing.assert_array_equal(frame.image, cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB))
        with pytest.raises(EndOfStream):
            source.read(1.0)
        assert source.corrupt == 0
    capture.release()


class TestVideoFile(FrameSourceContract):
    @pytest.fixture
    def source(self, films: Any, tmp_path: Path) -> FrameSource:
        return VideoFile(films.make(tmp_path / "contract.mp4", 8))


def test_data_error_is_what_a_text_gives(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(DataError, match=r"notes\.mp4 cannot be read as a video"):
        VideoFile(path).open()
