"""The reference: real model files of DeepLabCut 3.0.2, and what it answers for some frames.

    python tests/parity/reference.py FRAMES.npz OUT [network ...]

Runs where deeplabcut 3.0.2 is installed. FRAMES.npz holds `frames` (3, 480, 640, 3) uint8 RGB; without that file noise
is used. For each network of `cases.py`, or for those named, OUT/<name>/ holds

    model files     as deeplabcut.export_model writes them, or a training folder
    frames.npz      the frames as the network gets them
    answers.npz     boxes and conditions that it was asked about, and the poses
    report.json     where the model is, and what must be known about it

`serve` does the same, one network at a time, for another process; see `partner.py`.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import partner
import scenes
import torch
from answering import Answer, boxes, detector_runner, pose_runner, poses, whole
from cases import KEYPOINTS, UNIQUE, Case, choose
from deeplabcut.pose_estimation_pytorch.config import PoseConfig
from deeplabcut.pose_estimation_pytorch.models.model import PoseModel
from detecting import build, decide
from fitting import fit
from numpy.typing import NDArray
from projects import DETECTOR, POSE, Project
from scenes import Scene

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WOBBLE = 1e-6
"""Relative change of all weights, of the size of float32's rounding, that must leave a decided answer as it is."""
PATCH_AT = (160, 200)
"""Row and column of the patch in the frames."""


def make(case: Case, frames: NDArray[np.uint8], folder: Path) -> dict[str, Any]:
    """Make the model of a case and its answers in `folder`, and report on it."""
    began = time.perf_counter()
    torch.manual_seed(zlib.crc32(case.net_type.encode()))
    project = Project(case, folder / "project")
    config = project.build()
    notes = correct(config, project)
    asked = _scenes(case, config)
    images = list(frames) if case.method != "bu" else [_patch(frame) for frame in frames]
    model = PoseModel.build(config["model"].to_dict())
    _fit(model, config, images, asked)
    detector = build(config["detector"]["model"]) if case.detector else None
    if detector is not None:
        decide(detector, _normalised(images))
    project.save(model.state_dict(), detector and detector.state_dict())
    path = project.model(config)

    runner = pose_runner(PoseConfig.from_yaml(project.pose_path), project.train / POSE)
    answers = poses(runner, images, asked)
    found = {f"{key}.{index}": value for index, answer in enumerate(answers) for key, value in answer.items()}
    report = {
        "case": case.name,
        "model": str(path),
        "notes": notes,
        "wobble_px": wobble(runner, images, asked, answers),
    }
    if detector is not None:
        finder = detector_runner(config, project.train / DETECTOR)
        found["detected.0"] = boxes(finder, images[0])
        found["whole.0"] = whole(runner, images[0], found["detected.0"])
        with jolted(finder.model):
            again = boxes(finder, images[0])
        report["wobble_boxes_px"] = difference(found["detected.0"][:, :4], again[:, :4])
    for index, scene in enumerate(asked):
        found |= {f"boxes.{index}": scene.boxes, f"conditions.{index}": scene.conditions}
    np.savez(folder / "answers.npz", **found)
    np.savez(folder / "frames.npz", frames=np.stack(images))
    report["seconds"] = round(time.perf_counter() - began, 1)
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    return report


def correct(config: PoseConfig, project: Project) -> list[str]:
    """Where DeepLabCut writes a crop that its own network cannot take, write the right one, and say so."""
    part, crop = config["model"], config["data"]["inference"]["top_down_crop"]
    height_width = part["backbone"].get("img_size")
    size = part["heads"]["bodypart"].get("input_size") or (height_width and height_width[::-1])  # (width, height)
    if crop is None or size is None or (crop["width"], crop["height"]) == tuple(size):
        return []
    note = f"crop {crop['width']}x{crop['height']} as written cannot run, corrected to {size[0]}x{size[1]}"
    crop["width"], crop["height"] = size
    config.to_yaml(project.pose_path, overwrite=True)
    return [note]


def _scenes(case: Case, config: PoseConfig) -> list[Scene]:
    seeds = range(scenes.FRAMES)
    crop = config["data"]["inference"]["top_down_crop"]
    if crop is None:
        individuals = len(config["metadata"]["individuals"])
        return [scenes.bottom_up(seed, individuals, len(KEYPOINTS), len(UNIQUE) * case.unique) for seed in seeds]
    size = crop["height"], crop["width"]
    if case.method == "td":
        return [scenes.top_down(seed, size, len(KEYPOINTS)) for seed in seeds]
    return [scenes.conditional(seed, size, len(KEYPOINTS), config["data"]["bbox_margin"]) for seed in seeds]


def _fit(model: PoseModel, config: PoseConfig, images: list[NDArray[np.uint8]], asked: list[Scene]) -> None:
    pairs = zip(images, asked, strict=True)
    cut = [image[int(y) : int(v), int(x) : int(u)] for image, scene in pairs for x, y, u, v in scene.boxes]
    conditions = {}
    if len(asked[0].conditions):
        within = np.concatenate([scene.conditions - _corners(scene.boxes) for scene in asked])
        within[within[..., 2] == 0] = 0
        conditions["cond_kpts"] = within[:, None]
    fit(model, _normalised(cut or images), asked, bool(config["with_center_keypoints"]), **conditions)


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 1, 3): what moves x, y, confidence into the box."""
    return np.concatenate([boxes[:, :2], np.zeros((len(boxes), 1), np.float32)], axis=1)[:, None]


def _patch(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    row, column = PATCH_AT
    return np.ascontiguousarray(frame[row : row + scenes.PATCH[0], column : column + scenes.PATCH[1]])


def _normalised(images: list[NDArray[np.uint8]]) -> torch.Tensor:
    scaled = (np.stack(images) / 255 - MEAN) / STD
    return torch.from_numpy(scaled.astype(np.float32)).permute(0, 3, 1, 2)


def wobble(runner: Any, images: list[NDArray[np.uint8]], asked: list[Scene], answers: list[Answer]) -> float:
    """How far DeepLabCut's own poses move when its weights change by rounding, in pixels."""
    with jolted(runner.model):
        again = poses(runner, images, asked)
    return max(difference(a["poses"][..., :2], b["poses"][..., :2]) for a, b in zip(answers, again, strict=True))


class jolted:  # noqa: N801 - reads like a function
    """Weights changed by about `WOBBLE` of their size inside, as they were outside."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model

    def __enter__(self) -> None:
        self.kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.mul_(1 + WOBBLE * torch.randn(parameter.shape, generator=generator))

    def __exit__(self, *_: object) -> None:
        self.model.load_state_dict(self.kept)


def difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The largest difference of two arrays, infinite if their shapes or their missing values differ."""
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.nanmax(np.abs(a - b), initial=0.0))


def read_frames(path: Path) -> NDArray[np.uint8]:
    """The frames to ask about, noise if there are none."""
    if path.is_file():
        return np.load(path)["frames"]
    return np.random.default_rng(0).integers(0, 256, (scenes.FRAMES, *scenes.WHOLE, 3), dtype=np.uint8)


def main() -> None:
    """See the module."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    frames = read_frames(Path(sys.argv[1]))
    if sys.argv[2:] == ["serve"]:
        partner.serve(lambda words: make(choose([words["case"]])[0], frames, Path(words["folder"])))
        return
    out = Path(sys.argv[2])
    for case in choose(sys.argv[3:]):
        folder = out / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(json.dumps(make(case, frames, folder)), flush=True)


if __name__ == "__main__":
    main()
