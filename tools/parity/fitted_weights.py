"""Weights without training data: random backbones whose heads are fitted to a few frames. Needs deeplabcut.

Backbones keep their random weights; their batch norms use the statistics of the frames. Then the heads are fitted for some
steps with DeepLabCut's own targets and losses, so that the maps have a few clear peaks and the decoders unambiguous input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from deeplabcut.pose_estimation_pytorch.models.model import PoseModel
from torch import Tensor, nn
from torchvision.ops.misc import FrozenBatchNorm2d

from tools.parity.scenes import Scene

LONG, MIDDLE, SHORT = (60, 2e-3), (25, 3e-3), (12, 5e-3)
"""Number of steps and learning rate. Fewer steps if a step is slow; SHORT, on one frame, if a step takes a second."""
SLOW = ("DEKRHead",)
NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm, FrozenBatchNorm2d)
FLOOR = 2
"""The lower bound of a batch norm's variances, in units of their mean."""
SOFTER = 0.04
"""The factor of SimCC's logits. Their softmax multiplies them by 900, so random networks would be overconfident and amplify
rounding."""
CONFIDENCE = 0.5
"""The median peak of a heatmap head after scaling."""


def fit(model: PoseModel, images: Tensor, scenes: list[Scene], centre: bool, **conditions: Any) -> None:
    """Fit a model's heads in place.

    Args:
        model: DeepLabCut's model, on the CPU.
        images: (N, 3, H, W) normalised; one per scene for whole images, otherwise one per animal.
        scenes: the scenes of the frames.
        centre: whether the network also predicts the centre of each animal (DEKR).
        conditions: the backbone's inputs besides the images.
    """
    take_statistics(model, images, **conditions)
    with torch.no_grad():
        features = model.backbone(images, **conditions)
        features = model.neck(features) if model.neck else features
        outputs = {name: head(features) for name, head in model.heads.items()}
    labels = _labels(scenes, centre)
    targets = model.get_target(outputs, labels)
    for name, head in model.heads.items():
        if type(head).__name__ in SLOW:
            _descend(head, features[:1], _first(targets[name]), *SHORT)
        else:
            large = "heatmap" in outputs[name] and outputs[name]["heatmap"].shape[-1] >= images.shape[-1]
            _descend(head, features, targets[name], *(MIDDLE if large else LONG))
    with torch.no_grad():
        for head in model.heads.values():
            _scale(head, features)


def take_statistics(model: nn.Module, images: Any, **conditions: Any) -> None:
    """Set mean and variance of the batch norms from their inputs for these images (or the model's other input).

    Channels that vary little are not scaled to the variance of the others: this would amplify their rounding, and random
    networks with hundreds of layers would be chaotic.
    """

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance.clamp(min=FLOOR * float(variance.mean())))

    model.eval()
    norms = [module for module in model.modules() if isinstance(module, NORMS)]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    with torch.no_grad():
        model(images, **conditions)
    for hook in hooks:
        hook.remove()


def _first(target: dict[str, Any]) -> dict[str, Any]:
    """The first frame of a target, {output: {"target" or "weights": (N, ...)}}."""
    return {output: {key: value[:1] for key, value in part.items()} for output, part in target.items()}


def _descend(head: nn.Module, features: Tensor, target: dict[str, Any], steps: int, rate: float) -> None:
    optimiser = torch.optim.Adam(head.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        head.get_loss(head(features), target)["total_loss"].backward()
        optimiser.step()


def _scale(head: nn.Module, features: Tensor) -> None:
    """Scale heatmaps whose values are confidences to peaks of `CONFIDENCE`, and reduce SimCC's logits."""
    predictor = head.predictor
    for layer in (head.cls_x, head.cls_y) if hasattr(head, "cls_x") else ():
        for parameter in layer.parameters():
            parameter.mul_(SOFTER)
    if getattr(predictor, "apply_sigmoid", True) or not hasattr(head, "heatmap_head"):
        return
    layers = [layer for layer in head.heatmap_head.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    peak = float(head(features)["heatmap"].amax(dim=(2, 3)).median())
    for parameter in layers[-1].parameters():
        parameter.mul_(CONFIDENCE / peak)


def _labels(scenes: list[Scene], centre: bool) -> dict[str, Tensor]:
    """The output of DeepLabCut's data loader for these scenes: x, y, and 2 for a visible keypoint."""
    has_crops = any(len(scene.boxes) for scene in scenes)
    poses = np.stack([scene.keypoints for scene in scenes])
    if has_crops:
        poses = poses.reshape(-1, 1, *poses.shape[2:])
    if centre:
        poses = np.concatenate([poses, poses.mean(axis=2, keepdims=True)], axis=2)
    keypoints = np.concatenate([poses, np.full((*poses.shape[:3], 1), 2.0)], axis=-1).astype(np.float32)
    extent = np.ptp(poses, axis=2)
    return {
        "keypoints": torch.from_numpy(keypoints),
        "keypoints_unique": torch.from_numpy(np.stack([scene.unique for scene in scenes])),
        "area": torch.from_numpy(extent.prod(axis=-1).astype(np.float32)),
        "individual_ids": torch.arange(poses.shape[1]).repeat(len(poses), 1),
    }
