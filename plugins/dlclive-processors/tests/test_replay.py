"""A run that was recorded and replayed gives the same events and the same poses, to the last bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dlclive_io", reason="a record is written by dlclive-io")
from dlclive_io import RecordFile, ReplayRecord
from dlclive_processors import KalmanPredictor, RegionEvent, RegionTrigger, SerialOutput, Stimulate
from dlclive_processors.simulator import Simulator

from dlclive_core import MemorySink, PluginCatalog, Processor, ProcessorInfo, Session, UsageError, replay
from dlclive_core.testing import BlobModel, BlobSource, LiveBlobSource

HALF = [[0, 0], [80, 0], [80, 120], [0, 120]]
ASKS = ("perf_counter", "perf_counter_ns", "time", "time_ns", "monotonic", "monotonic_ns", "sleep", "process_time")


def region(events: Path | None, **options) -> RegionTrigger:
    return RegionTrigger(polygon=HALF, keypoint="k0", events=events, **options)


def recorded(folder: Path, source, *processors: Processor) -> tuple[RecordFile, MemorySink]:
    memory = MemorySink()
    Session(
        source=source, model=BlobModel(delay=0.004), processors=processors,
        sinks=[ReplayRecord(folder / "poses.replay"), memory],
    ).run()  # fmt: skip
    return RecordFile(folder / "poses.replay"), memory


@contextmanager
def no_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks the computer for the time raises."""

    def ask(*arguments: object) -> float:
        raise AssertionError("the computer's clock was asked")

    with monkeypatch.context() as patch:
        for name in ASKS:
            patch.setattr(time, name, ask)
        yield


@pytest.mark.parametrize("source", [LiveBlobSource, BlobSource])
@pytest.mark.parametrize("order", ["velocity", "acceleration"])
def test_the_same_events_and_poses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Callable[..., BlobSource], order
) -> None:
    def processors(name: str) -> list[Processor]:
        return [KalmanPredictor(horizon=0.01, order=order), region(tmp_path / name)]

    record, memory = recorded(tmp_path, source(frames=300), *processors("live.csv"))
    poses = []
    again = processors("again.csv")
    with no_clock(monkeypatch):
        for _, pose in replay(record, again):
            poses.append(pose)
    assert (tmp_path / "live.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert len((tmp_path / "again.csv").read_text().splitlines()) > 2
    assert len(poses) == len(memory.poses)
    for one, other in zip(poses, memory.poses, strict=True):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)


def test_frames_that_were_dropped_stay_dropped(tmp_path: Path) -> None:
    def processors(name: str) -> list[Processor]:
        return [KalmanPredictor(), region(tmp_path / name)]

    source = LiveBlobSource(frames=400)
    record, memory = recorded(tmp_path, source, *processors("live.csv"))
    assert len(memory.poses) < 400, "frames came faster than the model takes them"
    list(replay(record, processors("again.csv")))
    assert (tmp_path / "live.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_other_settings_give_other_events(tmp_path: Path) -> None:
    record, _ = recorded(tmp_path, BlobSource(frames=200), region(tmp_path / "live.csv"))
    list(replay(record, [region(tmp_path / "again.csv", debounce=20)]))
    assert (tmp_path / "live.csv").read_bytes() != (tmp_path / "again.csv").read_bytes()


def test_a_stimulus_is_rehearsed_and_no_port_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"polygon": HALF, "keypoint": "k0", "width": 0.05, "lifespan": 0.5, "max_age": 10.0}
    with Simulator(tmp_path) as board:
        laser = Stimulate(board.port, events=tmp_path / "live.csv", **options)
        record, _ = recorded(tmp_path, LiveBlobSource(frames=200), laser)
        sent = len(board.changes())
        assert laser.statistics["switched_on"]
        again = Stimulate(board.port, events=tmp_path / "again.csv", **options)
        with no_clock(monkeypatch):
            for _ in replay(record, [again]):
                pass
        assert len(board.changes()) == sent
    commands = [(row[1], row[2], row[3]) for row in rows(tmp_path / "live.csv") if row[1] in ("on", "off") and row[3]]
    rehearsed = rows(tmp_path / "again.csv")
    assert [tuple(row[1:4]) for row in rehearsed][:1] == commands[:1]
    assert rehearsed[0][6:] == ["", "", ""], "what only the device knows"
    nowhere = Stimulate(output=SerialOutput(port="/dev/no such port"), polygon=HALF, keypoint="k0")
    list(replay(record, [nowhere]))
    assert nowhere.statistics["switched_on"]


def rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def test_callbacks_are_not_called(tmp_path: Path) -> None:
    calls: list[RegionEvent] = []
    record, _ = recorded(tmp_path, BlobSource(frames=100), region(None, on_event=calls.append))
    assert calls
    calls.clear()
    list(replay(record, [region(tmp_path / "again.csv", on_event=calls.append)]))
    assert not calls
    assert rows(tmp_path / "again.csv")


def test_a_keypoint_of_another_model_is_named(tmp_path: Path) -> None:
    record, _ = recorded(tmp_path, BlobSource(frames=5))
    with pytest.raises(UsageError, match="no keypoint 'snout'"):
        list(replay(record, [RegionTrigger(polygon=HALF, keypoint="snout")]))


LIVE_ONLY = ["deeplabcut-live", "jump-led", "led", "lick-led", "teensy-laser"]
"""Those that a replay refuses: they take the wall clock's time, as DeepLabCut-live's do, or drive a board themselves."""


def test_every_other_processor_of_the_package_can_be_replayed() -> None:
    catalog = PluginCatalog.installed()
    ours = [info for info in catalog.components(ProcessorInfo) if info.factory.startswith("dlclive_processors.")]
    assert ours
    assert sorted(info.name for info in ours if not catalog.factory(info).replays) == LIVE_ONLY
