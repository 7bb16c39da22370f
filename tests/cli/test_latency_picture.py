"""Statistics of a session in constant memory, the latency plot, and the status line."""

import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from dlclive_core import Frame, Pose
from dlclive_core.cli.live.latency_history import History
from dlclive_core.cli.live.latency_picture import HEIGHT, WIDTH, latency_picture
from dlclive_core.cli.live.live_numbers import BINS, FIRST, RATIO, LiveNumbers, Now
from dlclive_core.cli.live.status_line import sizes, text
from dlclive_core.cli.svg import ticks
from dlclive_core.data.stage_times import Stopwatch
from dlclive_core.session import Progress
from dlclive_core.testing import ProcessorContract, blob_skeleton


class TestLiveNumbers(ProcessorContract):
    @pytest.fixture
    def processor(self) -> LiveNumbers:
        return LiveNumbers()


def test_the_history_of_a_long_run_is_bounded_and_complete() -> None:
    history = History()
    for number in range(20_000):  # 50 hours
        history.add(number * 9.0, 0.010 + 0.001 * (number % 3) + (number == 12_345))
    assert len(history.stretches) <= 480
    assert sum(stretch.count for stretch in history.stretches) == 20_000
    assert min(stretch.least for stretch in history.stretches) == pytest.approx(0.010)
    slow = [n for n, stretch in enumerate(history.stretches) if stretch.largest > 1]
    assert slow == [int(12_345 * 9.0 / history.length)]
    assert history.stretches[0].mean == pytest.approx(0.011, rel=0.02)


def test_the_live_numbers_match_the_frames() -> None:
    numbers = LiveNumbers()
    numbers.open(None)  # type: ignore[arg-type]
    pose = Pose.missing(blob_skeleton(1))
    image = np.zeros((4, 4, 3), np.uint8)
    for index in range(200):
        frame = Frame(image, index, time.perf_counter() - (0.5 if index == 100 else 0.02))
        assert numbers.process(pose, frame) is pose
    now = numbers.now()
    assert now.processed == 200
    assert now.p50 == pytest.approx(0.02, abs=0.01)
    assert 0.02 <= now.age < 1
    assert sum(numbers.distribution) == 200
    (slow,) = [n for n, count in enumerate(numbers.distribution) if count and FIRST * RATIO**n > 0.3]
    assert FIRST * RATIO**slow <= 0.5 + 0.05 <= FIRST * RATIO ** (slow + 4)


def stages(*seconds: float):
    watch = Stopwatch("latency")
    for value in seconds:
        watch.add(value)
    return [watch.times()]


def test_the_latency_plot_is_valid_xml_within_its_bounds() -> None:
    history, distribution = History(), [0] * BINS
    latencies = [0.01] * 300 + [4.0]
    for number, latency in enumerate(latencies):
        history.add(number * 0.1 + 0.01, latency)
        distribution[int(np.log(latency / FIRST) / np.log(RATIO))] += 1
    root = ElementTree.fromstring(latency_picture('rat & <mouse> "3"', history, distribution, stages(*latencies)))
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert 'rat & <mouse> "3"' in texts
    assert any("off scale, up to 4000 ms" in line for line in texts)
    for element in root.iter():
        for name, limit in (("x", WIDTH), ("x1", WIDTH), ("x2", WIDTH), ("y", HEIGHT), ("y1", HEIGHT), ("y2", HEIGHT)):
            if name in element.attrib:
                assert 0 <= float(element.attrib[name]) <= limit
    (band,) = [element for element in root.iter() if element.tag.endswith("polygon")]
    points = np.array([pair.split(",") for pair in band.attrib["points"].split()], float)
    assert len(points) == 2 * 301
    assert ((points >= 0) & (points <= (WIDTH, HEIGHT))).all()


def test_the_latency_plot_reports_a_run_without_frames() -> None:
    assert "no frame was processed" in latency_picture("nothing", History(), [0] * BINS, stages())


@pytest.mark.parametrize("top", [0.003, 0.9, 1.0, 7.0, 33.0, 1e4])
def test_ticks_are_round_and_few(top: float) -> None:
    values = ticks(top)
    assert 2 <= len(values) <= 7
    assert values[0] == 0
    assert values[-1] <= top * (1 + 1e-9)


@pytest.mark.parametrize(
    ("low", "top", "expected"),
    [
        (112.0, 398.0, [150, 200, 250, 300, 350]),
        (-60.0, 590.0, [0, 200, 400]),
        (2.5, 3.15, [2.6, 2.8, 3.0]),
    ],
)
def test_ticks_of_an_axis_that_does_not_begin_at_0(low: float, top: float, expected: list[float]) -> None:
    assert ticks(top, 6, low) == pytest.approx(expected)


def test_the_status_line_shows_state_trouble_and_losses(tmp_path) -> None:
    numbers = LiveNumbers()
    assert text("blobs", Progress("starting"), numbers.now(), "") == "blobs: starting"
    waiting = Progress("stale", trouble="the cable is out")
    assert text("blobs", waiting, numbers.now(), "") == "blobs: waiting for the first frame (the cable is out)"
    numbers.open(None)  # type: ignore[arg-type]
    numbers.process(Pose.missing(blob_skeleton(1)), Frame(np.zeros((4, 4), np.uint8), 0, time.perf_counter() - 0.01))
    running = Progress("running", missed=2, frames_read=4, processed=1, dropped=3, not_written=7)
    assert "1 frames, 3 dropped, 2 missed, 7 not written, t.h5 1.5 kB" in text(
        "blobs", running, numbers.now(), "t.h5 1.5 kB"
    )
    assert "hanging" in text("blobs", Progress("hanging"), numbers.now(), "")
    assert "no frame for" in text("blobs", Progress("stale", trouble="gone"), numbers.now(), "")
    (tmp_path / "t.h5.part").write_bytes(b"0" * 1500)
    assert sizes(iter([tmp_path / "t.h5.part", tmp_path / "gone.csv"])) == "t.h5 1.5 kB"


@pytest.mark.parametrize("width", [79, 60, 1000])
@pytest.mark.parametrize("state", ["running", "stale"])
def test_losses_are_in_a_line_of_80_columns(width: int, state: str) -> None:
    """A line that is cut at the end of the terminal ended before them."""
    now = Now(processed=1234567, rate=119.9, p50=0.1081, p99=0.2124, age=0.3)
    progress = Progress(state, missed=12345, processed=1234567, dropped=12345)
    line = text("camera-0", progress, now, "mouse.h5 123.4 MB, mouse.mkv 12.3 GB", width)
    assert "12345 dropped, 12345 missed" in line
    assert len(line) <= width or width == 60
    if width == 79 and state == "running":
        assert line == "camera-0: 119.9 frames/s, latency 108.1 ms, 12345 dropped, 12345 missed"
    if width == 1000 and state == "running":
        assert line.endswith("mouse.mkv 12.3 GB")
