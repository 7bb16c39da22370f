"""COCO's and OpenPose's files as sinks of a session."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dlclive_formats.coco.coco_format import CocoFormat
from dlclive_formats.coco.coco_sink import CocoSink
from dlclive_formats.openpose.openpose_format import OpenPoseFormat
from dlclive_formats.openpose.openpose_sink import OpenPoseSink
from dlclive_formats.session.format_sink import FormatSink
from dlclive_formats.session.recover import recover

from dlclive_core import Estimate, Frame, OutputExistsError, Pose, Session, TableFormat, UsageError
from dlclive_core.testing import BlobModel, BlobSource, SinkContract, run_info
from tests.pose_recordings import SEVERAL, SINGLE, SKELETON, rows_of

SINKS = [(CocoSink, CocoFormat, "poses.json"), (OpenPoseSink, OpenPoseFormat, "poses_json")]


class TestCocoContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> CocoSink:
        return CocoSink(tmp_path / "poses.json")


class TestOpenPoseContract(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> OpenPoseSink:
        return OpenPoseSink(tmp_path / "poses_json")


@pytest.mark.parametrize(("kind", "format", "name"), SINKS)
def test_a_session_is_written_when_it_ends(
    tmp_path: Path, kind: type[FormatSink], format: type[TableFormat], name: str
) -> None:
    path = tmp_path / name
    sink = kind(path)
    report = Session(source=BlobSource(frames=20), model=BlobModel(), sinks=[sink]).run()
    assert not report.error
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    recording = format().read(path)
    assert rows_of(recording).numbers.tolist() == list(range(20))
    assert np.isfinite(rows_of(recording).keypoints[:, 0, 0]).all()


@pytest.mark.parametrize(("kind", "format", "name"), SINKS)
def test_a_killed_session_is_recovered(
    tmp_path: Path, kind: type[FormatSink], format: type[TableFormat], name: str
) -> None:
    path = tmp_path / name
    sink = kind(path)
    sink.open(run_info(SINGLE, is_live=True))
    keypoints = np.array([[[1, 2, 0.5], [3, 4, 0.5], [np.nan, np.nan, 0]]], np.float32)
    sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), 2, 1.0, None), Pose(keypoints, SKELETON), 0, 0, 0))
    sink.close()  # without finish, as when the process dies
    assert not path.exists()
    (file,) = recover(tmp_path).files
    assert (file.path, file.error, file.rows) == (path, "", 1)
    recording = format().read(path)
    assert rows_of(recording).numbers.tolist() == [2]
    np.testing.assert_array_equal(rows_of(recording).keypoints[0], keypoints)


def test_a_folder_is_replaced_only_if_asked_and_if_it_holds_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "poses_json"
    path.mkdir()
    with pytest.raises(OutputExistsError):
        OpenPoseSink(path).open(run_info(SINGLE))
    (path / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="other contents"):
        OpenPoseSink(path, overwrite=True).open(run_info(SINGLE))
    (path / "notes.txt").unlink()
    (path / "old_000000000000_keypoints.json").write_text("{}")
    with OpenPoseSink(path, overwrite=True) as sink:
        sink.open(run_info(SINGLE))
        pose = Pose(np.ones((1, 3, 3), np.float32), SKELETON)
        sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), 0, 1.0, None), pose, 0, 0, 0))
        sink.finish()
    assert [entry.name for entry in path.iterdir()] == ["poses_000000000000_keypoints.json"]


def test_a_sink_has_the_options_of_its_format(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unique keypoints"):
        CocoSink(tmp_path / "poses.json", results=True).open(run_info(SEVERAL))
    sink = CocoSink(tmp_path / "poses.json", category="mouse")
    Session(source=BlobSource(frames=2), model=BlobModel(), sinks=[sink]).run()
    assert json.loads((tmp_path / "poses.json").read_text())["categories"][0]["name"] == "mouse"
    with pytest.raises(UsageError, match="must end in _json"):
        OpenPoseSink(tmp_path / "poses.json")
