"""Normalising images and decoding heatmaps in numpy, with numbers that can be computed by hand."""

import numpy as np
from dlclive_onnx.heatmap_decoding import decode_heatmaps, normalise

from dlclive_core.runtimes import HeatmapDecoding


def test_a_heatmap_is_decoded_as_by_hand() -> None:
    heatmaps, locref = np.zeros((1, 2, 5, 6), np.float32), np.zeros((1, 4, 5, 6), np.float32)
    heatmaps[0, 0, 3, 4] = 1.25  # above 1: clipped
    locref[0, 0, 3, 4], locref[0, 1, 3, 4] = 0.1, -0.2
    heatmaps[0, 1, 0, 0] = 0.5
    locref[0, 2, 0, 0], locref[0, 3, 0, 0] = 1, 2
    decoding = HeatmapDecoding(stride=8, locref_std=7.2801, clip_scores=True)
    keypoints = decode_heatmaps(heatmaps, locref, decoding)
    assert keypoints.shape == (1, 1, 2, 3)
    # 4 * 8 + 4 + 0.1 * 7.2801 = 36.72801; 3 * 8 + 4 - 0.2 * 7.2801 = 26.54398
    np.testing.assert_allclose(keypoints[0, 0, 0], [36.72801, 26.54398, 1], atol=1e-5)
    np.testing.assert_allclose(keypoints[0, 0, 1], [4 + 7.2801, 4 + 14.5602, 0.5], atol=1e-5)


def test_without_refinement_with_sigmoid_and_on_ties() -> None:
    heatmaps = np.zeros((1, 1, 2, 3), np.float32)
    heatmaps[0, 0, 0, 2] = heatmaps[0, 0, 1, 1] = 2.0  # the first one counts
    decoding = HeatmapDecoding(stride=4, locref_std=None, apply_sigmoid=True)
    np.testing.assert_allclose(
        decode_heatmaps(heatmaps, None, decoding)[0, 0, 0], [2 * 4 + 2, 2, 1 / (1 + np.exp(-2))], rtol=1e-6
    )


def test_normalisation() -> None:
    image = np.full((1, 1, 1, 3), 255, np.uint8)
    np.testing.assert_allclose(
        normalise(image, "imagenet").ravel(), (1 - np.asarray([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-6
    )
    assert normalise(image, "unit").ravel().tolist() == [1, 1, 1]
    assert normalise(image, "none").ravel().tolist() == [255, 255, 255]
