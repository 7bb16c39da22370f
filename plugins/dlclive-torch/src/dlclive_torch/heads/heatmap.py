"""The single-animal head: a heatmap per keypoint and, usually, a location refinement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import HeatmapDecoding
from dlclive_torch.cells import CellReader
from dlclive_torch.decoding import ReadCells, decode_heatmap
from dlclive_torch.heads.base import Head


class Upsampling(nn.Module):
    """Transposed convolutions with ReLU between them, optionally followed by a convolution.

    Args:
        channels: channels of the features, then of the output of each transposed convolution.
        kernels, strides: kernel sizes and strides of the transposed convolutions; one fewer than `channels`.
        final: output channels and kernel size of the last convolution; None for none.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        kernels: tuple[int, ...],
        strides: tuple[int, ...],
        final: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (kernel, stride) in enumerate(zip(kernels, strides, strict=True)):
            if index:
                layers.append(nn.ReLU())
            layers.append(nn.ConvTranspose2d(channels[index], channels[index + 1], kernel, stride))
        self.deconv_layers = nn.Sequential(*layers)
        self.final_conv: nn.Module = nn.Identity()
        if final is not None:
            self.final_conv = nn.Conv2d(channels[-1], final[0], final[1], padding=final[1] // 2)
        self.scale = math.prod(strides)
        self.maps = channels[-1] if final is None else final[0]

    def forward(self, features: Tensor) -> Tensor:
        maps: Tensor = self.final_conv(self.deconv_layers(features))
        return maps

    def only_layer(self) -> nn.ConvTranspose2d | nn.Conv2d | None:
        """Return the layer if it is the only one and `CellReader` can replace it: transposed, or 1 x 1; else None."""
        layers = [*self.deconv_layers, *([] if isinstance(self.final_conv, nn.Identity) else [self.final_conv])]
        if len(layers) != 1 or not isinstance(layers[0], nn.ConvTranspose2d | nn.Conv2d):
            return None
        return layers[0] if isinstance(layers[0], nn.ConvTranspose2d) or layers[0].kernel_size == (1, 1) else None


class HeatmapHead(Head):
    """Heatmaps, and location refinements if any, decoded by `decode_heatmap`: one individual.

    `prepare` replaces the refinement layer with a `CellReader`, which computes only the cells that decoding needs.
    """

    def __init__(self, heatmap: Upsampling, locref: Upsampling | None, decoding: HeatmapDecoding) -> None:
        super().__init__()
        self.heatmap_head = heatmap
        self.locref_cells: CellReader | None = None
        if locref is not None:
            self.locref_head = locref
        self.decoding = decoding
        self.keypoints = heatmap.maps
        self.stride = decoding.stride

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        locref: Tensor | ReadCells | None = None
        if self.locref_cells is not None:
            locref = partial(self.locref_cells, features)
        elif self.decoding.locref_std is not None:
            locref = self.locref_head(features)
        return {"keypoints": decode_heatmap(self.heatmap_head(features), locref, self.decoding)}

    def prepare(self) -> None:
        if self.decoding.locref_std is None:
            return
        layer = self.locref_head.only_layer()
        if layer is not None:
            self.locref_cells = CellReader(layer)
            del self.locref_head


def build_heatmap_head(options: Mapping[str, Any], feature_stride: int) -> HeatmapHead:
    """Build the head from its part of a configuration; `feature_stride` in input pixels per cell."""
    predictor = options.get("predictor") or {}
    if predictor.get("type", "HeatmapPredictor") != "HeatmapPredictor":
        raise UnsupportedModelError(f"no predictor {predictor['type']!r} for a HeatmapHead: choose HeatmapPredictor")
    heatmap = build_upsampling(options.get("heatmap_config"), "heatmap_config")
    locref = build_upsampling(options["locref_config"], "locref_config") if options.get("locref_config") else None
    return HeatmapHead(heatmap, locref, HeatmapDecoding.from_head(options, stride=feature_stride / heatmap.scale))


def build_upsampling(options: Any, name: str, *, entry: int | None = None) -> Upsampling:
    """Build the layers of the `heatmap_config`, `locref_config` or `paf_config` called `name`.

    `entry` replaces the number of input channels, if the configuration does not give those of the layer.
    """
    try:
        final = options.get("final_conv")
        channels, kernels, strides = (
            tuple(int(number) for number in options.get(key) or ()) for key in ("channels", "kernel_size", "strides")
        )
        last = (int(final["out_channels"]), int(final["kernel_size"])) if final else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnsupportedModelError(f"a head's {name} is invalid ({error!r}): {options!r}") from None
    if not len(kernels) == len(strides) == len(channels) - 1 or min((*channels, *kernels, *strides)) < 1:
        raise UnsupportedModelError(
            f"a head's {name} has channels {channels}, kernel sizes {kernels} and strides {strides}; "
            "it needs one positive kernel size and stride for each step between channels"
        )
    return Upsampling((entry or channels[0], *channels[1:]), kernels, strides, last)
