"""The network that ships with the core finds the mouse in clips that it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlclive_core import ModelCard
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource

ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime to run the network")

SEEDS = range(40, 52)  # training uses seeds from 1,000,000, validation from 500,000


@pytest.fixture(scope="module")
def network() -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    return ort.InferenceSession(str(MODEL), sess_options=options, providers=["CPUExecutionProvider"])


def compare(network: Any, size: tuple[int, int], seeds: range = SEEDS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Error in pixels, confidence and visibility of all keypoints, for some frames of each clip."""
    predicted, truth = [], []
    for seed in seeds:
        source = MouseSource(seed=seed, frames=300, size=size)
        for index in range(0, 300, 60):
            predicted.append(network.run(["keypoints"], {"image": source.render(index)[None]})[0][0, 0])
            truth.append(source.truth(index))
    a, b = np.stack(predicted), np.stack(truth)
    return np.linalg.norm(a[..., :2] - b[..., :2], axis=2), a[..., 2], b[..., 2] > 0


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (480, 360), (333, 251)])
def test_the_error_is_at_most_two_pixels(network: Any, size: tuple[int, int]) -> None:
    error, confidence, visible = compare(network, size)
    assert np.sqrt(np.mean(error[visible] ** 2)) <= 2.0
    assert np.median(error[visible]) <= 1.0
    assert np.median(confidence[visible]) > 0.6
    assert (confidence >= 0).all()
    assert (confidence <= 1).all()


def test_hidden_keypoints_have_a_lower_confidence(network: Any) -> None:
    seeds = [seed for seed in range(40) if hidden_frames(seed)]
    visible_confidences, hidden_confidences = [], []
    for seed in seeds:
        source = MouseSource(seed=seed, frames=300)
        for index in hidden_frames(seed):
            confidence = network.run(["keypoints"], {"image": source.render(index)[None]})[0][0, 0, :, 2]
            visible = source.truth(index)[:, 2] > 0
            visible_confidences.extend(confidence[visible])
            hidden_confidences.extend(confidence[~visible])
    assert len(hidden_confidences) > 10
    assert np.median(hidden_confidences) < 0.5 * np.median(visible_confidences)


def hidden_frames(seed: int) -> list[int]:
    """Up to four frames of a clip in which a keypoint is hidden."""
    source = MouseSource(seed=seed, frames=300)
    return [index for index in range(0, 300, 10) if (source.truth(index)[:, 2] == 0).any()][:4]


def test_a_batch_returns_the_same_poses_as_single_images(network: Any) -> None:
    source = MouseSource(seed=50, frames=3)
    images = np.stack([source.render(index) for index in range(3)])
    batch = network.run(["keypoints"], {"image": images})[0]
    single = np.concatenate([network.run(["keypoints"], {"image": image[None]})[0] for image in images])
    assert batch.shape == (3, 1, len(source.skeleton), 3)
    assert np.abs(batch - single).max() < 0.05


def test_the_file_is_small_and_contains_the_card(network: Any) -> None:
    assert MODEL.stat().st_size < 3_000_000
    card = ModelCard.from_json(network.get_modelmeta().custom_metadata_map["dlclive.card"])
    assert card.skeleton == MouseSource(frames=1).skeleton
    assert card.format == "onnx"
    assert card.input_size is None
    assert len(card.source_sha256) == 64
