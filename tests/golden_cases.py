"""The reference networks, as files of their own."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

CASES = (
    "animaltokenpose_base",
    "cspnext_m",
    "cspnext_s",
    "cspnext_x",
    "ctd_coam_w32",
    "ctd_coam_w48",
    "ctd_prenet_hrnet_w32",
    "ctd_prenet_hrnet_w48",
    "ctd_prenet_rtmpose_m",
    "ctd_prenet_rtmpose_s",
    "ctd_prenet_rtmpose_x",
    "dekr_w18",
    "dekr_w32",
    "dekr_w48",
    "dlcrnet_stride16_ms5",
    "dlcrnet_stride32_ms5",
    "hrnet_w18",
    "hrnet_w32",
    "hrnet_w48",
    "paf_resnet_50",
    "paf_resnet_50_unique_identity",
    "resnet_101",
    "resnet_50",
    "rtmpose_m",
    "rtmpose_s",
    "rtmpose_s_fasterrcnn_mobilenet",
    "rtmpose_s_fasterrcnn_resnet50",
    "rtmpose_x",
    "top_down_cspnext_m",
    "top_down_hrnet_w32",
    "top_down_resnet_50",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A reference network.

    Attributes:
        path: its export, without a detector.
        image: (H, W, 3) uint8 RGB that the reference was given.
        keypoints: (N, K, 3) its answer, not found NaN, NaN, 0.
        unique: (U, 3), None where it has none.
        conditions: (N, K, 3) that it was given, None for networks that take none.
    """

    name: str
    path: Path
    image: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    unique: NDArray[np.float32] | None
    conditions: NDArray[np.float32] | None


def read_case(shared: Path, name: str, folder: Path) -> Case:
    """Make the file of a reference network in a folder, and read its answers."""
    cv2 = pytest.importorskip("cv2", reason="the image of the reference networks is read by OpenCV")
    config = write_case(shared, name, folder / f"{name}.pt")
    answers = np.load(shared / "golden" / "cases" / name / "poses.npz")
    image = np.ascontiguousarray(cv2.imread(str(shared / "openfield" / "frames" / "img0000.png"))[:, :, ::-1])
    crop = config["data"]["inference"].get("top_down_crop")
    if crop:
        image = cv2.resize(image, (crop["width"], crop["height"]))
    elif name.startswith(("paf", "dlcrnet", "dekr")):
        image = np.ascontiguousarray(image[160:320, 240:464])
    poses = answers["bodypart.poses.0"]
    keypoints = (poses[:, 0] if crop else poses[0])[..., :3].copy()
    keypoints[(keypoints == -1).all(axis=-1)] = (np.nan, np.nan, 0)
    unique = answers["unique_bodypart.poses.0"][0, 0] if "unique_bodypart.poses.0" in answers else None
    conditions = answers["cond_kpts.0"][:, 0] if "cond_kpts.0" in answers else None
    return Case(name, folder / f"{name}.pt", image, keypoints, unique, conditions)


def read_rgb_frames(shared: Path, count: int) -> list[NDArray[np.uint8]]:
    """The first labelled frames of the open field, 640 x 480."""
    cv2 = pytest.importorskip("cv2", reason="the images of the reference networks are read by OpenCV")
    files = sorted((shared / "openfield" / "frames").glob("*.png"))[:count]
    return [np.ascontiguousarray(cv2.imread(str(file))[:, :, ::-1]) for file in files]


def write_case(shared: Path, name: str, path: Path) -> dict[str, Any]:
    """Write a reference network as an export, without a detector; return its configuration."""
    folder = shared / "golden" / "cases" / name
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    statistics = folder / "statistics.npz"
    overrides = dict(np.load(statistics)) if statistics.is_file() else {}
    weights = fill(shared)(manifest["pose"], overrides)
    pose = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    torch.save({"config": manifest["config"], "pose": pose}, path)
    return manifest["config"]  # type: ignore[no-any-return]


def fill(shared: Path) -> Callable[..., dict[str, NDArray[Any]]]:
    """The function that makes the weights of a reference network: fill(manifest, overrides)."""
    spec = importlib.util.spec_from_file_location("golden_weights", shared / "golden" / "weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill  # type: ignore[no-any-return]
