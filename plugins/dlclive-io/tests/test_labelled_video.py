"""LabelledVideo: what a player shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import av
import colorcet
import numpy as np
import pytest
from dlclive_io.video.labelled_video import LabelledVideo
from dlclive_io.video.video_file import VideoFile

from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, Sink, Skeleton, UsageError
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("nose", "ear", "tail"), edges=((0, 2),))
CARD = ModelCard(net_type="test", skeleton=SKELETON, unique_keypoints=("lever",))
POINTS = {"nose": (40.5, 30.5), "ear": (100.5, 30.5), "tail": (40.5, 90.5)}
GREY = np.full((120, 160, 3), 90, np.uint8)


def _pose(confidences: tuple[float, float, float] = (0.9, 0.9, 0.9), unique: bool = False) -> Pose:
    points = [[*point, confidence] for point, confidence in zip(POINTS.values(), confidences, strict=True)]
    lever = np.array([[130.5, 80.5, 1.0]], np.float32) if unique else None
    return Pose(np.array([points], np.float32), SKELETON, unique=lever)


def _estimate(index: int, image: np.ndarray = GREY, pose: Pose | None = None, at: float = 0.0) -> Estimate:
    return Estimate(Frame(image, index, at), _pose() if pose is None else pose, at, at, at)


def _record(sink: LabelledVideo, *estimates: Estimate, live: bool = False, fps: float | None = 30.0) -> None:
    with sink:
        sink.open(run_info(CARD, is_live=live, fps=fps))
        for estimate in estimates:
            sink.write(estimate)
        sink.finish()


def _colour(name: str, number: int, count: int) -> np.ndarray:
    palette = colorcet.palette[name]
    text = palette[round(number * (len(palette) - 1) / (count - 1))].lstrip("#")
    return np.array([int(text[pair : pair + 2], 16) for pair in (0, 2, 4)])


def _pixel(image: np.ndarray, x: float, y: float) -> np.ndarray:
    return image[int(y), int(x)].astype(int)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_colours_are_those_of_the_map(films: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labelled{suffix}"
    _record(
        LabelledVideo(path, radius=12, skeleton=False, names=False, legend=False),
        *(_estimate(n, pose=_pose(unique=True)) for n in range(5)),
    )
    source = VideoFile(path)
    frames = films.read(source)
    assert (len(frames), source.frame_size, source.corrupt) == (5, (160, 120), 0)
    centres = [*POINTS.values(), (130.5, 80.5)]
    for number, (x, y) in enumerate(centres):
        # 4:2:0 and compression cost some; a mix-up of red and blue would cost 200.
        np.testing.assert_allclose(_pixel(frames[4].image, x, y), _colour("bmy", number, 4), atol=14)
    np.testing.assert_allclose(_pixel(frames[4].image, 80, 60), 90, atol=4)


def test_only_confident_keypoints_are_drawn(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "sure.mp4"
    missing = Pose.missing(SKELETON)
    _record(
        LabelledVideo(path, 0.6, radius=8, names=False, legend=False),
        _estimate(0, pose=_pose((0.59, 0.6, 0.9))),
        _estimate(1, pose=missing),
        _estimate(2, pose=Pose(np.zeros((0, 3, 3), np.float32), SKELETON)),
    )
    frames = films.read(VideoFile(path))
    np.testing.assert_allclose(_pixel(frames[0].image, *POINTS["nose"]), 90, atol=6)
    assert abs(_pixel(frames[0].image, *POINTS["ear"]) - 90).max() > 50
    np.testing.assert_allclose(_pixel(frames[0].image, 40, 60), 90, atol=6)  # the edge lost one of its ends
    for frame in frames[1:]:
        np.testing.assert_allclose(frame.image.astype(int), 90, atol=6)


def test_edges_and_names(films: Any, tmp_path: Path) -> None:
    def changed(name: str, **options: bool) -> np.ndarray:
        options = {"names": False, "legend": False, **options}
        _record(LabelledVideo(tmp_path / name, radius=2, **options), _estimate(0))
        image = films.read(VideoFile(tmp_path / name))[0].image.astype(int)
        return np.abs(image - 90).max(axis=2) > 40

    assert changed("edges.mp4")[60, 40]
    plain = changed("plain.mp4", skeleton=False)
    assert not plain[60, 40]
    assert changed("names.mp4", skeleton=False, names=True).sum() > plain.sum() + 50


@pytest.mark.parametrize("shape", [(121, 161, 3), (121, 161), (7, 9, 3)])
def test_odd_and_grey_frames(films: Any, tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "odd.mp4"
    image = np.full(shape, 200, np.uint8)
    sink = LabelledVideo(path, legend=False)
    _record(sink, *(_estimate(n, image, Pose.missing(SKELETON)) for n in range(3)))
    frames = films.read(VideoFile(path))
    assert frames[0].image.shape == (shape[0] + 1, shape[1] + 1, 3)
    np.testing.assert_allclose(frames[0].image.astype(int), 200, atol=4)
    assert (image == 200).all()  # the source's frame is unchanged


def test_frames_of_another_size_are_letterboxed(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "sizes.mp4"
    bright = np.full((240, 160, 3), 200, np.uint8)
    _record(LabelledVideo(path, legend=False), _estimate(0), _estimate(1, bright, Pose.missing(SKELETON)))
    image = films.read(VideoFile(path))[1].image
    assert image.shape == (120, 160, 3)
    np.testing.assert_allclose(_pixel(image, 80, 60), 200, atol=4)
    np.testing.assert_allclose(_pixel(image, 20, 60), 0, atol=4)  # 80 columns of picture between bars of 40


def test_a_recording_is_timed_by_its_frame_numbers(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "gaps.mp4"
    _record(LabelledVideo(path), *(_estimate(n) for n in (0, 1, 5, 6)), fps=25.0)
    times = [frame.device_time for frame in films.read(VideoFile(path))]
    np.testing.assert_allclose(times, [0, 0.04, 0.2, 0.24], atol=1e-3)
    _record(LabelledVideo(path, fps=10, overwrite=True), *(_estimate(n) for n in range(3)), fps=25.0)
    np.testing.assert_allclose([f.device_time for f in films.read(VideoFile(path))], [0, 0.1, 0.2], atol=1e-3)


def test_a_live_source_is_timed_by_capture(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    now = time.perf_counter()
    offsets = [0.5, 0.51, 0.7, 1.9]
    _record(LabelledVideo(path), *(_estimate(n, at=now + offset) for n, offset in enumerate(offsets)), live=True)
    times = np.array([frame.device_time for frame in films.read(VideoFile(path))])
    np.testing.assert_allclose(np.diff(times), np.diff(offsets), atol=2e-3)


def test_a_part_opens(films: Any, tmp_path: Path) -> None:
    path = tmp_path / "part.mp4"
    with LabelledVideo(path) as sink:
        sink.open(run_info(CARD))
        for number in range(40):
            sink.write(_estimate(number))
    assert [output.name for output in sink.outputs] == ["part.mp4.part"]
    assert len(films.read(VideoFile(sink.outputs[0]))) == 40


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_leaves_a_video_that_opens(films: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"killed{suffix}"
    script = textwrap.dedent(f"""
        import numpy as np
        from pathlib import Path
        from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
        from dlclive_core.testing import run_info
        from dlclive_io.video.labelled_video import LabelledVideo
        skeleton = Skeleton(("nose",))
        sink = LabelledVideo(Path({str(path)!r}))
        sink.open(run_info(ModelCard(net_type="test", skeleton=skeleton), fps=100.0))
        random = np.random.default_rng(0)
        for number in range(300):
            image = random.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            sink.write(Estimate(Frame(image, number, 0.0), Pose.missing(skeleton), 0.0, 0.0, 0.0))
        print("written", flush=True)
        import time; time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    frames = films.read(VideoFile(path.with_name(path.name + ".part")))
    assert len(frames) >= 250  # half a second of 100 frames a second


def test_a_finished_mp4_is_an_ordinary_one(tmp_path: Path) -> None:
    path = tmp_path / "done.mp4"
    _record(LabelledVideo(path), *(_estimate(n) for n in range(40)))
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 40  # a fragmented one does not know
    assert b"avc1" in path.read_bytes()


def test_a_run_without_frames_leaves_nothing(tmp_path: Path) -> None:
    sink = LabelledVideo(tmp_path / "none.mp4")
    _record(sink)
    assert sink.outputs == ()
    assert list(tmp_path.iterdir()) == []


def test_invalid_options_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(UsageError, match=r"must end in \.mp4 or \.mkv"):
        LabelledVideo(tmp_path / "a.avi")
    with pytest.raises(UsageError, match="no colour map 'bmyy' in colorcet: did you mean 'bmy'"):
        LabelledVideo(path, colormap="bmyy")
    for options in ({"pcutoff": 60}, {"radius": -1}, {"fps": 0}):
        with pytest.raises(UsageError):
            LabelledVideo(path, **options)
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        LabelledVideo(path).open(run_info(CARD))
    assert path.read_bytes() == b"precious"


class TestLabelledVideo(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return LabelledVideo(tmp_path / "labelled.mp4")
