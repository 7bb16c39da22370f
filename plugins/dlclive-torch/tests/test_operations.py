"""Operations counted by PyTorch, and the raw call of the module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from dlclive_torch.operations import count_operations
from dlclive_torch.runtime import TorchNetwork
from torch import nn


def test_a_multiply_add_counts_as_two_operations() -> None:
    module = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
        nn.ConvTranspose2d(6, 5, 2, stride=2),
        nn.Flatten(),
        nn.Linear(240, 7),
    )
    cells = 2 * 3 * 4
    convolution, back, product = 2 * cells * 6 * 18, 2 * cells * 6 * 5 * 4, 2 * 2 * 240 * 7
    assert count_operations(module, [torch.zeros(2, 4, 6, 8)]) == convolution + back + product


def test_a_network_counts_its_operations_and_its_raw_call_matches_run(
    small_export: Path, noise: Callable[..., np.ndarray]
) -> None:
    image = noise(96, 128)[None]
    with TorchNetwork(small_export, device="cpu") as network:
        counted = network.operations(image)
        assert 0.9 < network.operations(noise(192, 256)[None]) / counted / 4 < 1.1
        expected, outputs = network.run(image), network.raw_call(image)()
        assert isinstance(outputs, dict)
        np.testing.assert_array_equal(outputs["keypoints"].numpy(), expected["keypoints"])
