"""The sink that keeps frames worth labelling."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dlclive_io import OutlierFrames, recover
from dlclive_io.outliers.frame_folder import FrameFolder
from dlclive_io.outliers.judge import Judge, Verdict
from dlclive_io.outliers.kept_frame import KeptFrame

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    ModelCard,
    OutputExistsError,
    Pose,
    RunInfo,
    Session,
    Sink,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import BlobModel, BlobSource, SinkContract, run_info

SKELETON = Skeleton(("snout", "tailbase"))
CARD = ModelCard(net_type="test", skeleton=SKELETON, scorer="net")


def pose(*confidence: float, x: float = 10.0, ids: tuple[str, ...] | None = None) -> Pose:
    """One animal for each two confidences, 100 px apart."""
    rows = np.array(confidence, np.float32).reshape(-1, 2)
    places = x + 100 * np.arange(len(rows), dtype=np.float32)[:, None] + np.zeros((1, 2), np.float32)
    return Pose(np.stack([places, places, rows], axis=-1), SKELETON, ids=ids)


def estimate(number: int, found: Pose, *, model: Pose | None = None, image: np.ndarray | None = None) -> Estimate:
    """Ten frames a second, of a recording."""
    picture = np.full((8, 12, 3), (number % 256, 200, 10), np.uint8) if image is None else image
    return Estimate(Frame(picture, number, 0.0, number / 10), found, 0.0, 0.0, 0.0, model)


def kept_in(path: Path) -> list[KeptFrame]:
    folder = FrameFolder.read(path)
    frames = list(folder.frames(folder.card))
    assert all(isinstance(frame, KeptFrame) for frame in frames)
    assert {file.stem for file in path.glob("*.png")} == {
        frame.name for frame in frames if isinstance(frame, KeptFrame)
    }
    return [frame for frame in frames if isinstance(frame, KeptFrame)]


def run(sink: Sink, items: Sequence[Estimate], info: RunInfo | None = None) -> None:
    with sink:
        sink.open(info or run_info(CARD))
        for item in items:
            sink.write(item)
        sink.finish()


class TestOutlierFrames(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return OutlierFrames(tmp_path / "outliers")


def test_the_worst_frames_are_kept_as_the_source_gave_them(tmp_path: Path) -> None:
    confidence = {13: 0.2, 15: 0.1, 40: 0.5, 41: 0.55}
    items = [estimate(number, pose(confidence.get(number, 0.95), 0.95)) for number in range(60)]
    sink = OutlierFrames(tmp_path / "outliers")
    run(sink, items)
    frames = kept_in(tmp_path / "outliers")
    assert [(it.frame, it.reason, it.seconds) for it in frames] == [(15, "uncertain", 1.5), (40, "uncertain", 4.0)]
    assert [it.score for it in frames] == pytest.approx([(1 - 0.1 / 0.6) / 2, (1 - 0.5 / 0.6) / 2], abs=1e-6)
    assert sink.statistics == {"kept": 2, "uncertain": 4, "jump": 0, "marked": 0}
    picture = cv2.imread(str(tmp_path / "outliers" / "img00000015.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture[..., ::-1], items[15].frame.image)
    np.testing.assert_array_equal(frames[0].pose.keypoints, items[15].pose.keypoints)
    with (tmp_path / "outliers" / "outliers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["reason"], row["image"]) for row in rows] == [
        ("15", "uncertain", "img00000015.png"),
        ("40", "uncertain", "img00000040.png"),
    ]


def test_a_grey_image_stays_grey(tmp_path: Path) -> None:
    image = np.arange(96, dtype=np.uint8).reshape(8, 12)
    run(OutlierFrames(tmp_path / "o"), [estimate(0, pose(0.1, 0.1), image=image)])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "o" / "img00000000.png"), cv2.IMREAD_UNCHANGED), image)


def test_the_pose_of_the_model_is_judged_and_kept_not_that_of_the_processors(tmp_path: Path) -> None:
    unsure, smooth = pose(0.1, 0.9), pose(0.9, 0.9, x=50)
    run(OutlierFrames(tmp_path / "o"), [estimate(0, smooth, model=unsure), estimate(20, unsure, model=smooth)])
    (frame,) = kept_in(tmp_path / "o")
    assert frame.frame == 0
    np.testing.assert_array_equal(frame.pose.keypoints, unsure.keypoints)


def test_there_are_never_more_images_than_asked_for(tmp_path: Path) -> None:
    """Also on the disk, at every moment; and they are spread over the run."""
    sink = OutlierFrames(tmp_path / "o", max_frames=6)
    random = np.random.default_rng(1)
    with sink:
        sink.open(run_info(CARD))
        for number in range(3000):
            sink.write(estimate(number, pose(float(random.uniform(0, 0.5)), 0.9)))
            if number % 50 == 0:
                assert len(list((tmp_path / "o").glob("*.png"))) <= 6
        sink.finish()
    frames = kept_in(tmp_path / "o")
    assert 3 <= len(frames) <= 6
    assert frames[0].seconds < 80
    assert frames[-1].seconds > 220


def test_marked_frames_are_kept_though_the_model_is_sure(tmp_path: Path) -> None:
    sink = OutlierFrames(tmp_path / "o", max_frames=2)
    with sink:
        sink.open(run_info(CARD))
        for number in range(100):
            if number == 50:
                sink.mark()
            sink.write(estimate(number, pose(0.99, 0.99) if number == 50 else pose(0.1, 0.1)))
        sink.finish()
    assert [it.frame for it in kept_in(tmp_path / "o") if it.reason == "marked"] == [50]
    assert sink.statistics["marked"] == 1


def test_a_file_marks_a_frame_and_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlclive_io.outliers.outlier_frames._LOOK", 0.0)
    sink = OutlierFrames(tmp_path / "o", min_confidence=0)
    with sink:
        sink.open(run_info(CARD))
        sink.write(estimate(0, pose(0.1, 0.1)))
        (tmp_path / "o" / "mark").touch()
        sink.write(estimate(1, pose(0.1, 0.1)))
        sink.write(estimate(2, pose(0.1, 0.1)))
        sink.finish()
    assert [(it.frame, it.reason) for it in kept_in(tmp_path / "o")] == [(1, "marked")]
    assert not (tmp_path / "o" / "mark").exists()


def test_times_of_a_live_source_are_those_of_capture(tmp_path: Path) -> None:
    info = run_info(CARD, is_live=True)
    item = estimate(3, pose(0.1, 0.1))
    item = replace(item, frame=replace(item.frame, captured_at=info.started_clock + 2.5, device_time=77.0))
    run(OutlierFrames(tmp_path / "o"), [item], info)
    (frame,) = kept_in(tmp_path / "o")
    assert frame.seconds == pytest.approx(2.5)
    assert frame.wall_time.startswith(str(info.started_at.year))


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (pose(0.9, 0.9), 0.0),
        (pose(0.3, 0.9), 0.25),
        (pose(0.0, 0.0), 1.0),
        (pose(0.9, 0.9, 0.0, 0.0), 0.0),  # the second animal is not in view
        (pose(0.9, 0.9, 0.3, 0.3), 0.25),
        (pose(), 1.0),
    ],
)
def test_scores_of_unsure_poses(found: Pose, score: float) -> None:
    verdict = Judge(SKELETON, (), 0.6, None).judge(found, 0.0)
    assert verdict.score == pytest.approx(score)
    assert verdict.reason == ("uncertain" if score else "")


def test_only_the_keypoints_asked_for_are_looked_at() -> None:
    assert Judge(SKELETON, ("tailbase",), 0.6, None).judge(pose(0.1, 0.9), 0.0) == Verdict(0.0, "")
    with pytest.raises(UsageError, match="did you mean 'tailbase'"):
        OutlierFrames(Path("o"), keypoints=["tailbas"]).check(CARD)


@pytest.mark.parametrize(
    ("before", "after", "seconds", "reason"),
    [
        (pose(0.9, 0.9), pose(0.9, 0.9, x=40), 0.1, "jump"),  # 42 px in 0.1 s
        (pose(0.9, 0.9), pose(0.9, 0.9, x=40), 1.0, ""),  # the same distance after a gap
        (pose(0.1, 0.1), pose(0.9, 0.9, x=40), 0.1, ""),  # the model was not sure before
        (pose(0.9, 0.9, 0.9, 0.9), pose(0.9, 0.9, 0.9, 0.9, x=12), 0.1, ""),
        (pose(0.9, 0.9, 0.9, 0.9, ids=("a", "b")), pose(0.9, 0.9, 0.9, 0.9, ids=("b", "a")), 0.1, "jump"),
        (pose(0.9, 0.9, 0.9, 0.9), pose(0.9, 0.9, x=110), 0.1, ""),  # the rows change, the animals stay
        (pose(), pose(0.9, 0.9), 0.1, ""),
        (pose(0.9, 0.9), pose(0.9, 0.9, x=40), 0.0, ""),
    ],
)
def test_jumps(before: Pose, after: Pose, seconds: float, reason: str) -> None:
    judge = Judge(SKELETON, (), 0.6, 200.0)
    judge.judge(before, 1.0)
    verdict = judge.judge(after, 1.0 + seconds)
    assert verdict.reason == reason
    if reason and before.ids is None:
        assert verdict.score == pytest.approx(1 - 200 / (30 * 2**0.5 / 0.1), abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_frames": 0}, "max_frames is 0; give a number at least 1"),
        ({"min_confidence": 1.5}, "min_confidence is 1.5; give"),
        ({"min_confidence": float("nan")}, "min_confidence is nan; give"),
        ({"max_speed": 0.0}, "max_speed is 0.0; give a number above 0"),
        ({"min_distance": 0.0}, "min_distance is 0.0; give a number at least 0.001"),
        ({"keypoints": "snout"}, r"keypoints is a list of names, \[snout\]"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        OutlierFrames(Path("o"), **options)  # type: ignore[arg-type]


def test_the_frames_of_an_earlier_run_are_not_overwritten(tmp_path: Path) -> None:
    run(OutlierFrames(tmp_path / "o"), [estimate(0, pose(0.1, 0.1))])
    (tmp_path / "o" / "outliers.csv").unlink()  # as a killed run leaves it
    (tmp_path / "o" / "notes.txt").write_text("mine")
    with OutlierFrames(tmp_path / "o") as sink, pytest.raises(OutputExistsError, match="dlclive outliers"):
        sink.open(run_info(CARD))
    assert not list((tmp_path / "o").glob("*.part*"))
    run(OutlierFrames(tmp_path / "o", overwrite=True), [estimate(7, pose(0.1, 0.1))])
    assert [it.frame for it in kept_in(tmp_path / "o")] == [7]
    assert (tmp_path / "o" / "notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="create it first"):
        OutlierFrames(tmp_path / "no" / "o").open(run_info(CARD))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot create the folder"):
        OutlierFrames(tmp_path / "file").open(run_info(CARD))


def test_a_session_keeps_frames(tmp_path: Path) -> None:
    sink = OutlierFrames(tmp_path / "o", min_confidence=0, max_speed=1.0, min_distance=0.2)
    report = Session(source=BlobSource(frames=30), model=BlobModel(), sinks=[sink]).run()
    assert report.sinks[0].statistics["kept"] == len(kept_in(tmp_path / "o")) > 0


KILLED = """
    import sys, time
    import numpy as np
    from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_io import OutlierFrames

    skeleton = Skeleton(("snout", "tailbase"))
    sink = OutlierFrames(sys.argv[1], max_frames=4, min_distance=0.5)
    sink.open(run_info(ModelCard(net_type="test", skeleton=skeleton, scorer="net")))
    random, number = np.random.default_rng(3), 0
    image = random.integers(0, 255, (480, 640, 3), np.uint8)
    while True:
        pose = Pose(random.uniform(0, 0.5, (1, 2, 3)).astype(np.float32), skeleton)
        sink.write(Estimate(Frame(image, number, 0.0, number / 10), pose, 0.0, 0.0, 0.0))
        number += 1
        if number == 200:
            print("running", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("later", [0.0, 0.013, 0.05, 0.11])
def test_a_killed_run_leaves_whole_frames(tmp_path: Path, later: float) -> None:
    """It writes and removes frames all the time."""
    out = tmp_path / "o"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.001 + later)
        os.kill(process.pid, signal.SIGKILL)
    folder = FrameFolder.read(out)
    frames = list(folder.frames(folder.card))
    assert 1 <= len(frames) <= 4
    for frame in frames:
        assert isinstance(frame, KeptFrame)
        assert cv2.imread(str(out / f"{frame.name}.png")).shape == (480, 640, 3)
    assert len(list(out.glob("img????????.png"))) <= 4
    (recovered,) = recover(tmp_path).files  # the folder of the run
    assert (recovered.path, recovered.kind, recovered.rows, recovered.error) == (
        out / "outliers.csv",
        "outliers",
        len(frames),
        "",
    )
    assert len((out / "outliers.csv").read_text().splitlines()) == 1 + len(frames)
    assert recover(out).files == ()


def test_times_of_a_recording_without_timestamps_are_those_of_its_rate(tmp_path: Path) -> None:
    """And a frame of which nobody knows the time is kept with a time: JSON has no NaN."""
    for number, (fps, device_time) in enumerate([(20.0, None), (20.0, float("nan")), (None, float("nan"))]):
        item = estimate(30, pose(0.1, 0.1))
        item = replace(item, frame=replace(item.frame, captured_at=float("nan"), device_time=device_time))
        folder = tmp_path / str(number)
        run(OutlierFrames(folder), [item], run_info(CARD, fps=fps))
        (frame,) = kept_in(folder)
        assert frame.seconds == pytest.approx(1.5) if fps else 0 <= frame.seconds < 60
