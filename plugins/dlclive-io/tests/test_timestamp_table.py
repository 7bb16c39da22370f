"""TimestampTable: the numbers, their units, their clock."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from dlclive_io.tables.timestamp_table import TimestampTable

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
    StudentFacts,
    is_times,
    read_times,
)
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("nose",))
FACTS = StudentFacts(
    teacher="t.pt", teacher_sha256="0" * 64, videos=(), student="window-128", frames=1, steps=1, seed=0,
    median_px=1, p95_px=1, p99_px=1, lost=0, hallucinated=0,
)  # fmt: skip
START = datetime(2026, 3, 29, 1, 59, 59, tzinfo=timezone(timedelta(hours=1)))


def _run(clock: float) -> RunInfo:
    return RunInfo(
        card=ModelCard(net_type="test", skeleton=SKELETON),
        source="camera",
        is_live=True,
        frame_size=None,
        fps=None,
        frame_count=None,
        started_at=START,
        started_clock=clock,
    )


def _estimate(index: int, captured_at: float, device_time: float | None) -> Estimate:
    frame = Frame(np.zeros((4, 4), np.uint8), index, captured_at, device_time)
    return Estimate(frame, Pose.missing(SKELETON), captured_at + 0.001, captured_at + 0.0055, captured_at + 0.00725)


def test_columns(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    with TimestampTable(path) as sink:
        sink.open(_run(5000.0))
        sink.write(_estimate(0, 5000.25, 17.125))
        sink.write(_estimate(3, 5002.000001, None))
        sink.finish()
    assert sink.outputs == (path,)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "frame": "0",
            "captured_at_s": "0.250000",
            "device_time_s": "17.125",
            "wall_time": "2026-03-29T01:59:59.250000+01:00",
            "inference_ms": "4.500",
            "latency_ms": "7.250",
        },
        {
            "frame": "3",
            "captured_at_s": repr(5002.000001 - 5000.0),  # all digits: a replay needs them
            "device_time_s": "",
            "wall_time": "2026-03-29T02:00:01.000001+01:00",
            "inference_ms": "4.500",
            "latency_ms": "7.250",
        },
    ]


def test_of_a_student_it_says_how_unlike_its_training_each_frame_is(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    run = replace(_run(5000.0), card=ModelCard(net_type="window", skeleton=SKELETON, student=FACTS))
    estimate = _estimate(0, 5000.25, 17.125)
    before = replace(estimate.pose, unlike=1.73456)
    with TimestampTable(path) as sink:
        sink.open(run)
        sink.write(replace(estimate, pose=before))
        sink.write(replace(estimate, model_pose=before))
        sink.write(replace(estimate, pose=replace(before, unlike=math.inf)))
        sink.write(estimate)
        sink.finish()
    with path.open(newline="") as file:
        assert [row["unlike"] for row in csv.DictReader(file)] == ["1.735", "1.735", "inf", ""]
    assert is_times(path)
    assert [(time.index, time.captured_at) for time in read_times(path)] == [(0, 0.25)] * 4


def test_an_existing_file_is_not_replaced_and_an_interrupted_one_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    with TimestampTable(path) as sink:
        sink.open(run_info())
        sink.write(_estimate(0, time.perf_counter(), None))
    assert [output.name for output in sink.outputs] == ["times.csv.part"]
    assert len(sink.outputs[0].read_text().splitlines()) == 2
    path.write_text("precious")
    with pytest.raises(OutputExistsError):
        TimestampTable(path).open(run_info())
    with pytest.raises(DataError, match="not open"):
        TimestampTable(path).finish()
    assert path.read_text() == "precious"


class TestTimestampTable(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return TimestampTable(tmp_path / "times.csv")
