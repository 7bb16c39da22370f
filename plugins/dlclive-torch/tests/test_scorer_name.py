"""The scorer's name matches DeepLabCut's, if it can be derived."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from dlclive_torch.files.checkpoint import Checkpoint
from dlclive_torch.scorer import deeplabcut_scorer

from dlclive_core.runtimes import PoseConfig

TRAIN = "/data/reach-Ann-2025-01-01/dlc-models-pytorch/iteration-0/reachJan1-trainset95shuffle1/train"
WINDOWS = r"C:\data\reach-Ann-2025-01-01\dlc-models-pytorch\iteration-0\reachJan1-trainset95shuffle1\train"


def scorer(
    config: dict[str, Any],
    path: str,
    format: Literal["deeplabcut-export", "deeplabcut-snapshot"],
    net_type: str,
    detector: Path | None = None,
) -> str:
    config["net_type"] = net_type
    checkpoint = Checkpoint(path=Path(path), format=format, config=config, pose={}, detector=None, sha256="")
    return deeplabcut_scorer(PoseConfig.from_mapping(config, where="a test"), checkpoint, detector)


@pytest.mark.parametrize(
    ("net_type", "snapshot", "expected"),
    [
        ("resnet_50", "snapshot-best-190.pt", "DLC_Resnet50_reachJan1shuffle1_snapshot_best-190"),
        ("hrnet_w32", "snapshot-050.pt", "DLC_HrnetW32_reachJan1shuffle1_snapshot_50"),
    ],
)
def test_scorer_of_a_snapshot_comes_from_its_folder(
    config: dict[str, Any], net_type: str, snapshot: str, expected: str
) -> None:
    assert scorer(config, f"{TRAIN}/{snapshot}", "deeplabcut-snapshot", net_type) == expected


@pytest.mark.parametrize("folder", [TRAIN, WINDOWS])
def test_scorer_of_an_export_comes_from_the_path_of_its_configuration(config: dict[str, Any], folder: str) -> None:
    config["metadata"]["pose_config_path"] = f"{folder}/pytorch_config.yaml"
    name = "DLC_reach_resnet_50_iteration-0_shuffle-1_snapshot-best-050.pt"
    assert scorer(config, name, "deeplabcut-export", "resnet_50") == ("DLC_Resnet50_reachJan1shuffle1_snapshot_best-50")


@pytest.mark.parametrize(
    ("method", "detector", "expected"),
    [
        ("td", "snapshot-detector-250.pt", "DLC_RtmposeS_reachJan1shuffle1_detector_250_snapshot_best-190"),
        ("td", "snapshot-detector-best-007.pt", "DLC_RtmposeS_reachJan1shuffle1_detector_best-7_snapshot_best-190"),
        ("td", None, "DLC_RtmposeS_reachJan1shuffle1_snapshot_best-190"),
        ("bu", "snapshot-detector-250.pt", "DLC_RtmposeS_reachJan1shuffle1_snapshot_best-190"),
    ],
)
def test_a_detector_comes_before_the_snapshot(
    config: dict[str, Any], method: str, detector: str | None, expected: str
) -> None:
    config["method"] = method
    beside = None if detector is None else Path(TRAIN) / detector
    assert scorer(config, f"{TRAIN}/snapshot-best-190.pt", "deeplabcut-snapshot", "rtmpose_s", beside) == expected


def test_an_exports_name_ends_with_both_snapshots(config: dict[str, Any]) -> None:
    config["method"] = "td"
    config["metadata"]["pose_config_path"] = f"{TRAIN}/pytorch_config.yaml"
    name = "DLC_reach_rtmpose_s_iteration-0_shuffle-1_snapshot-detectorbest-250_snapshot-050.pt"
    expected = "DLC_RtmposeS_reachJan1shuffle1_detector_best-250_snapshot_50"
    assert scorer(config, name, "deeplabcut-export", "rtmpose_s") == expected


def test_scorer_falls_back_to_the_file_name(config: dict[str, Any]) -> None:
    assert scorer(config, "models/mouse.pt", "deeplabcut-export", "cspnext_s") == "DLC_CspnextS_mouse"
    assert scorer(config, "models/snapshot-010.pt", "deeplabcut-snapshot", "cspnext_s") == "DLC_CspnextS_snapshot-010"
