"""NWB files as other programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_formats.nwb.nwb_format import NwbFormat
from dlclive_formats.nwb.series_names import RESERVED, bare, matched, series_names
from dlclive_formats.nwb.timing import timing_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ndx_pose import PoseEstimation, PoseEstimationSeries, Skeleton, Skeletons
from pynwb import NWBHDF5IO, NWBFile

from dlclive_core import DataError, RecordingInfo
from tests.pose_recordings import STARTED, card, poses, rows_of

POSITIONS = np.arange(40.0).reshape(20, 2)


def series(name: str, **options: Any) -> PoseEstimationSeries:
    options = {"rate": 20.0, "starting_time": 1.5, "confidence": np.full(20, 0.5), **options}
    return PoseEstimationSeries(name=name, data=POSITIONS, reference_frame="the top left", **options)


def file_with(path: Path, *containers: Any, module: str = "behavior", skeletons: tuple[Any, ...] = ()) -> Path:
    file = NWBFile(session_description="test", identifier="one", session_start_time=STARTED)
    processing = file.create_processing_module(name=module, description="test")
    if skeletons:
        processing.add(Skeletons(skeletons=skeletons))
    for container in containers:
        processing.add(container)
    with NWBHDF5IO(path, "w") as output:
        output.write(file)
    return path


def test_neuroconvs_names_are_those_of_its_skeleton(tmp_path: Path) -> None:
    skeleton = Skeleton(name="SkeletonPoseEstimation", nodes=["snout", "left_ear"], edges=np.array([[0, 1]], np.uint8))
    names = ["PoseEstimationSeriesLeftEar", "PoseEstimationSeriesSnout"]
    poses_of = PoseEstimation(
        name="PoseEstimation", pose_estimation_series=[series(n) for n in names], skeleton=skeleton
    )
    info = NwbFormat().read(file_with(tmp_path / "a.nwb", poses_of, skeletons=(skeleton,))).info
    assert info.card.skeleton.keypoints == ("snout", "left_ear")
    assert info.card.skeleton.edges == ((0, 1),)
    assert (info.fps, info.card.individuals) == (20, ("one",))


def test_a_rate_and_a_unit_are_applied_and_a_missing_confidence_is_unknown(tmp_path: Path) -> None:
    one = series("snout", conversion=0.5, offset=3.0, unit="meters", confidence=None)
    recording = NwbFormat().read(file_with(tmp_path / "a.nwb", PoseEstimation(pose_estimation_series=[one])))
    rows = rows_of(recording)
    np.testing.assert_allclose(rows.keypoints[:, 0, 0, :2], POSITIONS * 0.5 + 3)
    assert np.isnan(rows.keypoints[..., -1]).all()
    np.testing.assert_allclose(rows.seconds, 1.5 + np.arange(20) / 20)
    assert recording.info.unit == "m"


def test_one_of_several_containers_is_named(tmp_path: Path) -> None:
    containers = [PoseEstimation(name=name, pose_estimation_series=[series("snout")]) for name in ("left", "right")]
    path = file_with(tmp_path / "a.nwb", *containers, module="SLEAP")
    with pytest.raises(DataError, match=r"SLEAP/left, SLEAP/right; one is read: NwbFormat\(container=NAME\)"):
        NwbFormat().read(path)
    assert len(rows_of(NwbFormat(container="left").read(path))) == 20
    assert len(rows_of(NwbFormat(container="SLEAP/right").read(path))) == 20
    with pytest.raises(DataError, match="middle is none of"):
        NwbFormat(container="middle").read(path)


def test_a_file_without_poses_says_so(tmp_path: Path) -> None:
    path = file_with(tmp_path / "a.nwb")
    assert NwbFormat().recognizes(path)
    with pytest.raises(DataError, match="has no poses"):
        NwbFormat().read(path)


def test_series_of_different_lengths_are_refused(tmp_path: Path) -> None:
    short = PoseEstimationSeries(name="tail", data=POSITIONS[:5], reference_frame="x", rate=20.0, starting_time=0.0)
    path = file_with(tmp_path / "a.nwb", PoseEstimation(pose_estimation_series=[series("snout"), short]))
    with pytest.raises(DataError, match="differ in their number of frames"):
        NwbFormat().read(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.text("ab/:\\_.2", min_size=1, max_size=4) | st.sampled_from(sorted(RESERVED)), min_size=1, unique=True)
)
def test_names_of_series_are_unique_allowed_and_lead_back(keypoints: list[str]) -> None:
    names = series_names(keypoints)
    assert len(set(names)) == len(names)
    assert not any(set(name) & set("/:\\") or name in (".", "..") or name in RESERVED for name in names)
    assert matched(keypoints, sorted(names)) == dict(zip(keypoints, names, strict=True))


def test_names_that_do_not_correspond_to_nodes_are_taken_from_the_series() -> None:
    assert matched(["x", "y"], ["snout", "tail"]) is None
    assert matched([], ["snout"]) is None
    assert bare(["PoseEstimationSeriesSnout"]) == {"Snout": "PoseEstimationSeriesSnout"}
    assert bare(["PoseEstimationSeries", "tail"]) == {"PoseEstimationSeries": "PoseEstimationSeries", "tail": "tail"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    numbers=st.sets(st.integers(0, 50), min_size=1).map(sorted),
    step=st.floats(0.001, 1),
    unknown=st.sets(st.integers(0, 49)),
)
def test_times_of_frames_without_one_lie_between_their_neighbours(
    numbers: list[int], step: float, unknown: set[int]
) -> None:
    seconds = 10 + np.array(numbers) * step + np.random.default_rng(0).uniform(0, step / 3, len(numbers))
    seconds[[place for place in unknown if place < len(numbers)]] = np.nan
    info = RecordingInfo(card=card(), has_times=True)
    timing = timing_of(poses(info, numbers, seconds=seconds), 1 / step)
    known = np.isfinite(seconds)
    if known.any():
        np.testing.assert_array_equal(timing.seconds[np.array(numbers)[known]], seconds[known])
    assert len(timing) == numbers[-1] + 1
    assert (np.diff(timing.seconds) > 0).all()
    assert (timing.seconds >= 0).all() or step * numbers[0] > 10
    assert timing.missing.sum() == len(timing) - len(numbers)
