"""Model files for the tests: a small network built here, and the reference networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.network import build_network
from numpy.typing import NDArray
from torch import nn

from dlclive_core import ModelCard, Network
from dlclive_core.runtimes import PoseConfig
from tests.golden_cases import write_case

SHARED = Path(__file__).parents[4] / "shared"


def small_config() -> dict[str, Any]:
    """A DeepLabCut configuration of a CSPNeXt with an eighth of the channels and three keypoints."""
    return {
        "net_type": "cspnext_s",
        "method": "bu",
        "metadata": {
            "project_path": None,
            "pose_config_path": None,
            "bodyparts": ["snout", "paw", "tail"],
            "unique_bodyparts": [],
            "individuals": ["individual_1"],
            "with_identity": False,
        },
        "data": {"colormode": "RGB", "inference": {"normalize_images": True, "auto_padding": None}},
        "model": {
            "backbone": {
                "type": "CSPNeXt",
                "model_name": "cspnext_s",
                "deepen_factor": 0.33,
                "widen_factor": 0.125,
            },
            "backbone_output_channels": 128,
            "neck": None,
            "heads": {
                "bodypart": {
                    "type": "HeatmapHead",
                    "predictor": {
                        "type": "HeatmapPredictor",
                        "apply_sigmoid": False,
                        "clip_scores": True,
                        "location_refinement": True,
                        "locref_std": 7.2801,
                    },
                    "heatmap_config": {"channels": [128, 3], "kernel_size": [3], "strides": [2]},
                    "locref_config": {"channels": [128, 6], "kernel_size": [3], "strides": [2]},
                }
            },
        },
        "detector": None,
    }


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: on shared cores, several threads are slower by an order of magnitude."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config() -> dict[str, Any]:
    """A fresh copy of the small configuration."""
    return small_config()


@pytest.fixture(scope="session")
def small_weights() -> dict[str, torch.Tensor]:
    """Random weights for the small network; batch norm statistics come from noise, so that its maps are not flat."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build_network(PoseConfig.from_mapping(small_config(), where="a test"))
        graph = KeypointGraph(network, normalisation="imagenet").train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # cumulative average
        with torch.no_grad():
            for _ in range(4):
                graph(torch.randint(0, 256, (2, 96, 128, 3), dtype=torch.uint8))
            for name, value in network.heads.named_parameters():  # peaks between 0 and 1, refinements of a few pixels
                value.mul_(0.1 if name.endswith("weight") else 0.0)
                value.add_(0.3 if name.endswith("heatmap_head.deconv_layers.0.bias") else 0.0)
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.fixture(scope="session")
def small_export(tmp_path_factory: pytest.TempPathFactory, small_weights: dict[str, torch.Tensor]) -> Path:
    """An export of the small network."""
    path = tmp_path_factory.mktemp("small") / "small.pt"
    torch.save({"config": small_config(), "pose": small_weights}, path)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the reference networks and the open field."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no reference networks: the folder 'shared' is missing")
    return SHARED


@pytest.fixture
def golden_export(shared: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Write a reference network as an export: golden_export(case)."""

    def write(name: str) -> Path:
        path = tmp_path / f"{name}.pt"
        write_case(shared, name, path)
        return path

    return write


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image file."""
    cv2 = pytest.importorskip("cv2")
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


@pytest.fixture(scope="session")
def rgb() -> Callable[[Path], NDArray[np.uint8]]:
    """A reader of image files as (H, W, 3) uint8 RGB."""
    return read_rgb


class OnnxFile(Network):
    """An exported file on onnxruntime's CPU provider: a minimal runtime."""

    runtime = "onnxruntime"

    def __init__(self, path: Path) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.card = ModelCard.from_json(self.session.get_modelmeta().custom_metadata_map["dlclive.card"])
        self.outputs = [item.name for item in self.session.get_outputs()]

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        inputs = {"image": images} if conditions is None else {"image": images, "conditions": conditions}
        return dict(zip(self.outputs, self.session.run(self.outputs, inputs), strict=True))


@pytest.fixture(scope="session")
def onnx_file() -> type[OnnxFile]:
    """The class that runs an exported file."""
    return OnnxFile


@pytest.fixture
def noise() -> Callable[..., NDArray[np.uint8]]:
    """Random images: noise(height, width, seed=0)."""

    def make(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
        return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)

    return make
