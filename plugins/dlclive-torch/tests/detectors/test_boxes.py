"""Decoding, clipping and suppressing boxes, compared with hand-computed values."""

from __future__ import annotations

import math

import torch
from dlclive_torch.detectors.boxes import (
    Regression,
    clip_boxes,
    decode_boxes,
    discard_below,
    discard_smaller,
    suppress,
)

PLAIN = Regression(centre=1.0, size=1.0)


def test_a_box_is_its_shifted_and_scaled_anchor() -> None:
    """Anchor of 20 by 10 around (50, 35): shifted by half of 20 and by -1 times 10, twice the width, same height."""
    anchor = torch.tensor([[40.0, 30.0, 60.0, 40.0]])
    deltas = torch.tensor([[0.5, -1.0, math.log(2.0), 0.0]])
    assert decode_boxes(deltas, anchor, PLAIN).tolist() == [[40, 20, 80, 30]]
    trained = torch.tensor([[5.0, -10.0, 5 * math.log(2.0), 0.0]])
    torch.testing.assert_close(
        decode_boxes(trained, anchor, Regression(centre=10.0, size=5.0)), torch.tensor([[40.0, 20, 80, 30]])
    )


def test_the_growth_of_boxes_is_limited() -> None:
    box = decode_boxes(torch.tensor([[0.0, 0.0, 1e9, -1e9]]), torch.tensor([[0.0, 0.0, 16.0, 16.0]]), PLAIN)
    torch.testing.assert_close(box, torch.tensor([[-492.0, 8.0, 508.0, 8.0]]))  # 1000 / 16 times as wide


def test_boxes_are_clipped_to_the_image() -> None:
    boxes = clip_boxes(torch.tensor([[-5.0, -1.0, 70.0, 30.0], [80.0, 10.0, 90.0, 90.0]]), torch.tensor((64.0, 48.0)))
    assert boxes.tolist() == [[0, 0, 64, 30], [64, 10, 64, 48]]


def test_small_boxes_and_low_scores_are_discarded() -> None:
    scores = torch.tensor([0.25, 0.5, 0.75])
    assert discard_below(scores, 0.5, inclusive=True).tolist() == [-1, 0.5, 0.75]
    assert discard_below(scores, 0.5, inclusive=False).tolist() == [-1, -1, 0.75]
    boxes = torch.tensor([[0.0, 0.0, 2.0, 9.0], [0.0, 0.0, 9.0, 1.0], [0.0, 0.0, 2.0, 2.0]])
    assert discard_smaller(boxes, scores, 2.0).tolist() == [0.25, -1, 0.75]


def test_suppression_keeps_the_higher_score_of_two_overlapping_boxes() -> None:
    """A box of 10 by 10 shifted by 2 has an intersection over union of 80 / 120, two thirds; shifted by 5, a third."""
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [2.0, 0.0, 12.0, 10.0], [5.0, 0.0, 15.0, 10.0]])
    scores = torch.tensor([0.6, 0.9, 0.7])
    kept, order = suppress(boxes, scores, 0.5, 10)
    assert kept[:, 0].tolist() == [2]  # the third overlaps the second by 70 / 130
    torch.testing.assert_close(order, torch.tensor([0.9]))
    kept, order = suppress(boxes, scores, 0.6, 10)
    assert kept[:, 0].tolist() == [2, 5]
    kept, order = suppress(boxes, scores, 0.7, 10)
    assert kept[:, 0].tolist() == [2, 5, 0]
    torch.testing.assert_close(order, torch.tensor([0.9, 0.7, 0.6]))
    kept, order = suppress(boxes, scores, 0.7, 2)
    assert kept[:, 0].tolist() == [2, 5]


def test_a_discarded_box_is_removed_and_does_not_suppress() -> None:
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 10.0]])
    kept, scores = suppress(boxes, torch.tensor([-1.0, 0.001]), 0.5, 10)
    assert (len(kept), scores.tolist()) == (1, [torch.tensor(0.001).item()])
    kept, scores = suppress(boxes, torch.tensor([-1.0, -1.0]), 0.5, 10)
    assert (kept.shape, scores.shape) == ((0, 4), (0,))
