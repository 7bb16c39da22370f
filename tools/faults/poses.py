"""Invalid poses, which must not trigger: not finite, empty, with many animals, with impossible confidences."""

from __future__ import annotations

import time

import numpy as np
from dlclive_processors import CallableOutput, Stimulate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlclive_core import Frame, Pose, Skeleton
from dlclive_core.testing import run_info
from tools.faults.row import Row

SKELETON = Skeleton(("k0", "k1", "k2"))
SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
VALUES = [float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 0.3, 0.6, 1.0, 1.5, 50.0, 99.0, 101.0, 1e30, -1e30]
IMAGE = np.zeros((4, 4, 3), np.uint8)


def may_act(keypoints: np.ndarray) -> bool:
    """Whether the k0 of some animal is finite, inside the region, and has a valid confidence of 0.6 or more."""
    x, y, confidence = keypoints[:, 0].T
    with np.errstate(invalid="ignore"):
        return bool(
            (
                np.isfinite(keypoints[:, 0]).all(axis=1)
                & (confidence >= 0.6)
                & (confidence <= 1)
                & (x > 0)
                & (x < 100)
                & (y > 0)
                & (y < 100)
            ).any()
        )


def invalid_poses(examples: int) -> Row:
    """Hypothesis searches for a pose that wrongly switches the output on, or that raises."""
    stimulate = Stimulate(output=CallableOutput(lambda on: None), polygon=SQUARE, keypoint="k0", max_rate=1e9)
    stimulate.open(run_info(is_live=True))
    tried = on = 0

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(
        arrays(
            np.float32,
            st.tuples(st.integers(0, 10), st.just(3), st.just(3)),
            elements=st.sampled_from(VALUES).map(np.float32),
        )
    )
    def check(keypoints: np.ndarray) -> None:
        nonlocal tried, on
        tried += 1
        stimulate.process(Pose(keypoints, SKELETON), Frame(IMAGE, tried, time.perf_counter()))
        on += stimulate.output.is_on
        edge = np.isin(keypoints[:, 0, :2], (0.0, 100.0)).any()  # on the region's edge both are allowed
        assert may_act(keypoints) or not stimulate.output.is_on or edge, keypoints

    problem = ""
    try:
        check()
    except Exception as error:
        problem = f"; {type(error).__name__}: {error}"[:300]
    stimulate.close()
    measured = problem or f"{tried} poses, none raised or triggered wrongly ({on} rightly)"
    return Row(
        "NaN, infinite, empty poses, 10 times the animals",
        "hypothesis",
        "no trigger on an invalid pose; no exception",
        measured,
        tried,
        not problem,
    )
