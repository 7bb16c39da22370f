"""Anchors, compared with hand-computed values and with torchvision's."""

from __future__ import annotations

import pytest
import torch
from dlclive_torch.detectors.anchors import cell_anchors, default_boxes, spread_anchors
from dlclive_torch.detectors.faster_rcnn import VARIANTS
from dlclive_torch.detectors.torchvision_layers import make_layers


def test_default_boxes_of_one_cell() -> None:
    """Scales 0.25 and 0.64 of 100 px: squares of 25 and sqrt(0.25 * 0.64) = 0.4; a ratio of 4 gives 50 by 12.5."""
    boxes = default_boxes((1,), (0.25, 0.64), (4.0,), 100)
    assert boxes.tolist() == [
        pytest.approx(box)
        for box in ([37.5, 37.5, 62.5, 62.5], [30, 30, 70, 70], [25, 43.75, 75, 56.25], [43.75, 25, 56.25, 75])
    ]


def test_default_boxes_are_in_row_order_and_no_larger_than_the_image() -> None:
    boxes = default_boxes((2, 1), (0.5, 0.5, 0.9), (4.0,), 8)
    assert boxes.shape == (5 * 4, 4)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert centres[::4].tolist() == [[2, 2], [6, 2], [2, 6], [6, 6], [4, 4]]
    assert boxes[2].tolist() == [-2, 1, 6, 3]  # 8 by 2 about (2, 2): as wide as the image, and over its border
    assert (boxes[:, 2:] - boxes[:, :2]).max() == 8


def test_anchors_of_one_point() -> None:
    """For a side of 32 and a ratio of 1/2, the box is 45.25 by 22.63; its halves 22.6 and 11.3 are rounded."""
    assert cell_anchors((32,), (0.5, 1.0, 2.0)).tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]


def test_anchors_are_spread_by_integer_steps() -> None:
    """For a map of 2 by 3 and an image of 70 by 96 pixels, the steps are 35 px down and 32 px right."""
    cell = torch.tensor([[-1.0, -2.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    boxes = spread_anchors(cell, (2, 3), (70, 96))
    assert boxes[1::2, :2].tolist() == [[0, 0], [32, 0], [64, 0], [0, 35], [32, 35], [64, 35]]
    assert boxes[-2].tolist() == [63, 33, 65, 37]
    assert spread_anchors(cell, (1, 13), (32, 800))[1::2, 0].tolist() == [61 * column for column in range(13)]


def test_anchors_of_ssdlite_match_torchvision() -> None:
    generator = make_layers("ssdlite320_mobilenet_v3_large", num_classes=2).anchor_generator
    grids = (20, 10, 5, 3, 2, 1)
    lists = pytest.importorskip("torchvision.models.detection.image_list")
    images = lists.ImageList(torch.zeros(1, 3, 320, 320), [(320, 320)])
    expected = generator(images, [torch.zeros(1, 1, grid, grid) for grid in grids])[0]
    boxes = default_boxes(grids, (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0), (2.0, 3.0), 320)
    torch.testing.assert_close(boxes, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("variant", ["fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn"])
def test_anchors_of_faster_rcnn_match_torchvision(variant: str) -> None:
    generator = make_layers(variant, num_classes=2).rpn.anchor_generator
    for sides, expected in zip(VARIANTS[variant].sides, generator.cell_anchors, strict=True):
        assert torch.equal(cell_anchors(sides, (0.5, 1.0, 2.0)), expected)
