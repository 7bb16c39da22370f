"""Reflection padding, compared with numpy's, which repeats the reflection if the padding is longer than the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dlclive_torch.padding import pad_reflected, reflected_indices


@pytest.mark.parametrize("length", [1, 2, 3, 5, 31, 33])
@pytest.mark.parametrize("padded", [33, 64, 160])
def test_indices_match_numpys_reflection(length: int, padded: int) -> None:
    expected = np.pad(np.arange(length), (0, padded - length), mode="reflect")
    np.testing.assert_array_equal(reflected_indices(length, padded, torch.device("cpu")).numpy(), expected)


def test_indices_of_a_short_picture() -> None:
    assert reflected_indices(4, 9, torch.device("cpu")).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_only_the_bottom_and_right_are_padded() -> None:
    image = torch.arange(2 * 5 * 3 * 3, dtype=torch.uint8).view(2, 5, 3, 3)
    padded = pad_reflected(image, (4, 2))
    assert padded.shape == (2, 8, 4, 3)
    assert padded.dtype == torch.uint8
    np.testing.assert_array_equal(padded.numpy(), np.pad(image.numpy(), ((0, 0), (0, 3), (0, 1), (0, 0)), "reflect"))


def test_a_picture_of_the_right_size_is_not_padded() -> None:
    image = torch.zeros(1, 64, 32, 3, dtype=torch.uint8)
    torch.testing.assert_close(pad_reflected(image, (32, 32)), image)
    assert pad_reflected(image, (1, 1)) is image
