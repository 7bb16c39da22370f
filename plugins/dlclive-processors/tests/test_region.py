"""The region trigger: who comes in, who goes out, who is lost, and the file that says so."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import RegionEvent, RegionTrigger
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlclive_core import DataError, Frame, OutputExistsError, Pose, RunInfo, Skeleton, UsageError

MakePose = Callable[..., Pose]
MakeFrame = Callable[..., Frame]
MakeRun = Callable[..., RunInfo]

SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
IN, OUT = [50, 50], [150, 50]


@pytest.fixture
def heard() -> list[RegionEvent]:
    return []


def kinds(heard: list[RegionEvent]) -> list[tuple[int, str, str]]:
    return [(event.frame, event.individual, event.event) for event in heard]


def test_entering_and_leaving_are_reported(
    make_pose: MakePose, make_frame: MakeFrame, make_run: MakeRun, heard: list[RegionEvent]
) -> None:
    with RegionTrigger(polygon=SQUARE, keypoint="snout", on_event=heard.append) as trigger:
        trigger.open(make_run())
        for number, position in enumerate([OUT, IN, IN, OUT, OUT, IN]):
            pose = make_pose([position])
            assert trigger.process(pose, make_frame(number, number * 0.02)) is pose
            assert trigger.inside == (("mouse",) if position == IN else ())
    assert kinds(heard) == [(1, "mouse", "enter"), (3, "mouse", "leave"), (5, "mouse", "enter"), (5, "mouse", "end")]
    first = heard[0]
    assert (first.x, first.y, first.time) == (50, 50, 0.02)
    assert first.confidence == pytest.approx(0.9)


def test_only_the_named_keypoint_counts(make_pose: MakePose, make_frame: MakeFrame, heard: list[RegionEvent]) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="left_ear", on_event=heard.append)
    trigger.process(make_pose([[IN, OUT, IN, IN]]), make_frame(0))
    assert not heard
    trigger.process(make_pose([[OUT, IN, OUT, OUT]]), make_frame(1))
    assert kinds(heard) == [(1, "individual_1", "enter")]


@pytest.mark.parametrize(
    ("place", "confidence"),
    [
        ([float("nan"), float("nan")], 0.0),
        ([float("nan"), float("nan")], 0.99),
        ([50, 50], 0.59),
        ([50, 50], float("nan")),
        ([float("inf"), 50], 0.99),
        ([float("-inf"), 50], 0.99),
        ([50, float("nan")], 0.99),
    ],
)
def test_an_unseen_animal_is_not_inside(
    place: list[float], confidence: float, make_pose: MakePose, make_frame: MakeFrame, heard: list[RegionEvent]
) -> None:
    """Not even in a region that holds the top left corner; and one that was inside is lost, not still there."""
    trigger = RegionTrigger(
        polygon=[[-9, -9], [999, -9], [999, 999], [-9, 999]], keypoint="snout", on_event=heard.append
    )
    trigger.process(make_pose([place], confidence), make_frame(0))
    assert not heard
    trigger.process(make_pose([IN]), make_frame(1))
    trigger.process(make_pose([place], confidence), make_frame(2))
    assert kinds(heard)[1:] == [(2, "individual_1", "lost")]
    assert 0 <= heard[1].confidence <= 1


def test_debounce_counts_consecutive_frames(
    make_pose: MakePose, make_frame: MakeFrame, heard: list[RegionEvent]
) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", debounce=3, on_event=heard.append)
    way = [IN, IN, OUT, IN, IN, IN, OUT, OUT, IN, OUT, OUT, OUT, OUT]
    for number, place in enumerate(way):
        trigger.process(make_pose([place]), make_frame(number))
    assert kinds(heard) == [(5, "individual_1", "enter"), (11, "individual_1", "leave")]


def test_the_last_frame_decides_between_leave_and_lost(
    make_pose: MakePose, make_frame: MakeFrame, heard: list[RegionEvent]
) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", debounce=2, on_event=heard.append)
    for number, (place, confidence) in enumerate(
        [(IN, 0.9), (IN, 0.9), (IN, 0.1), (OUT, 0.9), (IN, 0.9), (IN, 0.9), (OUT, 0.9), (OUT, 0.1)]
    ):
        trigger.process(make_pose([place], confidence), make_frame(number))
    assert [kind for _, _, kind in kinds(heard)] == ["enter", "leave", "enter", "lost"]


def test_individuals_by_row(
    make_pose: MakePose, make_frame: MakeFrame, make_run: MakeRun, heard: list[RegionEvent]
) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", on_event=heard.append)
    trigger.open(make_run(individuals=("a", "b")))
    for number, places in enumerate([[IN, OUT], [IN, IN, IN], [IN], np.empty((0, 2))]):
        trigger.process(make_pose(places), make_frame(number))
    assert kinds(heard[:3]) == [(0, "a", "enter"), (1, "b", "enter"), (1, "individual_3", "enter")]
    assert sorted(kinds(heard[3:5])) == [(2, "b", "lost"), (2, "individual_3", "lost")]
    assert kinds(heard[5:]) == [(3, "a", "lost")]
    assert np.isnan(heard[5].x)
    assert heard[5].confidence == 0


def test_individuals_by_id(make_pose: MakePose, make_frame: MakeFrame, heard: list[RegionEvent]) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", on_event=heard.append)
    trigger.process(make_pose([IN, OUT], ids=("a", "b")), make_frame(0))
    trigger.process(make_pose([OUT, IN], ids=("b", "a")), make_frame(1))
    assert kinds(heard) == [(0, "a", "enter")]
    for number in range(2, 500):
        trigger.process(make_pose([OUT], ids=(f"track {number}",)), make_frame(number))
    assert kinds(heard)[1:] == [(2, "a", "lost")]
    assert not trigger._present


def test_live_time_is_since_the_start(
    make_pose: MakePose, make_frame: MakeFrame, make_run: MakeRun, heard: list[RegionEvent]
) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", on_event=heard.append)
    trigger.open(make_run(is_live=True))
    trigger.process(make_pose([IN]), make_frame(7, 5e5, 1002.5))
    assert heard[0].time == 2.5
    trigger.open(make_run(fps=50))
    trigger.process(make_pose([IN]), make_frame(100, None, 5.0))
    assert heard[-1].time == 2.0


def test_an_unknown_keypoint_is_refused(
    make_run: MakeRun, make_pose: MakePose, make_frame: MakeFrame, tmp_path: Path
) -> None:
    events = tmp_path / "events.csv"
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snot", events=events)
    with pytest.raises(UsageError, match="no keypoint 'snot': did you mean 'snout'"):
        trigger.open(make_run())
    trigger.close()
    assert not events.exists()
    with pytest.raises(UsageError, match="snout"):
        trigger.process(make_pose([IN]), make_frame(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"debounce": 0}, "debounce is 0; give a number at least 1"),
        ({"debounce": 1.5}, "debounce is 1.5; give a whole number of frames"),
        ({"min_confidence": 60}, "min_confidence is 60"),
        ({"polygon": [[0, 0], [1, 1]]}, "2 different corners"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        RegionTrigger(**{"polygon": SQUARE, "keypoint": "snout", **options})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_events_are_written_to_the_file(
    make_pose: MakePose, make_frame: MakeFrame, make_run: MakeRun, tmp_path: Path
) -> None:
    events = tmp_path / "events.csv"
    with RegionTrigger(polygon=SQUARE, keypoint="snout", events=events) as trigger:
        assert not events.exists()  # a constructor touches nothing
        trigger.open(make_run(individuals=("mouse, the grey",)))
        for number, place in enumerate([OUT, IN, OUT, IN]):
            trigger.process(make_pose([place]), make_frame(number, number * 0.02))
    trigger.close()
    with events.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["frame", "time", "individual", "event", "x", "y", "confidence"]
    assert rows[1] == ["1", "0.020000", "mouse, the grey", "enter", "50.000", "50.000", "0.9000"]
    assert [row[3] for row in rows[1:]] == ["enter", "leave", "enter", "end"]
    assert rows[4][4:] == ["nan", "nan", "0.0000"]


def test_an_existing_file_is_not_replaced(make_run: MakeRun, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("mine")
    with pytest.raises(OutputExistsError, match="overwrite=true"):
        RegionTrigger(polygon=SQUARE, keypoint="snout", events=events).open(make_run())
    assert events.read_text() == "mine"
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", events=events, overwrite=True)
    trigger.open(make_run())
    trigger.close()
    assert events.read_text().startswith("frame,time")


def test_a_missing_folder_is_an_error(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="folder that exists"):
        RegionTrigger(polygon=SQUARE, keypoint="snout", events=tmp_path / "no" / "e.csv").open(make_run())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_an_error(make_run: MakeRun) -> None:
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", events=Path("/dev/full"), overwrite=True)
    with pytest.raises(DataError, match="on a disk with space"):
        trigger.open(make_run())


def test_the_file_is_closed_if_the_callback_fails(
    make_pose: MakePose, make_frame: MakeFrame, make_run: MakeRun, tmp_path: Path
) -> None:
    """An error of the listener stops the session (it comes out of process), and close still says "end" for everyone."""
    heard = []

    def fail(event: RegionEvent) -> None:
        heard.append((event.individual, event.event))
        if event.event == "end" or len(heard) == 2:
            raise RuntimeError(event.event)

    events = tmp_path / "events.csv"
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", events=events, on_event=fail)
    trigger.open(make_run())
    with pytest.raises(RuntimeError, match="enter"):
        trigger.process(make_pose([IN, IN], ids=("a", "b")), make_frame(0))
    with pytest.raises(RuntimeError, match="end"):
        trigger.close()
    trigger.close()
    assert heard == [("a", "enter"), ("b", "enter"), ("a", "end"), ("b", "end")]
    assert trigger._log is None


numbers = st.one_of(st.floats(-20, 120, width=32), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 100.0]))
confidences = st.sampled_from([0.0, 0.5, 0.6, 1.0, 2.0, math.nan, math.inf, -1.0])


@settings(max_examples=300, deadline=None)
@given(
    path=st.lists(st.lists(st.tuples(numbers, numbers, confidences), max_size=3), max_size=12),
    debounce=st.integers(1, 3),
)
@example(path=[[(50.0, 50.0, 1.0)]] * 3, debounce=2)  # enters, and is inside at the end
@example(path=[[(50.0, 50.0, 1.0)]] * 2 + [[(150.0, 50.0, 1.0)]] * 2, debounce=2)  # enters and leaves
def test_every_enter_follows_debounced_frames_and_is_ended(
    path: list[list[tuple[float, float, float]]], debounce: int
) -> None:
    """For any values: an individual enters exactly after `debounce` frames inside, and every enter is ended."""
    skeleton = Skeleton(("snout",))
    heard: list[RegionEvent] = []
    trigger = RegionTrigger(polygon=SQUARE, keypoint="snout", debounce=debounce, on_event=heard.append)
    inside: list[set[str]] = []
    for number, points in enumerate(path):
        keypoints = np.array(points, dtype=np.float32).reshape(-1, 1, 3)
        trigger.process(Pose(keypoints, skeleton), Frame(np.zeros((2, 2), np.uint8), number, number * 0.01))
        is_inside = [0 <= x < 100 and 0 <= y < 100 and math.isfinite(c) and np.float32(c) >= 0.6 for x, y, c in points]
        inside.append({f"individual_{row + 1}" for row, value in enumerate(is_inside) if value})
        if len(inside) >= debounce:
            assert set.intersection(*inside[-debounce:]) <= set(trigger.inside)
    trigger.close()
    for event in heard:
        if event.event == "enter":
            assert event.frame + 1 >= debounce
            assert all(event.individual in frame for frame in inside[event.frame + 1 - debounce : event.frame + 1])
    for individual in {event.individual for event in heard}:
        kinds = [event.event for event in heard if event.individual == individual]
        assert all(kind == "enter" for kind in kinds[::2])
        assert all(kind != "enter" for kind in kinds[1::2])
        assert len(kinds) % 2 == 0


WRITER = """
import os, signal, sys
from datetime import datetime, timezone
from pathlib import Path
import numpy as np
from dlclive_core import Frame, ModelCard, Pose, RunInfo, Skeleton
from dlclive_processors import RegionTrigger

skeleton = Skeleton(("snout",))
card = ModelCard(net_type="test", skeleton=skeleton)
trigger = RegionTrigger(polygon=[[0, 0], [9, 0], [9, 9]], keypoint="snout", events=Path(sys.argv[1]))
trigger.open(RunInfo(card=card, source="", frame_size=None, fps=100.0, frame_count=None,
                     started_at=datetime.now(timezone.utc), started_clock=0.0, is_live=False))
for number in range(101):
    point = (5, 2, 1) if number % 2 else (50, 2, 1)
    trigger.process(Pose(np.array([[point]], np.float32), skeleton), Frame(np.zeros((2, 2), np.uint8), number, 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_kill_9_loses_no_event(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(events)], env={**os.environ, "PYTHONPATH": paths}, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    with events.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(1, 101))
    assert {row["event"] for row in rows} == {"enter", "leave"}
