"""A pose model from camera image to keypoints as one module, which the runtime runs and the exporter writes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from dlclive_core.runtimes import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from dlclive_torch.padding import pad_reflected

SCALES: Mapping[Normalisation, tuple[tuple[float, ...], tuple[float, ...]]] = MappingProxyType(
    {
        "imagenet": (
            tuple(1 / (255 * std) for std in IMAGENET_STD),
            tuple(-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)),
        ),
        "unit": ((1 / 255,) * 3, (0.0,) * 3),
        "none": ((1.0,) * 3, (0.0,) * 3),
    }
)
"""Factor and summand for the three colours: normalisation is v * factor + summand."""


class KeypointGraph(nn.Module):
    """Images (N, H, W, 3) uint8 RGB in, named float32 arrays out: "keypoints" (N, I, K, 3) or those of `PoseNetwork`.

    Normalises, pads at the bottom and right by reflection, and runs the network. Keypoints are not clipped to the image: a
    heatmap may extend beyond it.

    Args:
        network: (N, 3, H, W) normalised images, in its own floating-point type, to a dict of float32 tensors in pixels of
            these images: a `PoseNetwork`, or any module with this interface. If it has an attribute `outputs`, these are the
            output names in order; otherwise it returns only "keypoints". If its attribute `conditional` is true, it also
            takes conditions (N, K, 3) float32, keypoints in pixels of the image; if its attribute `exact` is true, images
            are normalised in double precision.
        normalisation: as in ModelCard.
        pad_divisor: (height, width); the padded image is a multiple of it.
        dtype: dtype of the network's weights and arithmetic; normalisation and decoding are always in float32.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        normalisation: Normalisation,
        pad_divisor: tuple[int, int] = (1, 1),
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        factor, summand = SCALES[normalisation]
        self.precise = torch.float64 if getattr(network, "exact", False) else torch.float32
        self.normalisation = normalisation
        self.network = network.to(dtype)
        self.outputs: tuple[str, ...] = getattr(network, "outputs", ("keypoints",))
        self.conditional = bool(getattr(network, "conditional", False))
        self.pad_divisor = pad_divisor
        self.dtype = dtype
        self.factor: Tensor
        self.summand: Tensor
        self.register_buffer("factor", torch.tensor(factor, dtype=self.precise).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("summand", torch.tensor(summand, dtype=self.precise).view(1, 3, 1, 1), persistent=False)

    def in_dtype(self, dtype: torch.dtype) -> KeypointGraph:
        """Return a copy whose network has weights and arithmetic of another dtype."""
        network = copy.deepcopy(self.network)
        graph = KeypointGraph(network, normalisation=self.normalisation, pad_divisor=self.pad_divisor, dtype=dtype)
        return graph.train(self.training)

    def forward(self, image: Tensor, conditions: Tensor | None = None) -> dict[str, Tensor]:
        padded = pad_reflected(image, self.pad_divisor)
        pixels = padded.permute(0, 3, 1, 2).to(self.precise)
        images = (pixels * self.factor + self.summand).to(self.dtype)
        outputs: dict[str, Tensor] = self.network(images) if conditions is None else self.network(images, conditions)
        return outputs
