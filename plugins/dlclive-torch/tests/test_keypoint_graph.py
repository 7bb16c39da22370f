"""The graph's preprocessing: normalisation, padding and dtype. The network is a probe that records its input."""

from __future__ import annotations

import pytest
import torch
from dlclive_torch.graph import KeypointGraph
from torch import Tensor, nn

from dlclive_core.runtimes import Normalisation


class Probe(nn.Module):
    """Records its input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        self.images = images
        return torch.zeros(len(images), 1, 2, 3)


@pytest.mark.parametrize(
    ("normalisation", "expected"),
    [
        ("imagenet", [(51 / 255 - 0.485) / 0.229, (102 / 255 - 0.456) / 0.224, (255 / 255 - 0.406) / 0.225]),
        ("unit", [0.2, 0.4, 1.0]),
        ("none", [51.0, 102.0, 255.0]),
    ],
)
def test_each_colour_is_normalised(normalisation: Normalisation, expected: list[float]) -> None:
    probe = Probe()
    graph = KeypointGraph(probe, normalisation=normalisation)
    graph(torch.tensor([51, 102, 255], dtype=torch.uint8).expand(2, 4, 5, 3))
    assert probe.images.shape == (2, 3, 4, 5)
    assert probe.images.dtype == torch.float32
    assert probe.images[1, :, 3, 4].tolist() == pytest.approx(expected, abs=1e-5)


def test_images_are_padded_before_the_network() -> None:
    probe = Probe()
    image = torch.randint(0, 256, (1, 33, 20, 3), dtype=torch.uint8)
    KeypointGraph(probe, normalisation="none", pad_divisor=(32, 16))(image)
    assert probe.images.shape == (1, 3, 64, 32)
    torch.testing.assert_close(probe.images[0, :, :33, :20], image[0].permute(2, 0, 1).float())
    torch.testing.assert_close(probe.images[0, :, 33], probe.images[0, :, 31])


def test_half_precision_applies_only_to_the_network() -> None:
    probe = Probe()
    half = KeypointGraph(probe, normalisation="imagenet").in_dtype(torch.float16)
    half(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    assert isinstance(half.network, Probe)
    assert half.network.images.dtype == half.network.weight.dtype == torch.float16
    assert half.factor.dtype == torch.float32
    assert probe.weight.dtype == torch.float32  # the original is not modified
