"""Written videos read back with the same frames at the same times, at every rate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.video.labelled_video import LabelledVideo
from dlclive_io.video.video_file import VideoFile
from dlclive_io.video.video_recording import VideoRecording
from dlclive_io.video.video_writer import frame_rate

from dlclive_core import Estimate, Frame, ModelCard, Pose, RunInfo, Sink, Skeleton
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose",))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
TICK = 1.2e-5  # seconds: a tick of either container

PLAIN = partial(LabelledVideo, legend=False, names=False)
"""Nothing drawn over the number in the picture."""

sinks = pytest.mark.parametrize("kind", [VideoRecording, pytest.param(PLAIN, id="LabelledVideo")])
suffixes = pytest.mark.parametrize("suffix", [".mkv", ".mp4"])


def _estimate(run: RunInfo, image: np.ndarray, number: int, seconds: float, device: float | None = None) -> Estimate:
    at = run.started_clock + seconds
    return Estimate(Frame(image, number, at, device), Pose.missing(SKELETON), at, at, at)


def _write(sink: Sink, run: RunInfo, films: Any, times: list[float], device: list[float] | None = None) -> None:
    with sink:
        sink.open(run)
        for number, seconds in enumerate(times):
            sink.write(_estimate(run, films.draw(number), number, seconds, device[number] if device else None))
        sink.finish()


@sinks
@suffixes
@pytest.mark.parametrize("fps", [0.5, 29.97, 1200.0, 5000.0])
def test_live_frames_keep_their_times(films: Any, tmp_path: Path, kind: Any, suffix: str, fps: float) -> None:
    times = [number / fps for number in range(60)]
    path = tmp_path / f"fast{suffix}"
    _write(kind(path), run_info(CARD, is_live=True, fps=fps), films, times)
    source = VideoFile(path)
    frames = films.read(source)
    assert source.corrupt == 0
    assert [films.number_in(frame.image) for frame in frames] == list(range(60))
    np.testing.assert_allclose([frame.device_time for frame in frames], times, atol=TICK)
    assert source.fps == pytest.approx(fps, rel=0.05)
    with av.open(str(path)) as video:
        assert video.duration / av.time_base == pytest.approx(times[-1], abs=1.1 / fps + 0.001)
        for tag in video.streams.video[0].metadata.values():
            if ":" in tag:
                assert float(tag.split(":")[2]) == pytest.approx(times[-1] % 60, abs=1.1 / fps + 0.001)


@sinks
@suffixes
def test_a_recording_of_variable_rate_keeps_its_times(films: Any, tmp_path: Path, kind: Any, suffix: str) -> None:
    """Also if the recording does not start at zero, as in MPEG-TS."""
    device = [1.4 + 0.03 * number + 0.4 * (number // 10) for number in range(30)]
    path = tmp_path / f"variable{suffix}"
    _write(kind(path), run_info(CARD, is_live=False, fps=30.0), films, [0.0] * 30, device)
    frames = films.read(VideoFile(path))
    np.testing.assert_allclose([frame.device_time for frame in frames], np.array(device) - 1.4, atol=TICK)


def test_frames_that_share_a_time_are_all_written(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "shared.mkv"
    _write(
        VideoRecording(path),
        run_info(CARD, is_live=False, fps=2000.0),
        films,
        [0.0] * 20,
        [n // 2 / 1000 for n in range(20)],
    )
    frames = films.read(VideoFile(path))
    assert [films.number_in(frame.image) for frame in frames] == list(range(20))


@suffixes
def test_an_unfinished_file_and_its_recovery_keep_the_times(films: Any, tmp_path: Path, suffix: str) -> None:
    path, run = tmp_path / f"killed{suffix}", run_info(CARD, is_live=True, fps=1200.0)
    sink = VideoRecording(path)
    sink.open(run)
    for number in range(1300):
        sink.write(_estimate(run, films.draw(number), number, number / 1200))
    killed = tmp_path / "killed"
    killed.mkdir()
    for part in tmp_path.glob("*.part*"):  # as left by a killed process
        (killed / part.name).write_bytes(part.read_bytes())
    sink.close()
    for video in (killed / f"killed{suffix}.part", killed / f"killed{suffix}"):
        if not video.exists():
            recover(killed)
        frames = films.read(VideoFile(video))
        assert len(frames) > 500
        times = [frame.device_time for frame in frames]
        np.testing.assert_allclose(times, np.arange(len(frames)) / 1200, atol=TICK)


def test_impossible_rates_are_refused() -> None:
    assert [frame_rate(fps) for fps in (None, 0.0, -5.0, float("nan"), float("inf"))] == [30] * 5
    assert float(frame_rate(1e-4)) == pytest.approx(1e-4)
    assert float(frame_rate(30000 / 1001)) == pytest.approx(30000 / 1001, rel=1e-9)
