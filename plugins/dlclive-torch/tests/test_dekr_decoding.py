"""Keypoints of several animals from centres and offsets, compared with hand-computed values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from dlclive_torch.dekr_decoding import DEKRDecoding, KeypointScore, decode_dekr
from torch import Tensor

from dlclive_core import UnsupportedModelError

ONE = DEKRDecoding(stride=4, individuals=1, apply_sigmoid=False, use_heatmap=False, apply_pose_nms=False)
TWO = replace(ONE, individuals=2)
NAN = [pytest.approx(math.nan, nan_ok=True)] * 2


def maps(height: int = 12, width: int = 16, keypoints: int = 2) -> tuple[Tensor, Tensor]:
    """Return heatmaps (the last one for centres) and offsets, all 0."""
    return torch.zeros(1, keypoints + 1, height, width), torch.zeros(1, 2 * keypoints, height, width)


def decode(heatmap: Tensor, offsets: Tensor, decoding: DEKRDecoding) -> Any:
    keypoints = decode_dekr(heatmap, offsets, decoding)
    assert keypoints.dtype == torch.float32
    return keypoints[0].tolist()


def test_keypoints_are_the_centre_minus_their_offsets() -> None:
    """The centre is in row 3, column 5, and the first keypoint at column 5 - 1.5, row 3 - (-0.25); times 4 plus 2."""
    heatmap, offsets = maps()
    heatmap[0, 2, 3, 5] = 0.5
    offsets[0, :, 3, 5] = torch.tensor([1.5, -0.25, -4.0, 3.0])
    heatmap[0, 0, 3, 3] = 0.8  # the cell of (3.5, 3.25)
    heatmap[0, 1, 0, 9] = 0.25  # the cell of (9, 0)
    assert decode(heatmap, offsets, ONE) == [[[16.0, 15.0, pytest.approx(0.4)], [38.0, 2.0, pytest.approx(0.125)]]]


@pytest.mark.parametrize(("score", "expected"), [("combined", 0.6), ("heatmap", 1.2), ("center", 0.5)])
def test_keypoint_score_options(score: KeypointScore, expected: float) -> None:
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 1, 3, 5] = 0.5
    heatmap[0, 0, 3, 5] = 1.2
    decoding = replace(ONE, keypoint_score=score)
    assert decode(heatmap, offsets, decoding) == [[[22.0, 14.0, pytest.approx(expected)]]]
    assert decode(heatmap, offsets, replace(decoding, clip_scores=True))[0][0][2] == pytest.approx(min(expected, 1.0))


def test_the_sigmoid_is_applied_before_decoding() -> None:
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 1, 3, 5] = math.log(3)  # 3/4
    poses = decode(heatmap, offsets, replace(ONE, apply_sigmoid=True))
    assert poses == [[[22.0, 14.0, pytest.approx(0.375)]]]  # the keypoint's own logit is 0, 1/2


def test_keypoints_outside_the_map_have_the_confidence_of_its_edge() -> None:
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 1, 3, 5] = 1.0
    offsets[0, :, 3, 5] = torch.tensor([9.0, -20.0])
    heatmap[0, 0, 11, 0] = 0.7
    assert decode(heatmap, offsets, ONE) == [[[-14.0, 94.0, pytest.approx(0.7)]]]


def test_a_centre_is_the_highest_within_two_cells() -> None:
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 0] = 1.0
    heatmap[0, 1, 3, 5] = 0.9
    heatmap[0, 1, 3, 7] = 0.8  # too close
    heatmap[0, 1, 6, 5] = 0.3
    assert decode(heatmap, offsets, TWO) == [[[22.0, 14.0, pytest.approx(0.9)]], [[22.0, 26.0, pytest.approx(0.3)]]]


def test_individuals_without_a_centre_are_missing() -> None:
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 0] = 1.0
    heatmap[0, 1, 3, 5] = 0.9
    heatmap[0, 1, 8, 8] = -0.1
    for nms in (False, True):
        poses = decode(heatmap, offsets, replace(TWO, apply_pose_nms=nms, keypoint_score="heatmap"))
        assert poses == [[[22.0, 14.0, 1.0]], [[*NAN, 0.0]]]


def test_duplicate_poses_are_dropped_and_put_last() -> None:
    """Centres are in columns 2, 8 and 13. The second has the same keypoint as the first; the third has its own."""
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 0] = 1.0
    for column, value, offset in ((2, 0.9, 0.0), (8, 0.8, 6.0), (13, 0.7, 0.0)):
        heatmap[0, 1, 5, column] = value
        offsets[0, 0, 5, column] = offset
    three = replace(ONE, individuals=3)
    kept = decode(heatmap, offsets, three)
    assert [pose[0][0] for pose in kept] == [10.0, 10.0, 54.0]
    dropped = decode(heatmap, offsets, replace(three, apply_pose_nms=True))  # the highest remaining centre is last
    assert dropped == [[[54.0, 22.0, pytest.approx(0.7)]], [[10.0, 22.0, pytest.approx(0.9)]], [[*NAN, 0.0]]]


@pytest.mark.parametrize(("distance", "count"), [(2.4, 1), (2.6, 2)])
def test_duplicates_are_within_a_fraction_of_the_diagonal(distance: float, count: int) -> None:
    """The second pose spans 40 x 30 px, so its diagonal is 50 px and the threshold 2.5 px."""
    heatmap, offsets = maps(keypoints=2)
    heatmap[0, :2] = 1.0
    heatmap[0, 2, 5, 2], heatmap[0, 2, 5, 10] = 0.9, 0.8
    offsets[0, :, 5, 10] = torch.tensor([0.0, 0.0, 10.0, 7.5])  # keypoints at column 10, row 5 and column 0, row -2.5
    offsets[0, :, 5, 2] = torch.tensor(
        [2.0 - 10.0 - distance / 4, 0.0, 50.0, 50.0]
    )  # the first is close to the other pose's, the second far away
    poses = decode(heatmap, offsets, replace(TWO, apply_pose_nms=True))
    assert sum(not math.isnan(pose[0][0]) for pose in poses) == count


def test_a_dropped_pose_still_suppresses_others() -> None:
    """Three poses are 0.04 px apart: each suppresses the next, but the first is too far from the third."""
    heatmap, offsets = maps(keypoints=1)
    heatmap[0, 0] = 1.0
    for column, value, position in (
        (2, 0.9, 2.0),
        (8, 0.8, 2.01),
        (13, 0.7, 2.02),
    ):  # a lone keypoint's box counts as 1 px
        heatmap[0, 1, 5, column] = value
        offsets[0, 0, 5, column] = column - position
    poses = decode(heatmap, offsets, replace(ONE, individuals=3, apply_pose_nms=True))
    assert [math.isnan(pose[0][0]) for pose in poses] == [False, True, True]


def test_snapping_moves_keypoints_to_the_nearest_peak_within_reach() -> None:
    heatmap, offsets = maps(keypoints=2)
    heatmap[0, 2, 3, 5] = 1.0
    offsets[0, :, 3, 5] = torch.tensor([0.5, 0.0, 0.0, 0.0])
    heatmap[0, 0, 4, 6] = 0.6  # 1.8 cells from (4.5, 3)
    heatmap[0, 1, 3, 9] = 0.7  # 4 cells from (5, 3)
    heatmap[0, 1, 3, 5] = 0.2  # not a peak: within 2 cells of a higher one
    heatmap[0, 1, 3, 7] = 0.3
    poses = decode(heatmap, offsets, replace(ONE, use_heatmap=True, max_absorb_distance=3.0))
    assert poses == [[[26.0, 18.0, pytest.approx(0.6)], [22.0, 14.0, 0.0]]]
    poses = decode(heatmap, offsets, replace(ONE, use_heatmap=True))
    assert poses == [[[26.0, 18.0, pytest.approx(0.6)], [38.0, 14.0, pytest.approx(0.7)]]]


def test_batch_items_are_independent() -> None:
    random = torch.Generator().manual_seed(0)
    heatmap, offsets = torch.rand(2, 4, 20, 24, generator=random), torch.randn(2, 6, 20, 24, generator=random)
    decoding = DEKRDecoding(stride=2, individuals=3)
    together = decode_dekr(heatmap, offsets, decoding)
    assert together.shape == (2, 3, 3, 3)
    apart = [decode_dekr(heatmap[item : item + 1], offsets[item : item + 1], decoding) for item in range(2)]
    torch.testing.assert_close(together, torch.cat(apart), equal_nan=True)


def test_defaults_are_deeplabcuts() -> None:
    assert DEKRDecoding.from_predictor({"num_animals": 3, "nms_threshold": None}, stride=4) == DEKRDecoding(
        stride=4, individuals=3, apply_sigmoid=True, use_heatmap=True, apply_pose_nms=True
    )
    with pytest.raises(UnsupportedModelError, match=r"'best'.*combined, heatmap, center"):
        DEKRDecoding.from_predictor({"num_animals": 3, "keypoint_score_type": "best"}, stride=4)
