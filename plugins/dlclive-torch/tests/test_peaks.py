"""Keypoint candidates, compared with hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch
from dlclive_torch.peaks import PeakDecoding, blur, find_peaks
from torch import Tensor

STD = 7.2801


def decoding(candidates: int = 2, **changes: float | bool | None) -> PeakDecoding:
    """Without sigmoid and blur, so that confidences equal the heatmap's values."""
    options: dict[str, float | bool | None] = {"stride": 8.0, "locref_std": None, "sigma": 0.0, "apply_sigmoid": False}
    return PeakDecoding(candidates=candidates, **{**options, **changes})  # type: ignore[arg-type]


def maps(*peaks: tuple[int, int, float], height: int = 12, width: int = 20) -> Tensor:
    """(1, 1, height, width), zero except at (row, column, value)."""
    heatmap = torch.zeros(1, 1, height, width)
    for row, column, value in peaks:
        heatmap[0, 0, row, column] = value
    return heatmap


def present_points(points: Tensor) -> list[list[float]]:
    """Return the present points of (1, 1, P, 3) as [x, y, confidence]."""
    return [point for point in points[0, 0].tolist() if not math.isnan(point[0])]


@pytest.mark.parametrize(("stride", "centre"), [(1.0, 0.0), (2.0, 1.0), (3.0, 1.0), (4.0, 2.0), (8.0, 4.0)])
def test_the_centre_of_a_cell_is_half_a_stride_rounded_down(stride: float, centre: float) -> None:
    peaks = find_peaks(maps((3, 5, 0.8)), None, decoding(stride=stride))
    ((x, y, confidence),) = present_points(peaks.points)
    assert (x, y, confidence) == pytest.approx((5 * stride + centre, 3 * stride + centre, 0.8))


def test_the_refinement_of_keypoint_k_is_in_channels_2k_and_2k_plus_1() -> None:
    heatmap = torch.cat([maps((3, 5, 0.8)), maps((7, 2, 0.6))], dim=1)
    locref = torch.zeros(1, 4, 12, 20)
    locref[0, :2, 3, 5] = torch.tensor([0.1, -0.2])
    locref[0, 2:, 7, 2] = torch.tensor([0.3, 0.4])
    points = find_peaks(heatmap, locref, decoding(candidates=1, locref_std=STD)).points
    assert points[0, 0, 0].tolist() == pytest.approx([44 + 0.72801, 28 - 1.45602, 0.8], abs=1e-5)
    assert points[0, 1, 0].tolist() == pytest.approx([20 + 2.18403, 60 + 2.91204, 0.6], abs=1e-5)


def test_the_most_confident_peaks_are_kept_in_reading_order() -> None:
    heatmap = maps((1, 1, 0.5), (1, 10, 0.9), (9, 3, 0.7))
    assert [point[2] for point in present_points(find_peaks(heatmap, None, decoding(2)).points)] == pytest.approx(
        [0.9, 0.7]
    )
    assert [point[2] for point in present_points(find_peaks(heatmap, None, decoding(3)).points)] == pytest.approx(
        [0.5, 0.9, 0.7]
    )
    peaks = find_peaks(heatmap, None, decoding(5))
    assert peaks.points.shape == (1, 1, 5, 3)
    assert int(peaks.present.sum()) == 3
    assert peaks.points[~peaks.present][:, 2].tolist() == [0, 0]


def test_a_peak_is_the_highest_within_two_cells() -> None:
    heatmap = maps((5, 5, 0.9), (5, 7, 0.8), (5, 8, 0.7), (8, 5, 0.6))
    assert [point[2] for point in present_points(find_peaks(heatmap, None, decoding(4)).points)] == pytest.approx(
        [0.9, 0.6]
    )


def test_values_below_a_hundredth_are_not_peaks() -> None:
    assert len(present_points(find_peaks(maps((5, 5, 0.0099), (9, 15, 0.0101)), None, decoding(4)).points)) == 1
    assert not present_points(find_peaks(torch.full((1, 1, 12, 20), -1.0), None, decoding(4)).points)


def test_the_first_of_equal_cells_in_reading_order_are_kept() -> None:
    peaks = find_peaks(torch.full((1, 1, 12, 20), 0.5), None, decoding(3))
    assert peaks.rows[0, 0].tolist() == [0, 0, 0]
    assert peaks.columns[0, 0].tolist() == [0, 1, 2]
    heatmap = maps((9, 9, 0.9), *((1, column, 0.4) for column in range(4, 9)))
    peaks = find_peaks(heatmap, None, decoding(3))
    assert [(int(row), int(column)) for row, column in zip(peaks.rows[0, 0], peaks.columns[0, 0], strict=True)] == [
        (1, 4),
        (1, 5),
        (9, 9),
    ]


def test_a_map_smaller_than_the_number_of_candidates() -> None:
    peaks = find_peaks(torch.full((1, 2, 1, 2), 0.5), torch.zeros(1, 4, 1, 2), decoding(6, locref_std=STD))
    assert peaks.points.shape == (1, 2, 6, 3)
    assert peaks.present.sum(dim=2).tolist() == [[2, 2]]


def test_blur_is_a_gaussian_with_zero_padding() -> None:
    blurred = blur(maps((5, 5, 1.0), height=11, width=11), sigma=1.0, radius=5)[0, 0]
    assert float(blurred.sum()) == pytest.approx(1.0)
    weights = [math.exp(-(reach**2) / 2) for reach in range(-5, 6)]
    assert float(blurred[5, 5]) == pytest.approx(1 / sum(weights) ** 2)
    assert float(blurred[4, 7]) == pytest.approx(math.exp(-0.5 - 2) / sum(weights) ** 2)
    corner = blur(torch.ones(1, 1, 11, 11), sigma=1.0, radius=5)[0, 0, 0, 0]
    assert float(corner) == pytest.approx((sum(weights[5:]) / sum(weights)) ** 2)


def test_confidence_is_read_after_sigmoid_and_blur() -> None:
    logits = torch.full((1, 1, 21, 21), -100.0)
    logits[0, 0, 10, 10] = 0
    peaks = find_peaks(logits, None, decoding(1, apply_sigmoid=True, sigma=1.0))
    weights = [math.exp(-(reach**2) / 2) for reach in range(-5, 6)]
    assert present_points(peaks.points)[0] == pytest.approx([84, 84, 0.5 / sum(weights) ** 2])


def test_clipped_scores_are_at_most_one_and_keep_their_order() -> None:
    heatmap = maps((1, 1, 1.5), (9, 9, 2.5))
    peaks = find_peaks(heatmap, None, decoding(1, clip_scores=True))
    assert present_points(peaks.points) == [[76.0, 76.0, 1.0]]


def test_batch_items_are_independent() -> None:
    generator = torch.Generator().manual_seed(0)
    heatmap, locref = torch.randn(3, 2, 12, 20, generator=generator), torch.randn(3, 4, 12, 20, generator=generator)
    together = find_peaks(heatmap, locref, decoding(4, locref_std=STD)).points
    for item in range(3):
        alone = find_peaks(heatmap[item : item + 1], locref[item : item + 1], decoding(4, locref_std=STD)).points
        torch.testing.assert_close(together[item : item + 1], alone, rtol=0, atol=0, equal_nan=True)


def test_half_precision_maps_are_decoded_in_float32() -> None:
    heatmap = torch.zeros(1, 1, 3, 4095, dtype=torch.float16)
    heatmap[0, 0, 1, 4093] = 1
    peaks = find_peaks(
        heatmap, torch.zeros(1, 2, 3, 4095, dtype=torch.float16), decoding(1, stride=1.0, locref_std=1.0)
    )
    assert peaks.points.dtype == torch.float32
    assert present_points(peaks.points) == [[4093.0, 1.0, 1.0]]
