"""The runner for models of DeepLabCut 3, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive.core.model_runner import ModelRunner
from dlclive.pose_estimation_pytorch.dynamic_cropping import DynamicCropper, TopDownDynamicCropper
from dlclive_core import UsageError


@dataclass
class SkipFrames:
    """Run the detector of a top-down model on one frame, and not on the `skip` frames after it.

    Attributes:
        skip: frames whose boxes come from the last poses.
        margin: pixels around these poses.
    """

    skip: int
    margin: int


@dataclass
class TopDownConfig:
    """How a top-down model finds its animals.

    Attributes:
        bbox_cutoff: boxes with a lower score are ignored.
        max_detections: the most animals in a frame; None: the number of individuals in the project.
        crop_size: ignored, the network knows its size.
        skip_frames: how often the detector runs; None: on every frame.
    """

    bbox_cutoff: float = 0.6
    max_detections: int | None = 30
    crop_size: tuple[int, int] = (256, 256)
    skip_frames: SkipFrames | None = None


class PyTorchRunner(ModelRunner):
    """Runs a `.pt` file that DeepLabCut exported, and every other file that dlclive reads.

    Args:
        path, device, precision, single_animal: as for `ModelRunner`.
        dynamic: how to follow one animal with a top-down model and no detector: a dict as `top_down_dynamic` of `DLCLive`, or a
            `TopDownDynamicCropper`.
        top_down_config: a dict, or a `TopDownConfig`.
    """

    def __init__(
        self,
        path: str | Path,
        device: str | None = "auto",
        precision: str = "FP32",
        single_animal: bool = True,
        dynamic: Mapping[str, Any] | DynamicCropper | TopDownDynamicCropper | None = None,
        top_down_config: Mapping[str, Any] | TopDownConfig | None = None,
    ) -> None:
        if isinstance(dynamic, DynamicCropper) or _type(dynamic) == "DynamicCropper":
            raise UsageError("a DynamicCropper is DLCLive(path, dynamic=(True, threshold, margin)); pass it there")
        if isinstance(dynamic, TopDownDynamicCropper):
            dynamic = asdict(dynamic)
        if isinstance(top_down_config, TopDownConfig):
            top_down_config = asdict(top_down_config)
        super().__init__(path, None, device, precision, single_animal, dynamic, top_down_config)


def _type(dynamic: object) -> object:
    return dynamic.get("type") if isinstance(dynamic, Mapping) else None
