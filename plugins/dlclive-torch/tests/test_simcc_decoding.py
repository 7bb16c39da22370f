"""Keypoints from logits along x and y, compared with hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch
from dlclive_torch.simcc_decoding import SimCCDecoding, decode_simcc
from torch import Tensor

PLAIN = SimCCDecoding(sigma=(1.0, 1.0), decode_beta=1.0)
"""Softmax of unscaled logits."""


def row(length: int, peak: int, height: float) -> Tensor:
    """One keypoint's logits: 0, and `height` at one bin."""
    logits = torch.zeros(1, 1, length)
    logits[0, 0, peak] = height
    return logits


def decode(along_x: Tensor, along_y: Tensor, decoding: SimCCDecoding = PLAIN) -> list[float]:
    keypoints = decode_simcc(along_x, along_y, decoding)
    assert keypoints.dtype == torch.float32
    assert keypoints.shape == (1, 1, 1, 3)
    return keypoints[0, 0, 0].tolist()


def test_positions_are_the_highest_bins_divided_by_the_split_ratio() -> None:
    """The softmax of 0, 0, 0 and ln 3 is 1/6, 1/6, 1/6, 3/6; of three zeros and ln 7, 7/10. The lower maximum counts."""
    keypoint = decode(row(4, 3, math.log(3)), row(4, 1, math.log(7)))
    assert keypoint == pytest.approx([1.5, 0.5, 0.5], abs=1e-6)
    thrice = SimCCDecoding(split_ratio=3.0, sigma=(1.0, 1.0), decode_beta=1.0)
    assert decode(row(4, 3, 1.0), row(4, 2, 1.0), thrice)[:2] == pytest.approx([1.0, 2 / 3])


def test_logits_are_multiplied_by_sigma_and_beta_of_their_axis() -> None:
    """2 * 3 * 0.5 = 3 along x, 4 * 3 * 0.1 = 1.2 along y."""
    decoding = SimCCDecoding(sigma=(2.0, 4.0), decode_beta=3.0)
    keypoint = decode(row(4, 2, 0.5), row(4, 3, 0.1), decoding)
    assert keypoint == pytest.approx([1.0, 1.5, math.exp(1.2) / (math.exp(1.2) + 3)], abs=1e-6)


def test_normalising_clips_negative_logits_and_divides_rows_that_exceed_one() -> None:
    """As in deeplabcut 3.0.2: 1, 5, 2, 0 becomes 0.2, 1, 0.4, 0; rows below 1 do not change."""
    decoding = SimCCDecoding(apply_softmax=False, normalize_outputs=True)
    tall, low = torch.tensor([[[1.0, 5.0, 2.0, 0.0]]]), torch.tensor([[[-9.0, 0.3, 0.2, 0.0]]])
    assert decode(tall, tall, decoding) == pytest.approx([0.5, 0.5, 1.0])
    assert decode(tall, low, decoding) == pytest.approx([0.5, 0.5, 0.3])
    soft = SimCCDecoding(normalize_outputs=True)
    assert decode(tall, tall, soft)[2] == pytest.approx(math.e / (math.exp(0.2) + math.e + math.exp(0.4) + 1), abs=1e-6)


@pytest.mark.parametrize("bins", [4, 7, 96, 768])
@pytest.mark.parametrize("level", [0.0, 0.37, -2.0])
def test_uniform_logits_give_no_keypoint(bins: int, level: float) -> None:
    flat = torch.full((1, 1, bins), level)
    x, y, confidence = decode(flat, flat, SimCCDecoding())
    assert (math.isnan(x), math.isnan(y), confidence) == (True, True, 0.0)


def test_the_threshold_is_the_uniform_probability_along_x() -> None:
    """Uniform logits along y are below the threshold if y has more bins than x, and pass if it has fewer."""
    assert math.isnan(decode(row(8, 3, 9.0), torch.zeros(1, 1, 16))[0])
    assert decode(row(16, 3, 9.0), torch.zeros(1, 1, 8)) == pytest.approx([1.5, 0.0, 0.125])


def test_without_softmax_the_threshold_is_zero() -> None:
    decoding = SimCCDecoding(apply_softmax=False, sigma=(1.0, 1.0), decode_beta=1.0)
    assert decode(row(4, 1, 1e-6), row(4, 2, 1e-6), decoding) == pytest.approx([0.5, 1.0, 1e-6])
    assert math.isnan(decode(row(4, 1, 1.0), torch.zeros(1, 1, 4), decoding)[0])
    assert math.isnan(decode(row(4, 1, 1.0), torch.full((1, 1, 4), -1.0), decoding)[0])


def test_nan_logits_give_no_keypoint() -> None:
    x, y, confidence = decode(torch.full((1, 1, 4), torch.nan), row(4, 1, 5.0))
    assert (math.isnan(x), math.isnan(y), confidence) == (True, True, 0.0)


def test_half_precision_logits_are_decoded_in_float32() -> None:
    """2049 bins and a factor of 900 both exceed half precision."""
    logits = torch.zeros(1, 1, 4096, dtype=torch.float16)
    logits[0, 0, 2049] = 100.0
    assert decode(logits, logits, SimCCDecoding(split_ratio=1.0)) == [2049.0, 2049.0, 1.0]


def test_batch_items_and_keypoints_are_independent() -> None:
    logits = torch.randn(2, 2, 3, 12, generator=torch.Generator().manual_seed(0))
    together = decode_simcc(logits[0], logits[1], PLAIN)
    assert together.shape == (2, 1, 3, 3)
    for item in range(2):
        for keypoint in range(3):
            alone = decode_simcc(*logits[:, item : item + 1, keypoint : keypoint + 1], PLAIN)
            torch.testing.assert_close(together[item, 0, keypoint], alone[0, 0, 0])


def test_defaults_are_deeplabcuts() -> None:
    """Old exports lack sigma and decode_beta; others write None for unset options."""
    old = SimCCDecoding.from_predictor({"type": "SimCCPredictor", "simcc_split_ratio": 2.0, "sigma": None})
    assert old == SimCCDecoding(split_ratio=2.0, sigma=(6.0, 6.0), decode_beta=150.0)
    assert (old.apply_softmax, old.normalize_outputs) == (True, False)
    decoding = SimCCDecoding.from_predictor({"sigma": 5.66, "decode_beta": 100, "apply_softmax": False})
    assert decoding == SimCCDecoding(sigma=(5.66, 5.66), decode_beta=100.0, apply_softmax=False)
    assert SimCCDecoding.from_predictor({"sigma": [4.9, 6]}).sigma == (4.9, 6.0)
