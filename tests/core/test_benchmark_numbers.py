"""Evaluation of measurements: rates, overhead, pose errors and verdicts; peak performance and clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import PluginCatalog, Pose, RuntimeInfo
from dlclive_core.benchmark import Candidate, FollowingCropSpec, Measurement, compare_poses
from dlclive_core.benchmark.clip import read_clip
from dlclive_core.benchmark.peak import Peak, measure_peak
from dlclive_core.benchmark.verdict import verdict_on
from dlclive_core.data.precision import PRECISIONS
from dlclive_core.models.network import PeakWork
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobNetwork, BlobSource, blob_skeleton


def candidate(path: Path, **changes: object) -> Candidate:
    return Candidate(**{"runtime": "blobs", "precision": "fp32", "device": "cpu", "path": path, **changes})


def timed(*seconds: float, **changes: object) -> Measurement:
    """A successful measurement with these times."""
    values = {"times": np.array(seconds), "device": "cpu", "input_size": (120, 160), "first": 0.1, "load": 0.1}
    return Measurement(**{"candidate": candidate(Path("m.blob")), **values, **changes})


# rates


def test_fps_is_the_reciprocal_of_the_mean_time() -> None:
    measurement = timed(0.01, 0.03)
    assert measurement.fps == pytest.approx(50)
    assert measurement.p50 == pytest.approx(0.02)
    assert measurement.max == pytest.approx(0.03)


def test_overhead_uses_medians_and_paired_differences() -> None:
    measurement = timed(0.011, 0.022, 0.1, raw_call=np.array([0.010, 0.020, 0.099]))
    assert measurement.overhead == pytest.approx(1.1)
    assert measurement.overhead_seconds == pytest.approx(0.001)
    assert np.isnan(timed(0.01).overhead)


# accuracy


def pose(*points: Sequence[Sequence[float]], ids: tuple[str, ...] | None = None, unique: object = None) -> Pose:
    skeleton = blob_skeleton(len(points[0]))
    unique_points = None if unique is None else np.asarray(unique, np.float32)
    return Pose(np.asarray(points, np.float32), skeleton, ids=ids, unique=unique_points)


def test_only_confident_keypoints_of_the_reference_count() -> None:
    reference = pose([[10, 10, 0.9], [20, 20, 0.5], [30, 30, 0.6]])
    candidate_pose = pose([[10, 13, 0.1], [500, 20, 0.9], [30, 36, 0.9]])
    error = compare_poses([reference, reference], [reference, candidate_pose])
    assert error.keypoints == 4
    assert (error.median_px, error.max_px, error.flips) == (3.0, 6.0, 1)


def test_a_keypoint_that_is_not_found_is_infinitely_far() -> None:
    reference = pose([[10, 10, 0.9], [20, 20, 0.9]])
    error = compare_poses([reference], [pose([[10, 10, 0.9], [np.nan, np.nan, 0.0]])])
    assert (error.median_px, error.max_px, error.flips) == (np.inf, np.inf, 1)


def test_animals_are_matched_by_distance_or_by_identity() -> None:
    near, far = [[10, 10, 0.9], [12, 10, 0.9]], [[90, 90, 0.9], [92, 90, 0.9]]
    assert compare_poses([pose(near, far)], [pose(far, near)]).max_px == 0
    named = pose(near, far, ids=("a", "b"))
    assert compare_poses([named], [pose(far, near, ids=("b", "a"))]).max_px == 0
    assert compare_poses([named], [pose(far, near, ids=("a", "b"))]).flips == 4


def test_missing_animals_and_unique_keypoints_are_compared() -> None:
    near, far = [[10, 10, 0.9]], [[90, 90, 0.9]]
    lost = compare_poses([pose(near, far)], [pose(far)])
    assert (lost.keypoints, lost.flips, lost.median_px) == (2, 1, np.inf)
    no_animal = Pose(np.zeros((0, 1, 3), np.float32), blob_skeleton(1))
    assert compare_poses([pose(near)], [no_animal]).flips == 1
    assert compare_poses([no_animal], [pose(near)]).keypoints == 0
    unique = compare_poses([pose(near, unique=[[5, 5, 0.9]])], [pose(near, unique=[[5, 7, 0.9]])])
    assert (unique.keypoints, unique.max_px) == (2, 2.0)


def test_the_error_is_nan_without_confident_keypoints() -> None:
    error = compare_poses([pose([[1, 1, 0.2]])], [pose([[1, 1, 0.2]])])
    assert error.keypoints == 0
    assert np.isnan(error.p95_px)


# verdicts

PEAK = Peak({"fp32": 1e9, "int8": 4e9})


def test_a_speed_above_the_peak_is_rejected() -> None:
    fast = timed(0.01, 0.01)
    assert verdict_on(fast, [fast], 1.2e7, PEAK).state == "ok"  # 1.2 times the peak, within the tolerance
    rejected = verdict_on(fast, [fast], 1.4e7, PEAK)
    assert rejected.state == "rejected"
    assert "exceeds 1.3 times the measured peak" in rejected.why
    rough = replace(PEAK, tolerance=2.6)  # numpy's tolerance
    assert verdict_on(fast, [fast], 2.5e7, rough).state == "ok"
    assert verdict_on(fast, [fast], 2.7e7, rough).state == "rejected"
    int8 = replace(fast, candidate=replace(fast.candidate, precision="int8"))
    assert verdict_on(int8, [int8], 4e7, PEAK).state == "ok"
    assert verdict_on(int8, [int8], 6e7, PEAK).state == "rejected"
    assert verdict_on(fast, [fast], float("nan"), PEAK).state == "ok"
    assert verdict_on(fast, [fast], 1e12, Peak()).state == "ok"


def test_a_fallback_to_another_device_is_rejected() -> None:
    requested = {"candidate": candidate(Path("m.blob"), device="cuda:0")}
    assert verdict_on(timed(0.01, **requested, device="cuda:0 (A GPU)"), [], 1, Peak()).state == "ok"
    fallback = verdict_on(timed(0.01, **requested, device="cpu (CPUExecutionProvider)"), [], 1, Peak())
    assert fallback.label == "rejected: requested on cuda:0, but ran on cpu (CPUExecutionProvider)"


def test_a_standard_deviation_above_the_mean_is_doubtful() -> None:
    assert verdict_on(timed(0.001, 0.001, 0.001, 0.02), [], 1, Peak()).state == "doubtful"
    follow = candidate(Path("m.blob"), follow=FollowingCropSpec())
    assert verdict_on(timed(0.001, 0.001, 0.001, 0.02, candidate=follow), [], 1, Peak()).state == "ok"


def test_a_small_input_that_is_slower_than_a_large_one_is_doubtful() -> None:
    small, large = timed(0.012, input_size=(80, 60)), timed(0.010)
    assert verdict_on(small, [small, large], 1, Peak()).state == "doubtful"
    assert verdict_on(large, [small, large], 1, Peak()).state == "ok"
    assert verdict_on(replace(small, times=np.array([0.009])), [small, large], 1, Peak()).state == "ok"
    elsewhere = replace(large, candidate=replace(large.candidate, precision="bf16"))
    assert verdict_on(small, [small, elsewhere], 1, Peak()).state == "ok"
    assert verdict_on(timed(0.012, input_size=(140, 100)), [large], 1, Peak()).state == "ok"  # not a quarter


class Multiplies(BlobNetwork):
    """A runtime with an implausibly fast library, which supports only the CPU."""

    @classmethod
    def peak_work(cls, device: str) -> list[PeakWork]:
        return [PeakWork("fp32", lambda: None, 1e18, "nothing at all")] if device == "cpu" else []


def catalog_of(*factories: str) -> PluginCatalog:
    infos = tuple(RuntimeInfo(name=f"r{n}", summary="", factory=factory) for n, factory in enumerate(factories))
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=infos)])


def test_the_peak_of_a_cpu_is_measured_with_numpy() -> None:
    by_numpy = measure_peak("cpu", catalog_of(), seconds=0.01)
    assert by_numpy.flops["fp32"] > 1e8
    assert by_numpy.flops["int8"] >= 4 * by_numpy.flops["fp32"]
    assert by_numpy.tolerance == 2.6
    assert by_numpy.flops.keys() == set(PRECISIONS)
    assert measure_peak("npu:3", catalog_of(), seconds=0.01).flops == {}


def test_the_peak_uses_the_work_of_the_runtimes() -> None:
    with_runtime = catalog_of(f"{__name__}:Multiplies", "no_such_module:Network")
    by_runtime = measure_peak("cpu", with_runtime, seconds=0.01)
    assert by_runtime.flops["fp32"] > 1e18
    assert by_runtime.tolerance == 1.3
    assert "nothing at all" in by_runtime.how
    assert measure_peak("npu:3", with_runtime, seconds=0.01).flops == {}


def test_a_short_or_large_clip_has_a_note() -> None:
    clip = read_clip(BlobSource(frames=6), 10)
    assert len(clip.frames) == 6
    assert clip.note == "blobs: ended after 6 of the 10 requested frames"
    assert read_clip(BlobSource(frames=6), 6).note == ""
    few = read_clip(BlobSource(frames=6), 6, most_bytes=3 * 160 * 120 * 3)
    assert len(few.frames) == 3
    assert "3 frames instead of 6" in few.note
    assert clip.size == (160, 120)
    assert clip.seconds == pytest.approx(0.06)
