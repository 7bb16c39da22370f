"""VideoRecording: every frame as it came, with its time."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dlclive_io import disk_space
from dlclive_io.video.video_file import VideoFile
from dlclive_io.video.video_recording import VideoRecording

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    ModelCard,
    OutputExistsError,
    Pose,
    RunInfo,
    Sink,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("nose",))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
POSE = Pose(np.array([[[40.5, 60.5, 1.0]]], np.float32), SKELETON)
IRREGULAR = (0.004, 0.011, 0.054, 0.055, 0.301, 0.9, 1.417, 1.423, 2.0, 5.25)  # seconds


def _estimate(run: RunInfo, number: int, image: np.ndarray, at: float, device: float | None = None) -> Estimate:
    captured = run.started_clock + at
    return Estimate(Frame(image, number, captured, device), POSE, captured, captured, captured)


def _record(sink: VideoRecording, images: list[np.ndarray], times: tuple[float, ...] | None = None) -> RunInfo:
    run = run_info(CARD, is_live=True, fps=100.0)
    with sink:
        sink.open(run)
        for number, image in enumerate(images):
            at = times[number] if times else number / 100
            sink.write(_estimate(run, 3 * number, image, at, device=number + 0.5))
        sink.finish()
    return run


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_frames_are_shown_when_they_were_taken(films: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"raw{suffix}"
    _record(VideoRecording(path), [films.draw(number) for number in range(10)], IRREGULAR)
    frames = films.read(VideoFile(path))
    assert [films.number_in(frame.image) for frame in frames] == list(range(10))
    tolerance = 0.0006 if suffix == ".mkv" else 0.00001  # Matroska's clock ticks in milliseconds
    np.testing.assert_allclose([frame.device_time for frame in frames], IRREGULAR, atol=tolerance)
    rows = _rows(tmp_path / "raw_timestamps.csv")
    assert [row["frame"] for row in rows] == [str(3 * number) for number in range(10)]
    assert [row["video_frame"] for row in rows] == [str(number) for number in range(10)]
    assert {row["video"] for row in rows} == {path.name}
    np.testing.assert_allclose([float(row["captured_at_s"]) for row in rows], IRREGULAR, atol=1e-6)
    assert [float(row["device_time_s"]) for row in rows] == [number + 0.5 for number in range(10)]
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([path.name, "raw_timestamps.csv"])


def test_a_key_frame_every_half_second_at_any_rate(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "raw.mkv"
    times = tuple(number / 7 for number in range(40))  # declared are 100 frames/s
    _record(VideoRecording(path), [films.draw(number) for number in range(40)], times)
    with av.open(str(path)) as video:
        keys = [float(packet.pts * packet.time_base) for packet in video.demux(video=0) if packet.is_keyframe]
    assert max(np.diff(keys)) <= 0.5 + 1 / 7 + 0.001


def test_grey_stays_as_it_is(films: Any, tmp_path: Path) -> None:
    """Darkest and brightest included: the luma is the image, in full range, not squeezed into 16 to 235."""
    path = tmp_path / "grey.mkv"
    image = np.repeat(np.arange(256, dtype=np.uint8)[None], 64, axis=0)
    _record(VideoRecording(path, crf=1), [image] * 5)
    shown = films.read(VideoFile(path))[4].image
    np.testing.assert_array_equal(shown[:, :, 0], shown[:, :, 2])
    np.testing.assert_allclose(shown[:, :, 0].astype(int), image, atol=3)
    with av.open(str(path)) as video:
        luma = next(video.decode(video=0)).to_ndarray()[:64]
    np.testing.assert_allclose(luma.astype(int), image, atol=3)


@pytest.mark.parametrize("shape", [(37, 51, 3), (37, 51)])
def test_ffv1_loses_nothing(films: Any, tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "lossless.mkv"
    images = [np.random.default_rng(number).integers(0, 256, shape, np.uint8) for number in range(4)]
    _record(VideoRecording(path, codec="ffv1"), images)
    for frame, image in zip(films.read(VideoFile(path)), images, strict=True):
        np.testing.assert_array_equal(frame.image, image if image.ndim == 3 else np.repeat(image[..., None], 3, 2))


@pytest.mark.parametrize("shape", [(37, 51, 3), (37, 51)])
def test_odd_sizes_gain_a_row_and_a_column(films: Any, tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "odd.mkv"
    _record(VideoRecording(path), [np.full(shape, 200, np.uint8)] * 3)
    frames = films.read(VideoFile(path))
    assert frames[0].image.shape == (38, 52, 3)
    np.testing.assert_allclose(frames[2].image.astype(int), 200, atol=3)


def test_frames_of_another_format_continue_in_another_file(
    films: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "raw.mkv"
    big, small, grey = np.full((64, 96, 3), 50, np.uint8), np.full((32, 48, 3), 100, np.uint8), np.full((32, 48), 150)
    images = [big, big, small, grey.astype(np.uint8), big]
    (tmp_path / "raw-2.mkv").write_text("somebody's")
    sink = VideoRecording(path)
    with caplog.at_level(logging.WARNING, logger="dlclive_io"):
        _record(sink, images)
    names = ["raw.mkv", "raw-3.mkv", "raw-4.mkv", "raw-5.mkv"]
    assert [output.name for output in sink.outputs] == [*names, "raw_timestamps.csv"]
    messages = [record.getMessage() for record in caplog.records if "continues in" in record.getMessage()]
    assert messages[:2] == [
        "frame 6 is 48x32 RGB, not 96x64 RGB: the recording continues in raw-3.mkv",
        "frame 9 is 48x32 grey, not 48x32 RGB: the recording continues in raw-4.mkv",
    ]
    rows = [(row["video"], row["video_frame"]) for row in _rows(tmp_path / "raw_timestamps.csv")]
    assert rows == [("raw.mkv", "0"), ("raw.mkv", "1"), *((name, "0") for name in names[1:])]
    for name, value, count in zip(names, (50, 100, 150, 50), (2, 1, 1, 1), strict=True):
        frames = films.read(VideoFile(tmp_path / name))
        assert len(frames) == count
        np.testing.assert_allclose(frames[0].image.astype(int), value, atol=4)
    assert films.read(VideoFile(tmp_path / "raw-5.mkv"))[0].device_time == pytest.approx(0.04, abs=0.001)
    assert (tmp_path / "raw-2.mkv").read_text() == "somebody's"


def test_keypoints_are_drawn_on_request(films: Any, tmp_path: Path) -> None:
    grey = np.full((120, 160), 90, np.uint8)
    _record(VideoRecording(tmp_path / "raw.mkv"), [grey])
    _record(VideoRecording(tmp_path / "drawn.mkv", draw=True, radius=6), [grey])
    raw, drawn = (films.read(VideoFile(tmp_path / name))[0].image.astype(int) for name in ("raw.mkv", "drawn.mkv"))
    np.testing.assert_allclose(raw, 90, atol=3)
    assert abs(drawn[60, 40] - 90).max() > 50


def test_a_run_without_frames_leaves_its_table(tmp_path: Path) -> None:
    sink = VideoRecording(tmp_path / "raw.mkv")
    _record(sink, [])
    assert [output.name for output in sink.outputs] == ["raw_timestamps.csv"]
    assert _rows(tmp_path / "raw_timestamps.csv") == []


def test_a_nearly_full_disk_at_the_start_is_logged(
    films: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk_space, "free_bytes", lambda folder: 4_900_000_000)
    _record(VideoRecording(tmp_path / "raw.mkv"), [films.draw(0)])
    assert [record.getMessage() for record in caplog.records] == [
        f"4.9 GB free in {tmp_path}: free some space, or the recording of {tmp_path / 'raw.mkv'} may end early"
    ]


def test_a_disk_that_fills_ends_the_recording_properly(
    films: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the test loses 1 GB between two looks; its last 1.5 GB would not last for five minutes."""
    free = iter([100e9, 99e9, 1.5e9])
    monkeypatch.setattr(disk_space, "free_bytes", lambda folder: int(next(free)))
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr(disk_space.time, "monotonic", lambda: float(next(clock)))
    path = tmp_path / "raw.mkv"
    run = run_info(CARD, is_live=True)
    sink = VideoRecording(path)
    written = 0
    with sink:
        sink.open(run)
        with pytest.raises(
            DataError, match=r"complete up to here: 1\.5 GB free .* minutes at .* MB/s; free some space"
        ):
            for number in range(10):
                sink.write(_estimate(run, number, films.draw(number), number / 100))
                written += 1
    assert sorted(item.name for item in tmp_path.iterdir()) == ["raw.mkv", "raw_timestamps.csv"]
    assert len(films.read(VideoFile(path))) == len(_rows(tmp_path / "raw_timestamps.csv")) == written + 1


def test_nothing_is_overwritten(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "raw.mkv"
    run = run_info(CARD, is_live=True)
    with VideoRecording(path) as first:
        first.open(run)
        with VideoRecording(path) as second, pytest.raises(OutputExistsError, match="another run is writing"):
            second.open(run)
        first.write(_estimate(run, 0, films.draw(0), 0.0))
    assert [output.name for output in first.outputs] == ["raw.mkv.part", "raw_timestamps.csv.part"]
    with VideoRecording(path) as third, pytest.raises(OutputExistsError, match="dlclive recover"):
        third.open(run)
    _record(VideoRecording(path, overwrite=True), [films.draw(7)])
    assert films.number_in(films.read(VideoFile(path))[0].image) == 7
    with VideoRecording(path) as fourth, pytest.raises(OutputExistsError, match="exists"):
        fourth.open(run)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("raw.avi", {}),
        ("raw.mp4", {"codec": "ffv1"}),
        ("raw.mkv", {"codec": "h264"}),
        ("raw.mkv", {"preset": "fastest"}),
        ("raw.mkv", {"crf": 52}),
        ("raw.mkv", {"nice": -1}),
        ("raw.mkv", {"threads": -1}),
        ("raw.mkv", {"minutes_left": float("nan")}),
        ("raw.mkv", {"colormap": "nosuch"}),
    ],
)
def test_invalid_options_are_refused(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        VideoRecording(tmp_path / name, **options)


class TestVideoRecording(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return VideoRecording(tmp_path / "raw.mkv")
