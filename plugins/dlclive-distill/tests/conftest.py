"""Small teachers with random weights, whose confidence is set, and films of the rendered mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from dlclive_distill.training import guard_fitting
from dlclive_torch.network import build_network

from dlclive_core.demo.source import MouseSource
from dlclive_core.runtimes import PoseConfig

NAMES = ("snout", "leftear", "rightear", "tailbase", "tail", "paw")
SIZE = (160, 128)
"""(width, height): a multiple of the teacher's stride."""

MakeTeacher = Callable[..., Path]
Film = Callable[..., Path]


def config(names: Sequence[str] = NAMES, individuals: Sequence[str] = ("individual_1",)) -> dict[str, Any]:
    """A DeepLabCut configuration of a CSPNeXt with an eighth of the channels, whose maps have a stride of 16 px."""
    return {
        "net_type": "cspnext_s",
        "method": "bu",
        "metadata": {
            "project_path": None,
            "pose_config_path": None,
            "bodyparts": list(names),
            "unique_bodyparts": [],
            "individuals": list(individuals),
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
                        "apply_sigmoid": True,
                        "clip_scores": True,
                        "location_refinement": False,
                    },
                    "heatmap_config": {"channels": [128, len(names)], "kernel_size": [2], "strides": [2]},
                }
            },
        },
        "detector": None,
    }


def config_of_several(animals: int = 2, *, identity: bool = False) -> dict[str, Any]:
    """As `config`, with a DEKR head for several animals."""
    values = config(NAMES, [f"mouse{number + 1}" for number in range(animals)])
    heads: dict[str, Any] = {
        "bodypart": {
            "type": "DEKRHead",
            "predictor": {"type": "DEKRPredictor", "num_animals": animals, "keypoint_score_type": "center"},
            "heatmap_config": {"channels": [128, 8, len(NAMES) + 1], "num_blocks": 1},
            "offset_config": {
                "channels": [128, 4 * len(NAMES), len(NAMES)],
                "num_offset_per_kpt": 4,
                "num_blocks": 1,
            },
        }
    }
    if identity:
        heads["identity"] = {
            "type": "HeatmapHead",
            "predictor": {"type": "IdentityPredictor", "apply_sigmoid": True},
            "heatmap_config": {"channels": [128, animals], "kernel_size": [3], "strides": [2]},
        }
    values["metadata"]["with_identity"] = identity
    values["model"]["heads"] = heads
    return values


@pytest.fixture(scope="session")
def make_several() -> MakeTeacher:
    """Write an export of a network for several animals: make_several(path, animals=2, identity=False): it is always sure."""

    def make(path: Path, animals: int = 2, *, identity: bool = False) -> Path:
        values = config_of_several(animals, identity=identity)
        with torch.random.fork_rng():
            torch.manual_seed(2)
            network = build_network(PoseConfig.from_mapping(values, where="a test"))
            with torch.no_grad():
                network.get_parameter("heads.bodypart.heatmap_head.head_heatmap.1.bias").fill_(3.0)
                network.get_parameter("heads.bodypart.heatmap_head.head_heatmap.1.weight").mul_(0.2)
            torch.save({"config": values, "pose": network.state_dict()}, path)
        return path

    return make


@pytest.fixture(scope="session")
def several_file(make_several: MakeTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher of two animals."""
    return make_several(tmp_path_factory.mktemp("several") / "mice.pt")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: on shared cores, several threads are slower by an order of magnitude."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def _small_guard() -> Iterator[None]:
    """Fit guards to few frames: its limits are tested for themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard_fitting, "_DAMAGED", 40)
        yield


@pytest.fixture(scope="session")
def make_teacher() -> MakeTeacher:
    """Write an export: make_teacher(path, sure=6, low=-6.0, high=2.0, seed=1): the first `sure` keypoints have high logits."""

    def make(path: Path, *, sure: int = len(NAMES), low: float = -6.0, high: float = 2.0, seed: int = 1) -> Path:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = build_network(PoseConfig.from_mapping(config(), where="a test"))
            with torch.no_grad():
                bias = network.get_parameter("heads.bodypart.heatmap_head.deconv_layers.0.bias")
                bias[:sure], bias[sure:] = high, low
                weight = network.get_parameter("heads.bodypart.heatmap_head.deconv_layers.0.weight")
                weight.mul_(0.2)
            torch.save({"config": config(), "pose": network.state_dict()}, path)
        return path

    return make


@pytest.fixture(scope="session")
def teacher_file(make_teacher: MakeTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher that is sure of all keypoints."""
    return make_teacher(tmp_path_factory.mktemp("teacher") / "teacher.pt")


@pytest.fixture(scope="session")
def film() -> Film:
    """Write a film of the rendered mouse: film(path, frames=200, size=SIZE, seed=0)."""

    def make(path: Path, frames: int = 200, size: tuple[int, int] = SIZE, seed: int = 0) -> Path:
        with av.open(str(path), "w") as file, MouseSource(seed=seed, frames=frames, size=size, fps=30.0) as mouse:
            stream = file.add_stream("mpeg4", rate=30)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.gop_size = 10
            for number in range(frames):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(mouse.render(number)), format="rgb24")
                file.mux(stream.encode(picture))
            file.mux(stream.encode(None))
        return path

    return make


@pytest.fixture(scope="session")
def clip(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 frames: 130 to learn from, a gap of 30, and 40 to judge on."""
    return film(tmp_path_factory.mktemp("film") / "mouse.mp4")
