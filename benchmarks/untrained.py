"""Model files of DeepLabCut's networks with random weights, for speed measurements without data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from dlclive_torch.network import build_network

from dlclive_core.deeplabcut.config import PoseConfig


def write_resnet_50(path: Path, keypoints: int) -> Path:
    """DeepLabCut's default network: a ResNet-50 with group normalisation, for whole images of one animal."""
    heads = {
        "type": "HeatmapHead",
        "predictor": {"type": "HeatmapPredictor", "location_refinement": True, "locref_std": 7.2801},
        "heatmap_config": {"channels": [2048, keypoints], "kernel_size": [3], "strides": [2]},
        "locref_config": {"channels": [2048, 2 * keypoints], "kernel_size": [3], "strides": [2]},
    }
    backbone = {"type": "ResNet", "model_name": "resnet50_gn", "output_stride": 16}
    return _write(path, "resnet_50", "bu", keypoints, ["individual_1"], backbone, heads, {})


def write_rtmpose_m(path: Path, keypoints: int, individuals: int) -> Path:
    """A top-down network for crops of 256 x 256."""
    heads = {
        "type": "RTMCCHead",
        "predictor": {"type": "SimCCPredictor", "simcc_split_ratio": 2.0},
        "input_size": [256, 256],
        "in_channels": 768,
        "out_channels": keypoints,
        "in_featuremap_size": [8, 8],
        "simcc_split_ratio": 2.0,
        "final_layer_kernel_size": 7,
        "gau_cfg": {"hidden_dims": 256, "s": 128, "expansion_factor": 2, "act_fn": "SiLU"},
    }
    backbone = {"type": "CSPNeXt", "model_name": "cspnext_m", "deepen_factor": 0.67, "widen_factor": 0.75}
    crop = {"top_down_crop": {"width": 256, "height": 256}}
    animals = [f"animal{number}" for number in range(individuals)]
    return _write(path, "rtmpose_m", "td", keypoints, animals, backbone, heads, crop)


def _write(
    path: Path,
    net_type: str,
    method: str,
    keypoints: int,
    individuals: list[str],
    backbone: dict[str, Any],
    head: dict[str, Any],
    inference: dict[str, Any],
) -> Path:
    config = {
        "net_type": net_type,
        "method": method,
        "metadata": {
            "bodyparts": [f"point{number}" for number in range(keypoints)],
            "unique_bodyparts": [],
            "individuals": individuals,
            "with_identity": False,
        },
        "data": {"colormode": "RGB", "inference": {"normalize_images": True, **inference}},
        "model": {"backbone": backbone, "neck": None, "heads": {"bodypart": head}},
    }
    torch.manual_seed(0)
    network = build_network(PoseConfig.from_mapping(config, where=path.name))
    torch.save({"config": config, "pose": network.state_dict()}, path)
    return path
