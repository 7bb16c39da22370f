"""A video that plays like a camera."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_io.video.video_file import VideoFile

from dlclive_core import EndOfStream, Frame, FrameSource, Pose, Processor, Session
from dlclive_core.testing import FrameSourceContract, NullModel


@pytest.fixture
def clip(films: Any, tmp_path: Path) -> Path:
    """A second long."""
    return Path(films.make(tmp_path / "clip.mp4", 60, fps=60))


class TestRealtimeVideo(FrameSourceContract):
    @pytest.fixture
    def source(self, clip: Path) -> FrameSource:
        return VideoFile(clip, realtime=True)


def next_frame(source: FrameSource) -> Frame:
    while True:
        try:
            return source.read(0.05)
        except TimeoutError:
            continue


def play(video: VideoFile) -> tuple[list[Frame], float]:
    """All its frames, and when the first one was asked for."""
    frames = []
    began = time.perf_counter()
    with pytest.raises(EndOfStream):
        while True:
            frames.append(next_frame(video))
    return frames, began


def test_playback_takes_as_long_as_the_video(clip: Path, films: Any) -> None:
    with VideoFile(clip, realtime=True) as video:
        video.open()
        assert video.is_live
        time.sleep(0.3)  # playback starts with the first frame requested
        frames, began = play(video)
    assert frames[0].index == 0
    assert [films.number_in(frame.image) for frame in frames] == [frame.index for frame in frames]
    assert len(frames) + video.skipped == 60
    late = [frame.captured_at - began - (frame.device_time or 0.0) for frame in frames]
    assert min(late) > -0.002  # never before it is due
    assert sorted(late)[len(late) // 2] < 0.2  # the film's own pace; a busy computer stands still at times


def test_variable_rates_are_kept(films: Any, tmp_path: Path) -> None:
    stamps = [0, 20, 40, 500, 520, 900]
    path = films.make(tmp_path / "variable.mkv", len(stamps), stamps=stamps)
    with VideoFile(path, realtime=True) as video:
        video.open()
        frames, began = play(video)
    assert len(frames) + video.skipped == len(stamps)
    for frame in frames:
        assert -0.002 < frame.captured_at - began - stamps[frame.index] / 1000 < 2


def test_frames_due_between_reads_are_counted_as_skipped(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "clip.mp4", 90, fps=30)
    with VideoFile(path, realtime=True) as video:
        video.open()
        first = next_frame(video)
        time.sleep(0.7)
        second = next_frame(video)
        assert 15 <= second.index - first.index <= 30 * (time.perf_counter() - first.captured_at) + 2
        assert second.index == first.index + 1 + video.skipped
        assert films.number_in(second.image) == second.index


def test_read_respects_its_timeout(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "slow.mkv", 3, stamps=[0, 2000, 4000])
    with VideoFile(path, realtime=True) as video:
        video.open()
        assert video.read(0.1).index == 0
        began = time.perf_counter()
        with pytest.raises(TimeoutError):
            video.read(0.1)
        assert time.perf_counter() - began < 1.5


def test_a_film_that_cannot_be_decoded_in_time_plays_slower(
    films: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = films.make(tmp_path / "clip.mp4", 40, fps=60)
    decode = VideoFile._decode

    def slow(self: VideoFile) -> bool:
        time.sleep(0.06)  # a quarter of the film's pace
        return decode(self)

    with VideoFile(clip, realtime=True) as video:
        video.open()
        monkeypatch.setattr(VideoFile, "_decode", slow)
        frames, _ = play(video)
    assert 0 < frames[1].index < 39  # it does not skip to its end
    assert len(frames) + video.skipped == 40


def test_a_session_counts_what_a_slow_model_misses(clip: Path) -> None:
    class Slow(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            time.sleep(0.1)
            return pose

    video = VideoFile(clip, realtime=True)
    report = Session(source=video, model=NullModel(), processors=[Slow()]).run()
    assert report.ending == "end of source"
    assert report.frames_read == report.processed + report.dropped
    assert report.frames_read + video.skipped == 60
    assert report.dropped > report.processed


def test_without_realtime_nothing_waits_and_nothing_is_skipped(clip: Path, films: Any) -> None:
    with VideoFile(clip) as video:
        video.open()
        assert not video.is_live
        video.read()
        time.sleep(0.5)
        assert video.read().index == 1
        assert video.skipped == 0
        assert np.isfinite(video.read().captured_at)
