"""Single cells of upsampled maps, compared with the full maps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dlclive_torch.cells import CellReader
from dlclive_torch.heads.heatmap import HeatmapHead, build_heatmap_head
from torch import nn


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (2, 2), (5, 3), (1, 1), (3, 1), (2, 3)])
def test_every_cell_matches_the_full_map(kernel: int, stride: int) -> None:
    """Includes strides larger than the kernel, which leave cells without input, and edges, where input is outside the map."""
    torch.manual_seed(1)
    layer = nn.ConvTranspose2d(7, 6, kernel, stride)
    features = torch.randn(2, 7, 4, 5)
    with torch.inference_mode():
        maps = layer(features)
        read = CellReader(layer)
        rows, columns = (axis.flatten() for axis in torch.meshgrid(*map(torch.arange, maps.shape[2:]), indexing="ij"))
        for row, column in zip(rows, columns, strict=True):
            # another cell for each keypoint and image
            cells = [
                (first + torch.arange(6).view(2, 3)) % size
                for first, size in ((row, maps.shape[2]), (column, maps.shape[3]))
            ]
            images, keypoints = torch.arange(2).view(2, 1), torch.arange(3)
            expected = maps.view(2, 3, 2, *maps.shape[2:])[images, keypoints, :, cells[0], cells[1]]
            torch.testing.assert_close(read(features, *cells), expected, rtol=0, atol=1e-5)


def test_a_1x1_convolution_and_a_layer_without_bias() -> None:
    features = torch.randn(1, 5, 4, 6)
    for layer in (nn.Conv2d(5, 4, 1), nn.ConvTranspose2d(5, 4, 3, 2, bias=False)):
        values = CellReader(layer)(features, torch.tensor([[3, 0]]), torch.tensor([[1, 5]]))
        maps = layer(features).view(2, 2, *layer(features).shape[2:])
        expected = torch.stack([maps[0, :, 3, 1], maps[1, :, 0, 5]])[None]
        torch.testing.assert_close(values, expected, rtol=0, atol=1e-5)


def test_half_precision_is_summed_in_float32() -> None:
    layer = nn.ConvTranspose2d(4096, 2, 1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    read, corner = CellReader(layer).half(), torch.zeros(1, 1, dtype=torch.int64)
    features = torch.ones(1, 4096, 1, 1).half()
    features[0, 0] = 2  # half precision cannot represent 4097
    assert read(features, corner, corner).tolist() == [[[4097.0, 4097.0]]]


HEADS: dict[str, dict[str, Any]] = {
    "deconvolution": {"channels": [8, 6], "kernel_size": [3], "strides": [2]},
    "1 x 1 convolution": {
        "channels": [8],
        "kernel_size": [],
        "strides": [],
        "final_conv": {"out_channels": 6, "kernel_size": 1},
    },
    "two deconvolutions": {"channels": [8, 5, 6], "kernel_size": [3, 3], "strides": [2, 2]},
    "3 x 3 convolution": {
        "channels": [8],
        "kernel_size": [],
        "strides": [],
        "final_conv": {"out_channels": 6, "kernel_size": 3},
    },
}


@pytest.mark.parametrize(("name", "replaced"), list(zip(HEADS, (True, True, False, False), strict=True)))
def test_preparing_a_head_replaces_a_single_refinement_layer_and_keeps_its_output(name: str, replaced: bool) -> None:
    torch.manual_seed(2)
    locref = HEADS[name]
    heatmap = {**locref, "channels": [*locref["channels"]]}
    if "final_conv" in heatmap:
        heatmap["final_conv"] = {**heatmap["final_conv"], "out_channels": 3}
    else:
        heatmap["channels"][-1] = 3
    predictor = {"type": "HeatmapPredictor", "location_refinement": True, "locref_std": 7.2801}
    options = {"predictor": predictor, "heatmap_config": heatmap, "locref_config": locref}
    head = build_heatmap_head(options, 16).eval()
    assert isinstance(head, HeatmapHead)
    features = torch.randn(3, 8, 5, 6)
    with torch.inference_mode():
        expected = head(features)["keypoints"]
        head.prepare()
        torch.testing.assert_close(head(features)["keypoints"], expected, rtol=0, atol=1e-4)
    assert (head.locref_cells is not None) == replaced
    assert hasattr(head, "locref_head") != replaced
