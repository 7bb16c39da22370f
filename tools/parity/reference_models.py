"""Creates a network's project, weights and model file, and DeepLabCut's results for it. Needs deeplabcut."""

from __future__ import annotations

import json
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deeplabcut.pose_estimation_pytorch.config import PoseConfig
from deeplabcut.pose_estimation_pytorch.models.model import PoseModel
from numpy.typing import NDArray

from tools.parity import scenes
from tools.parity.cases import KEYPOINTS, UNIQUE, Case
from tools.parity.deeplabcut_results import boxes, detector_runner, pose_runner, poses, poses_in_boxes
from tools.parity.detectors import build, make_confident
from tools.parity.fitted_weights import fit
from tools.parity.projects import DETECTOR, POSE, Project
from tools.parity.scenes import Scene
from tools.parity.stability import difference, jolted

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PATCH_AT = (160, 200)
"""The row and column of the patch in the frames."""
SEEDS = 3
"""The number of random weights to try until a result is stable under rounding."""
STABLE_PX, STABLE_CONFIDENCE, STABLE_BOXES_PX = 0.005, 5e-4, 0.1


class ReferenceMaker:
    """Makes a DeepLabCut network in a folder.

    Args:
        case: the network.
        frames: (3, 480, 640, 3) RGB.
        folder: the folder for `project/`, `results.npz`, `frames.npz` and `report.json`.
    """

    def __init__(self, case: Case, frames: NDArray[np.uint8], folder: Path) -> None:
        self.case, self.frames, self.folder = case, frames, folder
        self.project = Project(case, folder / "project")
        self.config = self.project.build()
        self.report: dict[str, Any] = {"case": case.name, "notes": correct(self.config, self.project)}
        self.results: dict[str, NDArray[Any]] = {}

    def make(self) -> dict[str, Any]:
        """Make everything, and return the report."""
        began = time.perf_counter()
        for seed in range(SEEDS):
            runner, images = self._pose(seed)
            if self.report["wobble_px"] <= STABLE_PX and self.report["wobble_confidence"] <= STABLE_CONFIDENCE:
                break
        for seed in range(SEEDS if self.case.detector else 0):
            self._detector(seed, images)
            if self.report["wobble_boxes_px"] <= STABLE_BOXES_PX:
                break
        if self.case.detector:
            self.results["whole.0"] = poses_in_boxes(runner, images[0], self.results["detected.0"])
        self.report["model"] = str(self.project.model(self.config))
        np.savez(self.folder / "results.npz", **self.results)
        np.savez(self.folder / "frames.npz", frames=np.stack(images))
        self.report["seconds"] = round(time.perf_counter() - began, 1)
        (self.folder / "report.json").write_text(json.dumps(self.report, indent=1))
        return self.report

    def _pose(self, seed: int) -> tuple[Any, list[NDArray[np.uint8]]]:
        """Make the pose network of a seed; return DeepLabCut's runner of it, and its input images."""
        torch.manual_seed(zlib.crc32(self.case.net_type.encode()) + seed)
        model = PoseModel.build(self.config["model"].to_dict())
        patch = scenes.PATCH if model.get_stride("bodypart") > 1 else scenes.SMALL_PATCH
        frame_scenes = _scenes(self.case, self.config, patch)
        images = list(self.frames[: len(frame_scenes)])
        if self.case.method == "bu":
            images = [_cut(frame, patch) for frame in images]
        _fit(model, self.config, images, frame_scenes)
        self.project.save(POSE, model.state_dict())
        runner = pose_runner(PoseConfig.from_yaml(self.project.pose_path), self.project.train / POSE)
        results = poses(runner, images, frame_scenes)
        with jolted(runner.model):
            again = poses(runner, images, frame_scenes)
        for name, part in (("wobble_px", slice(0, 2)), ("wobble_confidence", slice(2, 3))):
            pairs = zip(results, again, strict=True)
            self.report[name] = max(difference(a["poses"][..., part], b["poses"][..., part]) for a, b in pairs)
        for index, (result, scene) in enumerate(zip(results, frame_scenes, strict=True)):
            result |= {"boxes": scene.boxes, "conditions": scene.conditions}
            self.results |= {f"{key}.{index}": value for key, value in result.items()}
        return runner, images

    def _detector(self, seed: int, images: list[NDArray[np.uint8]]) -> None:
        torch.manual_seed(zlib.crc32(str(self.case.detector).encode()) + seed)
        detector = build(self.config["detector"]["model"])
        make_confident(detector, _normalised(images))
        self.project.save(DETECTOR, detector.state_dict())
        runner = detector_runner(self.config, self.project.train / DETECTOR)
        detections = self.results["detected.0"] = boxes(runner, images[0])
        with jolted(runner.model):
            again = boxes(runner, images[0])
        self.report["wobble_boxes_px"] = difference(detections[:, :4], again[:, :4])


def correct(config: PoseConfig, project: Project) -> list[str]:
    """Correct a crop size in the configuration that DeepLabCut's own network cannot process; return notes about it."""
    part, crop = config["model"], config["data"]["inference"]["top_down_crop"]
    height_width = part["backbone"].get("img_size")
    size = part["heads"]["bodypart"].get("input_size") or (height_width and height_width[::-1])  # (width, height)
    if crop is None or size is None or (crop["width"], crop["height"]) == tuple(size):
        return []
    note = f"crop {crop['width']}x{crop['height']} as written cannot run, corrected to {size[0]}x{size[1]}"
    crop["width"], crop["height"] = size
    config.to_yaml(project.pose_path, overwrite=True)
    return [note]


def _scenes(case: Case, config: PoseConfig, patch: tuple[int, int]) -> list[Scene]:
    seeds = range(scenes.FRAMES if case.method == "bu" else scenes.FRAMES_CUT)
    crop = config["data"]["inference"]["top_down_crop"]
    if crop is None:
        individuals = len(config["metadata"]["individuals"])
        unique = len(UNIQUE) * case.unique
        return [scenes.bottom_up(seed, patch, individuals, len(KEYPOINTS), unique) for seed in seeds]
    size = crop["height"], crop["width"]
    if case.method == "td":
        return [scenes.top_down(seed, size, len(KEYPOINTS)) for seed in seeds]
    return [scenes.conditional(seed, size, len(KEYPOINTS), config["data"]["bbox_margin"]) for seed in seeds]


def _fit(model: PoseModel, config: PoseConfig, images: list[NDArray[np.uint8]], frame_scenes: list[Scene]) -> None:
    pairs = zip(images, frame_scenes, strict=True)
    cut = [image[int(y) : int(v), int(x) : int(u)] for image, scene in pairs for x, y, u, v in scene.boxes]
    conditions = {}
    if len(frame_scenes[0].conditions):
        within = np.concatenate([scene.conditions - _corners(scene.boxes) for scene in frame_scenes])
        within[within[..., 2] == 0] = 0
        conditions["cond_kpts"] = within[:, None]
    fit(model, _normalised(cut or images), frame_scenes, bool(config["with_center_keypoints"]), **conditions)


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 1, 3): the offsets of x, y and confidence into the box."""
    return np.concatenate([boxes[:, :2], np.zeros((len(boxes), 1), np.float32)], axis=1)[:, None]


def _cut(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    row, column = PATCH_AT
    return np.ascontiguousarray(frame[row : row + size[0], column : column + size[1]])


def _normalised(images: list[NDArray[np.uint8]]) -> torch.Tensor:
    scaled = (np.stack(images) / 255 - MEAN) / STD
    return torch.from_numpy(scaled.astype(np.float32)).permute(0, 3, 1, 2)
