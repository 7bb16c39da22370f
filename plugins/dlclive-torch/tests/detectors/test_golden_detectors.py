"""Detectors compared with deeplabcut 3.0.2."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from dlclive_torch.detectors.build import build_detector, fill_detector
from dlclive_torch.detectors.graph import DetectorGraph
from numpy.typing import NDArray

CASES = ("rtmpose_s", "rtmpose_s_fasterrcnn_mobilenet", "rtmpose_s_fasterrcnn_resnet50")


def _weights_module(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_weights", shared / "golden" / "weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _graph(shared: Path, case: str) -> DetectorGraph:
    folder = shared / "golden" / "cases" / case
    manifest = json.loads((folder / "manifest.json").read_text())
    with np.load(folder / "statistics.npz") as stored:
        statistics = {
            name.removeprefix("detector/"): value for name, value in stored.items() if name.startswith("detector/")
        }
    weights = _weights_module(shared).fill(manifest["detector"], statistics)
    # The reference detectors received values between 0 and 1; models receive values normalised as for ImageNet.
    graph = build_detector(manifest["config"]["detector"], "unit")
    fill_detector(graph, {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}, folder)
    return graph


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_matches_deeplabcut(shared: Path, rgb: object, case: str) -> None:
    """Every box is within half a pixel, half of them within a hundredth: the weights are untrained, and box sizes are
    exp() of the output.
    """
    assert callable(rgb)
    image: NDArray[np.uint8] = rgb(shared / "openfield" / "frames" / "img0000.png")
    answers = np.load(shared / "golden" / "cases" / case / "poses.npz")
    expected, scores = answers["detector.boxes.0"], answers["detector.scores.0"]
    with torch.inference_mode():
        detections = {
            name: value.numpy() for name, value in _graph(shared, case)(torch.from_numpy(image)[None]).items()
        }
    assert detections["boxes"].shape == expected.shape
    assert (answers["detector.labels.0"] == 1).all()
    if not len(expected):
        return
    distances = np.abs(detections["boxes"][:, None] - expected[None]).max(axis=2)
    best = distances.argmin(axis=0)
    nearest = distances.min(axis=0)
    assert nearest.max() < 0.5
    assert np.median(nearest) < 0.01
    np.testing.assert_allclose(detections["scores"][best], scores, rtol=0, atol=2e-3)
