"""What labels frames for a student: one network with its heatmaps, or any model of ours that finds animals."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, UnsupportedModelError, UsageError, load_model
from dlclive_distill.pose_teacher import PoseTeacher
from dlclive_distill.teacher import SUPPORTED, Teacher


class Labeller(Protocol):
    """A teacher.

    Attributes:
        path: its file.
        card: the facts about it.
        sha256: checksum of the file that DeepLabCut wrote.
        animals: N, how many it finds at most, or how many of them are learnt.
        stride: pixels of the frame per cell of its heatmaps.
        grid: pixels: its answer depends on where in a grid of such squares the animal lies, and a student is told where;
            None: a student is not.
        notices: what the user should know, one line each.
    """

    @property
    def path(self) -> Path: ...
    @property
    def card(self) -> ModelCard: ...
    @property
    def sha256(self) -> str: ...
    @property
    def animals(self) -> int: ...
    @property
    def stride(self) -> float: ...
    @property
    def grid(self) -> int | None: ...
    @property
    def notices(self) -> tuple[str, ...]: ...

    def label(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """Find the keypoints in frames (B, H, W, 3) uint8 RGB.

        Returns:
            keypoints (B, N, K, 3) float32: x, y in pixels of the frame, and confidence; an animal that is not there has
            NaN, NaN, 0. Heatmaps (B, K, h, w) float16 from 0 to 1, h and w as `map_size` says; a teacher that tells none has
            0 rows and columns.
        """

    def map_size(self, width: int, height: int) -> tuple[int, int]:
        """(h, w): rows and columns of the heatmaps of a frame of width x height pixels; (0, 0) without heatmaps."""


def open_teacher(path: Path, device: str = "auto", animals: int | None = None) -> Labeller:
    """Load a teacher: with its heatmaps if it finds one animal, by its poses if it finds several.

    Args:
        path: the model's file.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        animals: how many animals the student finds; None: as many as the teacher.

    Raises:
        UsageError: there is no such device, or the teacher finds fewer animals.
        UnsupportedModelError: a network that cannot be taught from.
        ModelError, UnsafeFileError: the file cannot be read.
        DependencyError: no installed runtime reads it.
    """
    model = load_model(path, device=device, profile=None)
    try:
        found = len(model.card.individuals)
        if animals is not None and animals > found:
            raise UsageError(
                f"{path.name} finds {found} animal{'s' * (found > 1)}, and --animals asks for {animals}: give {found} at most"
            )
        if found > 1 or model.card.assembly is not None:
            return PoseTeacher(path, model, animals or found)
    except BaseException:
        model.close()
        raise
    model.close()
    if model.card.method != "bottom-up":
        raise UnsupportedModelError(f"{path.name} is a {model.card.method} network for one animal: {SUPPORTED}")
    if path.suffix.lower() != ".pt":
        raise UnsupportedModelError(
            f"a student of one animal learns from heatmaps, which {path.name} does not give: give the .pt file that it was "
            "made from"
        )
    return Teacher(path, device)
