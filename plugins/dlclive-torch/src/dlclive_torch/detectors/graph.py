"""A detector from camera image to boxes as one module, which the runtime runs and the exporter writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import UsageError
from dlclive_core.runtimes import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from dlclive_torch.detectors.resizing import Resizing
from dlclive_torch.padding import round_up


class Detector(nn.Module, ABC):
    """A network that finds animals.

    Args:
        model: torchvision's layers; the names of the weights in DeepLabCut's files begin with this attribute.
        mean: red, green, blue; the network subtracts it from colours that are already normalised.
        std: red, green, blue; the network divides the colours by it.
        resizing: the size of the network's input.
    """

    def __init__(self, model: nn.Module, mean: Sequence[float], std: Sequence[float], resizing: Resizing) -> None:
        super().__init__()
        self.model: Any = model  # torchvision does not declare the types of its parts
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.resizing = resizing

    @abstractmethod
    def forward(self, images: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Find animals.

        Args:
            images: (1, 3, H, W) float32, normalised by `mean` and `std`, resized and padded by `resizing`.
            inside: (2,) float32, width and height without padding.

        Returns:
            boxes (M, 4) float32 x1, y1, x2, y2 in pixels of `images`, and scores (M,) float32, highest first.
        """

    @property
    @abstractmethod
    def classifier(self) -> str:
        """The name of a weight in the model whose first dimension is `anchors` times the number of classes."""

    anchors: int = 1

    folds: ClassVar[bool] = True
    """Whether to fold batch normalisations. False if the rounding of the weights would move boxes by half a pixel."""


class DetectorGraph(nn.Module):
    """One image (1, H, W, 3) uint8 RGB in, boxes of animals out.

    `boxes` is (M, 4) float32, x1, y1, x2, y2 in pixels of the image, `scores` (M,) float32 between 0 and 1, the highest
    first. M is 0 if there are no detections.

    Args:
        detector: the network.
        normalisation: applied to the image before the detector's own normalisation. DeepLabCut trains detectors with
            "imagenet", so colours are normalised twice.
    """

    def __init__(self, detector: Detector, *, normalisation: Normalisation) -> None:
        super().__init__()
        self.detector = detector
        self.normalisation = normalisation
        first = (IMAGENET_MEAN, IMAGENET_STD) if normalisation == "imagenet" else ((0.0,) * 3, (1.0,) * 3)
        self.means, self.stds = (first[0], detector.mean), (first[1], detector.std)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Find animals in one image.

        Raises:
            UsageError: the input is not exactly one image.
        """
        if image.ndim != 4 or image.shape[0] != 1:
            raise UsageError(f"a detector takes one image of shape (1, H, W, 3), not {tuple(image.shape)}")
        height, width = image.shape[1:3]
        resized_height, resized_width = self.detector.resizing.resized(height, width)
        pixels = self.normalised(image.permute(0, 3, 1, 2))
        images = functional.interpolate(
            pixels, (resized_height, resized_width), mode="bilinear", align_corners=False, antialias=False
        )
        bottom, right = (
            round_up(side, self.detector.resizing.divisor) - side for side in (resized_height, resized_width)
        )
        images = functional.pad(images, (0, right, 0, bottom))
        inside = torch.tensor((resized_width, resized_height), dtype=torch.float32, device=image.device)
        ratio = torch.tensor((width, height), dtype=torch.float32, device=image.device) / inside
        return self.find(images, inside, ratio)

    def find(self, images: Tensor, inside: Tensor, ratio: Tensor) -> dict[str, Tensor]:
        """Find animals in an image that `forward` prepared.

        Args:
            images: (1, 3, H, W) float32 as for the detector.
            inside: (2,) float32, width and height without padding.
            ratio: (2,) float32, width and height of the image divided by `inside`.
        """
        boxes, scores = self.detector(images, inside)
        return {"boxes": boxes * ratio.repeat(2), "scores": scores}

    def normalised(self, pixels: Tensor) -> Tensor:
        """Apply both normalisations, one after the other as in training.

        Merging them would round once less. The sizes of boxes are exp() of the output, so the difference shows in large boxes.
        """
        scale = 1.0 if self.normalisation == "none" else 255.0
        pixels = pixels.to(torch.float32) / scale
        for mean, std in zip(self.means, self.stds, strict=True):
            pixels = (pixels - _per_channel(mean, pixels)) / _per_channel(std, pixels)
        return pixels


def _per_channel(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=like.device).view(1, 3, 1, 1)
