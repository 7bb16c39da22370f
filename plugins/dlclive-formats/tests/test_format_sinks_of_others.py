"""Sessions that write NWB and SLEAP files, also after `kill -9`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from dlclive_formats.nwb.nwb_format import NwbFormat
from dlclive_formats.nwb.nwb_sink import NwbSink
from dlclive_formats.session.recover import recover
from dlclive_formats.sleap.sleap_csv_format import SleapCsvFormat
from dlclive_formats.sleap.sleap_format import SleapFormat
from dlclive_formats.sleap.sleap_sinks import SleapCsvSink, SleapSink

from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, RunInfo, Sink, Skeleton, UsageError
from dlclive_core.testing import SinkContract, run_info
from tests.pose_recordings import rows_of

SKELETON = Skeleton(("snout", "tail"), ((0, 1),))
PAIR = ModelCard(net_type="test", skeleton=SKELETON, multi_animal=True, individuals=("m1", "m2"), scorer="DLC_test")
STARTED = datetime(2026, 3, 5, 14, 3, tzinfo=timezone.utc)


class TestNwbContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return NwbSink(tmp_path / "poses.nwb", session_start=STARTED.isoformat())


class TestSleapContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return SleapSink(tmp_path / "poses.analysis.h5")


class TestSleapCsvContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return SleapCsvSink(tmp_path / "poses.analysis.csv")


def live(card: ModelCard) -> RunInfo:
    return replace(run_info(card, is_live=True), started_clock=0.0, started_at=STARTED)


def estimate(number: int) -> Estimate:
    pose = Pose(np.full((2, 2, 3), number, np.float32) + np.array([[[0]], [[100]]], np.float32), SKELETON)
    return Estimate(Frame(np.zeros((4, 4), np.uint8), number, number / 100 + number % 3 / 1000), pose, 0.0, 0.0, 0.0)


def test_a_live_session_becomes_a_file_for_each_animal_with_its_times(tmp_path: Path) -> None:
    with NwbSink(tmp_path / "cage.nwb", species="Mus musculus") as sink:
        sink.check(PAIR)
        sink.open(live(PAIR))
        for number in (0, 1, 4, 5):
            sink.write(estimate(number))
        sink.finish()
    assert [path.name for path in sink.outputs] == ["cage_m1.nwb", "cage_m2.nwb"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cage_m1.nwb", "cage_m2.nwb"]
    for animal, path in enumerate(sink.outputs):
        recording = NwbFormat().read(path)
        rows = rows_of(recording)
        assert rows.numbers.tolist() == [0, 1, 4, 5]
        np.testing.assert_array_equal(rows.seconds, [n / 100 + n % 3 / 1000 for n in (0, 1, 4, 5)])
        np.testing.assert_array_equal(rows.keypoints[:, 0, 0, 0], np.array([0, 1, 4, 5]) + 100 * animal)
        assert recording.info.started_at == STARTED


def test_an_existing_file_of_one_animal_is_noticed_before_the_first_frame(tmp_path: Path) -> None:
    (tmp_path / "cage_m2.nwb").write_text("mine")
    with NwbSink(tmp_path / "cage.nwb") as sink, pytest.raises(OutputExistsError, match=r"cage_m2\.nwb"):
        sink.open(live(PAIR))
    assert (tmp_path / "cage_m2.nwb").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_video_needs_the_time_at_which_it_was_filmed(tmp_path: Path) -> None:
    with NwbSink(tmp_path / "a.nwb") as sink, pytest.raises(UsageError, match="session_start"):
        sink.open(run_info(PAIR))
    assert list(tmp_path.iterdir()) == []


def test_suffixes_say_whose_file_it_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.analysis\.h5"):
        SleapSink(tmp_path / "a.h5")
    with pytest.raises(UsageError, match=r"must end in \.analysis\.csv"):
        SleapCsvSink(tmp_path / "a.csv")


KILLED = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {root!r})
    sys.path.insert(0, {tests!r})
    from test_format_sinks_of_others import PAIR, NwbSink, SleapCsvSink, SleapSink, estimate, live

    folder = Path({folder!r})
    sinks = [NwbSink(folder / "a.nwb", species="Mus musculus"), SleapSink(folder / "a.analysis.h5"),
             SleapCsvSink(folder / "a.analysis.csv")]
    for sink in sinks:
        sink.open(live(PAIR))
    for number in [*range(0, 500), 600]:
        time.sleep(0.3 if number == 600 else 0)
        for sink in sinks:
            sink.write(estimate(number))
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_session_is_written_by_recover(tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    script = textwrap.dedent(KILLED).format(folder=str(tmp_path), tests=str(here), root=str(here.parents[2]))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    report = recover(tmp_path)
    assert [(file.path.name, file.error) for file in report.files] == [
        ("a.analysis.csv", ""),
        ("a.analysis.h5", ""),
        ("a_m1.nwb", ""),
    ]
    names = ["a.analysis.csv", "a.analysis.h5", "a_m1.nwb", "a_m2.nwb"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names, "run.json"]
    for format, name in ((NwbFormat(), "a_m2.nwb"), (SleapFormat(), names[1]), (SleapCsvFormat(), names[0])):
        rows = rows_of(format.read(tmp_path / name))
        there = ~np.isnan(rows.keypoints[..., 0]).all(axis=(1, 2))
        numbers = [*range(500), 600]
        assert rows.numbers[there].tolist() == numbers
        np.testing.assert_allclose(rows.keypoints[there, -1, 1, 1], np.array(numbers) + 100, rtol=0, atol=1e-6)
    import h5py

    with h5py.File(tmp_path / "a_m1.nwb") as file:
        assert file["general/subject/species"].asstr()[()] == "Mus musculus"
