"""Positions are voted for by the cells around the highest one."""

from __future__ import annotations

import torch
from dlclive_distill.training.votes import count_votes


def _logits(height: int, width: int, peaks: dict[tuple[int, int], float]) -> torch.Tensor:
    logits = torch.full((1, 1, height, width), -20.0)
    for (row, column), value in peaks.items():
        logits[0, 0, row, column] = value
    return logits


def test_a_single_cell_is_its_own_centre() -> None:
    votes = count_votes(_logits(6, 9, {(2, 7): 0.0}))
    assert votes.xy[0, 0].tolist() == [7.5, 2.5]
    assert votes.confidence.item() == 0.5


def test_neighbours_pull_by_their_probability() -> None:
    """Equal cells side by side meet in the middle; offsets that point at one place meet there."""
    logits = _logits(6, 9, {(2, 4): 3.0, (2, 5): 3.0})
    assert torch.allclose(count_votes(logits).xy[0, 0], torch.tensor([5.0, 2.5]), atol=1e-4)
    offsets = torch.zeros(1, 2, 6, 9)
    columns, rows = torch.arange(9) + 0.5, torch.arange(6)[:, None] + 0.5
    offsets[0, 0], offsets[0, 1] = 4.2 - columns, 2.9 - rows
    votes = count_votes(logits, offsets)
    assert torch.allclose(votes.xy[0, 0], torch.tensor([4.2, 2.9]), atol=1e-4)
    assert votes.spread.item() < 0.01


def test_a_far_cell_has_no_vote() -> None:
    votes = count_votes(_logits(6, 9, {(2, 1): 4.0, (2, 7): 3.9}))
    assert torch.allclose(votes.xy[0, 0], torch.tensor([1.5, 2.5]), atol=1e-3)


def test_maps_are_counted_by_themselves() -> None:
    """A batch with several keypoints gives what each map gives alone."""
    torch.manual_seed(0)
    logits, offsets = torch.randn(3, 2, 8, 8), torch.randn(3, 4, 8, 8)
    together = count_votes(logits, offsets)
    for image in range(3):
        for keypoint in range(2):
            alone = count_votes(
                logits[image : image + 1, keypoint : keypoint + 1],
                offsets[image : image + 1, 2 * keypoint : 2 * keypoint + 2],
            )
            assert torch.allclose(alone.xy[0, 0], together.xy[image, keypoint], atol=1e-5)
            assert torch.allclose(alone.spread[0, 0], together.spread[image, keypoint], atol=1e-5)


def test_of_equal_cells_the_first_counts() -> None:
    votes = count_votes(_logits(6, 9, {(1, 7): 2.0, (4, 2): 2.0}))
    assert torch.allclose(votes.xy[0, 0], torch.tensor([7.5, 1.5]), atol=1e-4)
    assert torch.isfinite(count_votes(torch.zeros(1, 1, 6, 9)).xy).all()
