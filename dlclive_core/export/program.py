"""Exports for other programs: the file that they read, and the comparison as they run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.errors import UsageError
from dlclive_core.export.parity import Answer, answers
from dlclive_core.export.route import program_suffix
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.models.load import model_suffixes
from dlclive_core.models.topdown.model import TopDownModel
from dlclive_core.plugins.catalog import PluginCatalog

Boxes = NDArray[np.float32]
"""(N, 5) x1, y1, x2, y2 and the score."""

_NO_BOXES = np.zeros((0, 5), np.float32)


def program_target(folder: Path, program: str, catalog: PluginCatalog) -> Path:
    """The model's file in the folder that is written for a program. Raises UsageError for a file, and as `program_suffix`."""
    suffix = program_suffix(catalog, program)
    if folder.suffix.lower() in model_suffixes(catalog) and not folder.is_dir():
        raise UsageError(
            f"an export for {program} is a folder, not {folder.name}: name a folder, such as {folder.stem}"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"an export for {program} is a folder, and {folder} is a file: choose another name")
    return folder / f"model{suffix}"


def answers_of_both(
    reference: PoseModel,
    candidate: PoseModel,
    images: Sequence[NDArray[np.uint8]],
    detection: Mapping[str, Any],
) -> tuple[list[Answer], list[Answer]]:
    """What the source and an export for a program answer for the same (H, W, 3) uint8 RGB images.

    A top-down program finds its boxes in the same call as the poses. The reference's poses are those in the program's boxes, so
    that a box that is a hundredth of a pixel off does not count twice. The boxes must be detections of the reference, and as
    many as it uses: of detections with nearly the same score each may use others.

    Args:
        detection: how the program finds its boxes; see `Exporter.detection`.

    Raises:
        UsageError: a top-down network found no animal in any image, so that nothing was compared.
    """
    poses = [candidate.predict(image) for image in images]
    if not isinstance(reference, TopDownModel):
        return answers(reference, images), [Answer(pose) for pose in poses]
    own, detections = _detect(reference, images, DetectionOptions(**detection))
    boxes = [_NO_BOXES if pose.boxes is None else pose.boxes for pose in poses]
    if not any(len(found_boxes) for found_boxes in [*own, *boxes]):
        raise UsageError(
            f"the model's detector finds no animal in {len(images)} frames, so the export cannot be compared with its source: "
            "pass a clip that shows the animal with --video"
        )
    in_boxes = answers(reference, images, detect=False, boxes=boxes)
    ours, theirs = [], []
    for expected, pose, used, seen, detected in zip(in_boxes, poses, own, boxes, detections, strict=True):
        longer, shorter = sorted((used, seen), key=len, reverse=True)
        before, after = (seen, detected) if len(seen) == len(used) else (longer, shorter)
        ours.append(Answer(expected.pose, before))
        theirs.append(Answer(pose, after))
    return ours, theirs


def _detect(
    reference: TopDownModel, images: Sequence[NDArray[np.uint8]], detection: DetectionOptions
) -> tuple[list[Boxes], list[Boxes]]:
    """For each image the boxes that a model with these options uses, and all that its detector finds."""
    model = TopDownModel(reference.network, detection)  # not closed: that would close the network of the reference
    detector = model.detector()
    if detector is None:
        return [_NO_BOXES] * len(images), [_NO_BOXES] * len(images)
    with detector:
        used = [model.predict(image).boxes for image in images]
        return [_NO_BOXES if boxes is None else boxes for boxes in used], [detector.detect(image) for image in images]
