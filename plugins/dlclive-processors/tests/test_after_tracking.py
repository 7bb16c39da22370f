"""What follows the identities: filters, triggers, tables."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import IdentityTracker, KalmanPredictor, RegionEvent, RegionTrigger
from numpy.typing import NDArray

from dlclive_core import Estimate, Frame, ModelCard, Pose, RunInfo, Skeleton

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "spine", "tail_base"))
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)


def frame_at(number: int, fps: float = 30.0) -> Frame:
    return Frame(IMAGE, number, 1000 + number / fps, number / fps)


def crossing(frames: int = 80) -> tuple[list[Pose], NDArray[np.float64]]:
    """Two animals pass through each other; rows change places at random. Poses, and (F, 2, 5, 2) px of the animals."""
    rng = np.random.default_rng(4)
    body = np.array([[40, 0], [24, -10], [24, 10], [0, 0], [-40, 0]], np.float64)
    truth = np.empty((frames, 2, 5, 2))
    for number in range(frames):
        truth[number] = np.add(body, (100 + 5 * number, 200)), np.add(body * (-1, 1), (500 - 5 * number, 206))
    poses = []
    for places in truth:
        keypoints = np.full((2, 5, 3), 0.9, np.float32)
        keypoints[..., :2] = places + rng.normal(0, 1, places.shape)
        poses.append(Pose(keypoints[rng.permutation(2)], SKELETON))
    return poses, truth


def test_filters_follow_the_identity_and_not_the_row() -> None:
    poses, truth = crossing()

    def error(tracker: IdentityTracker | None) -> float:
        kalman, worst = KalmanPredictor(measurement_noise=1.0), 0.0
        for number, pose in enumerate(poses):
            named = pose if tracker is None else tracker.process(pose, frame_at(number))
            filtered = kalman.process(named, frame_at(number))
            if number >= 20:
                off = np.linalg.norm(filtered.xy[:, None] - truth[number][None], axis=-1).mean(axis=-1)
                worst = max(worst, float(off.min(axis=1).max()) if tracker is None else float(np.diag(off).max()))
        return worst

    assert error(IdentityTracker(animals=2)) < 4  # px, identity by identity
    assert error(None) > 20  # even from the nearest animal: between both


def test_a_trigger_reports_the_animal_that_was_in_the_region() -> None:
    poses, _ = crossing()
    events: list[RegionEvent] = []
    tracker = IdentityTracker(animals=2)
    left_end = [[0, 0], [180, 0], [180, 480], [0, 480]]
    with RegionTrigger(polygon=left_end, keypoint="spine", on_event=events.append) as trigger:
        for number, pose in enumerate(poses):
            trigger.process(tracker.process(pose, frame_at(number)), frame_at(number))
        inside = trigger.inside
    changes = [(event.individual, event.event) for event in events if event.event != "end"]
    started = changes[0][0]
    other = {"track_1": "track_2", "track_2": "track_1"}[started]
    assert changes == [(started, "enter"), (started, "leave"), (other, "enter")]
    assert inside == (other,)


@pytest.mark.parametrize("animals", [None, 0])
def test_an_identity_is_always_in_the_same_columns(
    animals: int | None, tmp_path: Path, make_run: Callable[..., RunInfo]
) -> None:
    """In a table of dlclive-io, for the project's names and for `track_1`, ..., with an animal that is gone for a while."""
    io = pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    card = ModelCard(net_type="paf", skeleton=SKELETON, individuals=("resident", "intruder"), multi_animal=True)
    run = replace(make_run(), card=card)
    poses, truth = crossing()
    tracker, path = IdentityTracker(animals=animals, min_frames=1, max_gap=0.2), tmp_path / "poses.csv"
    with io.PoseTable(path) as table:
        tracker.open(run)
        table.open(run)
        first = poses[0].keypoints[0, 0, 0]
        for number, pose in enumerate(poses):
            hidden = 55 <= number < 75
            gone = int(np.argmax(np.abs(pose.keypoints[:, 3, 0] - truth[number, 1, 3, 0]) < 15)) if hidden else None
            shown = pose if gone is None else Pose(np.delete(pose.keypoints, gone, axis=0), pose.skeleton)
            frame = frame_at(number)
            table.write(Estimate(frame, tracker.process(shown, frame), 0.0, 0.0, 0.0))
        table.finish()
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    header, content = rows[:4], [[float(cell or "nan") for cell in row] for row in rows[4:]]
    columns = [n for n in range(1, len(header[0])) if (header[2][n], header[3][n]) == ("spine", "x")]
    assert [header[1][column] for column in columns] == ["resident", "intruder"]
    measured = np.array([[row[column] for column in columns] for row in content])
    order = [0, 1] if abs(first - truth[0, 0, 0, 0]) < 10 else [1, 0]
    for column, animal in zip(range(2), order, strict=True):
        seen = np.isfinite(measured[:, column])
        assert seen.sum() == (60 if animal == 1 else 80)
        np.testing.assert_allclose(measured[seen, column], truth[seen, animal, 3, 0], atol=5)
