"""Affinities of pairs in handmade fields."""

from __future__ import annotations

import math

import pytest
import torch
from dlclive_torch.affinities import pair_affinities
from dlclive_torch.peaks import Peaks
from torch import Tensor

HEIGHT, WIDTH = 20, 30


def peaks_at(*cells: list[tuple[int, int] | None]) -> Peaks:
    """Candidates at (row, column), keypoint by keypoint; None for a missing one."""
    rows = torch.tensor([[[cell[0] if cell else 0 for cell in keypoint] for keypoint in cells]])
    columns = torch.tensor([[[cell[1] if cell else 0 for cell in keypoint] for keypoint in cells]])
    present = torch.tensor([[[cell is not None for cell in keypoint] for keypoint in cells]])
    return Peaks(torch.zeros(*rows.shape, 3), rows, columns, present)


def field(x: float, y: float) -> Tensor:
    """(1, 2, HEIGHT, WIDTH), the same vector everywhere."""
    return torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, HEIGHT, WIDTH).clone()


def affinity(fields: Tensor, start: tuple[int, int], stop: tuple[int, int]) -> float:
    """Return the affinity of one pair of candidates."""
    return pair_affinities(fields, peaks_at([start], [stop]), ((0, 1),), (0,)).item()


def test_affinity_along_the_field_is_the_length_of_its_vector() -> None:
    assert affinity(field(0.7, 0.0), (5, 2), (5, 20)) == pytest.approx(0.7)
    assert affinity(field(0.0, 0.7), (2, 5), (17, 5)) == pytest.approx(0.7)
    assert affinity(field(0.6, 0.8), (2, 2), (14, 11)) == pytest.approx(math.hypot(0.6 * 9, 0.8 * 12) / 15, abs=6e-4)


def test_affinity_is_zero_across_the_field_and_has_no_sign() -> None:
    assert affinity(field(0.7, 0.0), (2, 5), (17, 5)) == 0
    assert affinity(field(0.7, 0.0), (5, 20), (5, 2)) == pytest.approx(0.7)


def test_affinity_uses_the_trapezoidal_rule_at_ten_points() -> None:
    fields = field(0.0, 0.0)
    fields[0, 0, 5, :] = torch.arange(WIDTH) / 10.0  # x / 10: the integral over x from 2 to 20 is (400 - 4) / 20
    assert affinity(fields, (5, 2), (5, 20)) == pytest.approx(19.8 / 18)
    fields[0, 0, 5, :] = 0
    fields[0, 0, 5, 4] = 1  # the second of the points 2, 4, 6, ..., 20, between two steps of 2 cells
    assert affinity(fields, (5, 2), (5, 20)) == pytest.approx(2 / 18, abs=5e-4)
    fields[0, 0, 5, 4] = 0
    fields[0, 0, 5, 5] = 1  # between two of the points
    assert affinity(fields, (5, 2), (5, 20)) == 0


def test_points_are_truncated_to_integer_cells() -> None:
    """From column 0 to 5, the ten points are at 0, 0.56, 1.1, 1.7, ...: cells 0 0 1 1 2 2 3 3 4 5."""
    fields = field(0.0, 0.0)
    fields[0, 0, 0, :6] = torch.tensor([0.0, 0.1, 0.2, 0.4, 0.8, 1.6])
    integral = (0.0 + 0.1) / 2 + (0.1 + 0.2) / 2 + (0.2 + 0.4) / 2 + (0.4 + 0.8) / 2 + (0.8 + 1.6) / 2
    assert affinity(fields, (0, 0), (0, 5)) == pytest.approx(integral / 5, abs=5e-4)


def test_affinity_has_three_decimals_and_is_zero_for_a_pair_in_one_cell() -> None:
    assert affinity(field(0.12345, 0.0), (5, 2), (5, 20)) == pytest.approx(0.123, abs=1e-7)
    assert affinity(field(1.0, 1.0), (5, 2), (5, 2)) == 0


def test_every_pair_of_candidates_of_every_edge_has_an_affinity() -> None:
    peaks = peaks_at([(0, 0), (10, 0)], [(0, 9), (10, 9)], [(18, 0), None])
    fields = torch.cat([field(0.1, 0.9), field(0.5, 0.0), field(0.0, 0.25)], dim=1)
    affinities = pair_affinities(fields, peaks, ((0, 2), (0, 1)), (2, 1))  # no edge uses the first field
    assert affinities.shape == (1, 2, 2, 2)
    assert affinities[0, 0].tolist() == [[0.25, 0.0], [0.25, 0.0]]  # straight down; the second candidate is missing
    slanted = round(0.5 * 9 / math.hypot(9, 10), 3)
    assert affinities[0, 1].flatten().tolist() == pytest.approx([0.5, slanted, slanted, 0.5])


def test_batch_items_are_independent() -> None:
    peaks = peaks_at([(0, 0)], [(0, 9)])
    both = Peaks(*(torch.cat([part, part]) for part in (peaks.points, peaks.rows, peaks.columns, peaks.present)))
    fields = torch.cat([field(0.5, 0.0), field(0.25, 0.0)])
    assert pair_affinities(fields, both, ((0, 1),), (0,)).flatten().tolist() == [0.5, 0.25]


def test_half_precision_fields_are_integrated_in_float32() -> None:
    affinities = pair_affinities(field(0.5, 0.0).half(), peaks_at([(0, 0)], [(0, 29)]), ((0, 1),), (0,))
    assert affinities.dtype == torch.float32
    assert affinities.item() == pytest.approx(0.5)
