"""Multi-animal networks compared with the maps and scores of deeplabcut 3.0.2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from dlclive_torch.heads.dlcrnet import DLCRNetHead
from dlclive_torch.heads.heatmap import HeatmapHead
from dlclive_torch.heads.identity import IdentityHead
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.network import PoseNetwork
from numpy.typing import NDArray
from torch import Tensor

from dlclive_core import load_model
from dlclive_core.models.assembly.assemble import find_animals

CASES = ("paf_resnet_50", "paf_resnet_50_unique_identity", "dlcrnet_stride16_ms5", "dlcrnet_stride32_ms5")


@pytest.fixture(scope="module")
def image(shared: Path, rgb: Callable[[Path], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The region of the frame that the reference used."""
    return np.ascontiguousarray(rgb(shared / "openfield" / "frames" / "img0000.png")[160:320, 240:464])


def statistics(maps: Tensor) -> NDArray[np.float32]:
    """Return a map's shape, mean and standard deviation, as stored in the references."""
    return np.array([*maps.shape, maps.mean(), maps.std()], dtype=np.float32)


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_maps_and_affinities_match_deeplabcut(
    name: str, shared: Path, golden_export: Callable[[str], Path], image: NDArray[np.uint8]
) -> None:
    reference = np.load(shared / "golden" / "cases" / name / "poses.npz")
    expected = reference["bodypart.poses.0"][0]
    path = golden_export(name)

    graph = load_deeplabcut(path).graph
    network = cast("PoseNetwork", graph.network)
    head = network.heads["bodypart"]
    assert isinstance(head, DLCRNetHead)
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None] * graph.factor + graph.summand
        features = network.backbone(pixels)
        maps = dict(zip(("heatmap", "locref", "paf"), head.maps(features), strict=True))
        outputs = head(features)
    for kind, values in maps.items():
        np.testing.assert_allclose(statistics(values), reference[f"raw.bodypart.{kind}.0"], rtol=0, atol=1e-4)
    animals = find_animals(outputs["peaks"][0].numpy(), outputs["affinities"][0].numpy(), head.assembly)
    np.testing.assert_allclose([animal.strength for animal in animals], expected[:, 0, 4], rtol=0, atol=1e-3)


@pytest.mark.golden
@pytest.mark.slow
def test_identity_matches_deeplabcut(
    shared: Path, golden_export: Callable[[str], Path], image: NDArray[np.uint8]
) -> None:
    name = "paf_resnet_50_unique_identity"
    reference = np.load(shared / "golden" / "cases" / name / "poses.npz")
    enlarged = reference["identity.heatmap.0"][0]
    path = golden_export(name)

    graph = load_deeplabcut(path).graph
    network = cast("PoseNetwork", graph.network)
    unique, identity = network.heads["unique_bodypart"], network.heads["identity"]
    assert isinstance(unique, HeatmapHead)
    assert isinstance(identity, IdentityHead)
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None] * graph.factor + graph.summand
        features = network.backbone(pixels)
        maps = identity(features)
        peaks = network.heads["bodypart"](features)["peaks"]
        scores = identity.scores(maps, peaks)[0].numpy()
    np.testing.assert_allclose(statistics(maps), reference["raw.identity.heatmap.0"], rtol=0, atol=1e-4)
    x, y = (peaks[0, :, :, axis].round().long().numpy() for axis in (0, 1))
    height, width = enlarged.shape[:2]
    expected = enlarged[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-4)

    pose = load_model(path, "torch", device="cpu").predict(image)
    assert pose.ids == ("m1", "m2", "m3")
    # deeplabcut's post-processing puts its second animal first: the x of its first keypoint is the smallest.
    assert int(np.argmin(pose.keypoints[:, 0, 0])) == 0
