"""DeepLabCut's results, computed as in its own analysis. Needs deeplabcut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from deeplabcut.pose_estimation_pytorch.apis.utils import build_inference_runner, get_pose_inference_runner
from deeplabcut.pose_estimation_pytorch.config import PoseConfig
from deeplabcut.pose_estimation_pytorch.data.postprocessor import build_detector_postprocessor
from deeplabcut.pose_estimation_pytorch.data.preprocessor import build_bottom_up_preprocessor
from deeplabcut.pose_estimation_pytorch.data.transforms import build_transforms
from deeplabcut.pose_estimation_pytorch.task import Task
from numpy.typing import NDArray

from tools.parity.detectors import build
from tools.parity.scenes import Scene

Result = dict[str, NDArray[Any]]
Image = NDArray[np.uint8]


def pose_runner(config: PoseConfig, snapshot: Path) -> Any:
    """DeepLabCut's runner of a pose network, with its pre- and postprocessing."""
    options = {"multithreading": {"enabled": False}}
    return get_pose_inference_runner(config, snapshot, device="cpu", inference_cfg=options)


def detector_runner(config: PoseConfig, snapshot: Path) -> Any:
    """DeepLabCut's runner of a detector.

    It does not use `get_detector_inference_runner`, which passes a score threshold of None to torchvision.
    """
    part = config["detector"]
    return build_inference_runner(
        task=Task.DETECT,
        model=build(part["model"]),
        device="cpu",
        snapshot_path=str(snapshot),
        preprocessor=build_bottom_up_preprocessor(
            part["data"]["colormode"], build_transforms(part["data"]["inference"])
        ),
        postprocessor=build_detector_postprocessor(max_individuals=len(config["metadata"]["individuals"])),
        inference_cfg={"multithreading": {"enabled": False}},
    )


def poses(runner: Any, images: list[Image], scenes: list[Scene]) -> list[Result]:
    """For each frame, `poses` (N, K, 3) without absent rows, and `unique` (U, 3) if the network has such a head.

    The confidences of a conditional network are its own, as in DeepLabCut's tracking. Without tracking, DeepLabCut combines
    them with the confidences of the conditions.
    """
    results = []
    for image, scene in zip(images, scenes, strict=True):
        if len(scene.conditions):
            results.append({"poses": _tracked(runner, image, scene.conditions.astype(float))})
        elif len(scene.boxes):
            boxes = [(*box[:2], *(box[2:] - box[:2])) for box in scene.boxes.astype(float)]
            results.append(_infer(runner, image, {"bboxes": boxes}))
        else:
            results.append(_infer(runner, image, {}))
    return results


def _infer(runner: Any, image: Image, context: dict[str, Any]) -> Result:
    (result,) = runner.inference([(image, context)])
    arrays = {"poses": present(result["bodyparts"])}
    if "unique_bodyparts" in result:
        arrays["unique"] = result["unique_bodyparts"][0]
    if "identity_scores" in result:  # all rows, because each row is an individual
        arrays["poses"] = blank(result["bodyparts"])
    return arrays


def _tracked(runner: Any, image: Image, conditions: NDArray[Any]) -> NDArray[Any]:
    """The poses of a conditional network as in tracking: the postprocessing does not use the conditions."""
    with torch.inference_mode():
        inputs, context = runner.preprocessor(image, {"cond_kpts": conditions})
        predictions = runner.predict(inputs, **context.pop("model_kwargs"))
        context.pop("cond_kpts")
        result, _ = runner.postprocessor(predictions, context)
    return present(result["bodyparts"])


def boxes(runner: Any, image: Image) -> NDArray[Any]:
    """(N, 5) x1, y1, x2, y2 and score of the detected animals, sorted by descending score."""
    (result,) = runner.inference([image])
    corners = np.concatenate([result["bboxes"][:, :2], result["bboxes"][:, :2] + result["bboxes"][:, 2:]], axis=1)
    return np.concatenate([corners, result["bbox_scores"][:, None]], axis=1)


def poses_in_boxes(runner: Any, image: Image, detections: NDArray[Any]) -> NDArray[Any]:
    """(N, K, 3) poses in the boxes from `boxes`, as in the analysis of a video."""
    corners = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2, _ in detections]
    return _infer(runner, image, {"bboxes": corners})["poses"]


def blank(rows: NDArray[Any]) -> NDArray[Any]:
    """(N, K, 3) with absent keypoints as NaN, NaN, 0.

    In DeepLabCut, absent keypoints are -1 or NaN. An animal with all confidences 0 is absent, too: if DEKR's centre map has
    fewer peaks above 0 than the project has animals, DeepLabCut fills the remaining animals from zero-valued pixels.
    """
    poses = rows[..., :3].astype(float)
    absent = ~np.isfinite(poses).all(axis=-1) | (poses == -1).all(axis=-1)
    absent |= (poses[..., 2] <= 0).all(axis=-1, keepdims=True)
    poses[absent] = (np.nan, np.nan, 0.0)
    return poses


def present(rows: NDArray[Any]) -> NDArray[Any]:
    """The same as `blank`, without animals whose keypoints are all absent."""
    poses = blank(rows)
    return poses[np.isfinite(poses[..., 0]).any(axis=1)]
