"""The heatmap decoder, compared with hand-computed values."""

from __future__ import annotations

import pytest
import torch
from dlclive_torch.decoding import decode_heatmap

from dlclive_core.runtimes import HeatmapDecoding

STD = 7.2801


def maps(peaks: list[tuple[int, int, float]], height: int = 6, width: int = 9) -> torch.Tensor:
    """(1, K, height, width) with one peak (row, column, value) per keypoint."""
    heatmap = torch.zeros(1, len(peaks), height, width)
    for keypoint, (row, column, value) in enumerate(peaks):
        heatmap[0, keypoint, row, column] = value
    return heatmap


def test_the_refinement_is_added_to_the_centre_of_the_cell() -> None:
    locref = torch.zeros(1, 2, 6, 9)
    locref[0, :, 3, 4] = torch.tensor([0.1, -0.2])
    keypoints = decode_heatmap(maps([(3, 4, 0.8)]), locref, HeatmapDecoding(stride=8, locref_std=STD))
    assert keypoints.shape == (1, 1, 1, 3)
    assert keypoints[0, 0, 0].tolist() == pytest.approx([36.72801, 26.54398, 0.8], abs=1e-5)


def test_channels_of_the_refinement_are_x0_y0_x1_y1() -> None:
    locref = torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 6, 9)
    keypoints = decode_heatmap(maps([(0, 0, 1.0), (5, 8, 1.0)]), locref, HeatmapDecoding(stride=4, locref_std=1.0))
    assert keypoints[0, 0, :, :2].tolist() == [[2.0, 3.0], [32 + 2 + 2.0, 20 + 2 + 3.0]]


def test_without_refinement_the_keypoint_is_the_centre_of_the_cell() -> None:
    keypoints = decode_heatmap(maps([(1, 2, 0.5)]), None, HeatmapDecoding(stride=16, locref_std=None))
    assert keypoints[0, 0, 0].tolist() == [40.0, 24.0, 0.5]


def test_a_disabled_refinement_is_not_used() -> None:
    keypoints = decode_heatmap(maps([(1, 2, 0.5)]), torch.ones(1, 2, 6, 9), HeatmapDecoding(stride=16, locref_std=None))
    assert keypoints[0, 0, 0].tolist() == [40.0, 24.0, 0.5]


def test_the_first_of_equal_cells_in_reading_order_wins() -> None:
    heatmap = maps([(2, 7, 0.9)])
    heatmap[0, 0, 2, 3] = heatmap[0, 0, 4, 0] = 0.9
    keypoints = decode_heatmap(heatmap, None, HeatmapDecoding(stride=1, locref_std=None))
    assert keypoints[0, 0, 0, :2].tolist() == [3.5, 2.5]
    flat = decode_heatmap(torch.zeros(1, 1, 6, 9), None, HeatmapDecoding(stride=1, locref_std=None))
    assert flat[0, 0, 0].tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("sigmoid", "clip", "value", "confidence"),
    [
        (False, False, 1.5, 1.5),
        (False, True, 1.5, 1.0),
        (True, False, 0.0, 0.5),
        (True, True, 2.0, 0.880797),
    ],
)
def test_confidence_is_the_peak_after_sigmoid_and_clipping(
    sigmoid: bool, clip: bool, value: float, confidence: float
) -> None:
    heatmap = torch.full((1, 1, 3, 3), -3.0)
    heatmap[0, 0, 1, 1] = value
    decoding = HeatmapDecoding(stride=2, locref_std=None, apply_sigmoid=sigmoid, clip_scores=clip)
    assert decode_heatmap(heatmap, None, decoding)[0, 0, 0].tolist() == pytest.approx([3, 3, confidence], abs=1e-6)


def test_negative_peaks_clip_to_zero() -> None:
    decoding = HeatmapDecoding(stride=2, locref_std=None, clip_scores=True)
    assert decode_heatmap(torch.full((1, 1, 3, 3), -3.0), None, decoding)[0, 0, 0, 2] == 0


def test_batch_items_are_independent() -> None:
    first, second = maps([(1, 1, 1.0), (2, 2, 0.5)]), maps([(5, 8, 0.7), (0, 3, 0.4)])
    locref = torch.randn(2, 4, 6, 9, generator=torch.Generator().manual_seed(0))
    decoding = HeatmapDecoding(stride=8, locref_std=STD)
    batch = decode_heatmap(torch.cat([first, second]), locref, decoding)
    apart = [decode_heatmap(first, locref[:1], decoding), decode_heatmap(second, locref[1:], decoding)]
    torch.testing.assert_close(batch, torch.cat(apart), rtol=0, atol=0)


def test_half_precision_maps_give_exact_cells_far_from_the_origin() -> None:
    """Half precision cannot represent 2049, so positions must not be computed in it."""
    heatmap = torch.zeros(1, 1, 3, 4095, dtype=torch.float16)
    heatmap[0, 0, 1, 4093] = 1
    locref = torch.zeros(1, 2, 3, 4095, dtype=torch.float16)
    locref[0, 0] = 0.25
    keypoints = decode_heatmap(heatmap, locref, HeatmapDecoding(stride=1, locref_std=1.0))
    assert keypoints.dtype == torch.float32
    assert keypoints[0, 0, 0].tolist() == [4093.75, 1.5, 1.0]
