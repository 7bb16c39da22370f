"""Configurations in model files that ask for networks of any size, or that are of another model than the weights."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from dlclive_core import ModelError, load_model


def change(config: dict[str, Any], path: str, value: Any) -> None:
    inner: Any = config
    *parents, last = path.split(".")
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value


HEATMAP = "model.heads.bodypart.heatmap_config"
HOSTILE: list[tuple[str, Any, str]] = [
    (f"{HEATMAP}.channels", [10**9, 3], "is 1000000000; 65536 is the most"),
    (f"{HEATMAP}.channels", [65_536, 65_536, 3], "needs one positive kernel size"),
    (f"{HEATMAP}.channels", list(range(1, 100)), "channels has 99 entries; 64 is the most"),
    (f"{HEATMAP}.kernel_size", [10**6], "kernel_size.* is 1000000; 255 is the most"),
    (f"{HEATMAP}.strides", [4096], "strides.* is 4096; 16 is the most"),
    (f"{HEATMAP}.strides", [float("inf")], "strides.* is inf"),
    (f"{HEATMAP}.final_conv", {"out_channels": 10**9, "kernel_size": 1}, "out_channels is 1000000000"),
    ("model.backbone.widen_factor", 1e9, r"widen_factor is 1000000000\.0; 8 is the most"),
    ("model.backbone.widen_factor", 8, "do not match the network"),
    ("model.backbone.deepen_factor", 1e9, "deepen_factor is"),
    ("model.backbone.widen_factor", float("nan"), "widen_factor is nan"),
    ("model.backbone.widen_factor", 10**400, "widen_factor is 1000"),
    ("model.backbone.widen_factor", [1], "is invalid .TypeError"),
    ("model.backbone", [], "no backbone"),
    ("metadata.bodyparts", [f"k{n}" for n in range(50)], r"names 50 keypoints .bodypart., and its network finds"),
    ("metadata.bodyparts", ["a"], r"names 1 keypoints .bodypart., and its network finds"),
    ("metadata.bodyparts", [f"k{n}" for n in range(2000)], "bodyparts: 2000 names; 1000 is the most"),
    ("metadata.bodyparts", "snout", "bodyparts must be a list of names, not str"),
    ("metadata.bodyparts", [None, "b"], r"bodyparts\[0\] must be text, not NoneType"),
    ("metadata.bodyparts", ["a\x1b[2J", "b"], r"bodyparts\[0\] contains a control character"),
    ("metadata.bodyparts", ["a", "a"], "bodyparts must be unique; repeated: a"),
    ("metadata.individuals", 5, "individuals must be a list of names, not int"),
    ("metadata.individuals", [f"i{n}" for n in range(2000)], "individuals: 2000 names"),
    ("data.inference.auto_padding", {"pad_height_divisor": 10**9}, "pad_height_divisor is 1000000000"),
    ("data.inference.top_down_crop", {"height": "x", "width": 1}, "whole number of pixels from 1 to 16384"),
    ("data.bbox_margin", [], "cannot be understood"),
    ("net_type", "a\x1b[2Jb", "net_type contains a control character"),
]


@pytest.mark.parametrize(("path", "value", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_configuration_is_a_model_error_in_no_time(
    config: dict[str, Any], small_weights: dict[str, torch.Tensor], tmp_path: Path, path: str, value: Any, message: str
) -> None:
    change(config, path, value)
    file = tmp_path / "model.pt"
    torch.save({"config": config, "pose": small_weights}, file)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ModelError, match=message) as refused:
        load_model(file, "torch")
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 3
    assert time.monotonic() - began < 30  # a tenth of a second where nothing else runs
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < 500
