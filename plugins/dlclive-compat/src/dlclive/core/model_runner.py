"""The runner for every model that dlclive runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive.core.runner import BaseRunner
from dlclive_core import (
    ModelCard,
    Pose,
    PoseModel,
    UsageError,
    best_animal,
    detection_options_from_deeplabcut_live,
    finite_keypoints,
    load_model,
)

_log = logging.getLogger(__name__)

_PRECISIONS = {"FP32": "auto", "FP16": "fp16"}
"""FP32 is what callers pass who want nothing special. "auto" is the precision of the file, and lets a profile decide."""


class ModelRunner(BaseRunner):
    """Runs a model of dlclive: an image in, an array out.

    Where `dlclive tune` has saved a profile beside the model, it is loaded as the profile says, unless `device`, a precision
    other than FP32 or a runtime is passed: a `.pt` file then stands for the faster file that was made of it.

    Args:
        path: a model file; or a training folder, an export folder, or a project with one model.
        runtime: name of a runtime; None: the one that reads the file.
        device: "cpu", "cuda", "cuda:1", ...; None or "auto": a GPU if there is one.
        precision: "FP32" or "FP16".
        single_animal: return (K, 3) of the best animal; False: (N, K, 3) of all, of at least one.
        dynamic: how to follow one animal with a top-down model and no detector: `top_down_dynamic` of `DLCLive`.
        top_down_config: as for `DLCLive`.

    Attributes:
        model: the loaded model; None before `load_model`.
        on_pose: called by `get_pose` with the image and its pose; what it returns is returned. `DLCLive` sets it.
    """

    def __init__(
        self,
        path: str | Path,
        runtime: str | None = None,
        device: str | None = "auto",
        precision: str = "FP32",
        single_animal: bool = True,
        dynamic: Mapping[str, Any] | None = None,
        top_down_config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(path)
        if str(precision).upper() not in _PRECISIONS:
            raise UsageError(f"precision must be FP32 or FP16; got {precision!r}")
        self.runtime, self.device, self.precision = runtime, device or "auto", precision
        self.single_animal = single_animal
        self.model: PoseModel | None = None
        self.on_pose: Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]] | None = None
        self._requested_device = self.device
        self._detection = detection_options_from_deeplabcut_live(top_down_config, dynamic, None).changed_options()

    def load_model(self) -> None:
        """Load the model, if it is not loaded yet. Raises DLCLiveError."""
        self._loaded()

    def _loaded(self) -> PoseModel:
        if self.model is None:
            self.model = model = load_model(
                self.path,
                self.runtime,
                device=self._requested_device,
                precision=_PRECISIONS[str(self.precision).upper()],
                **self._detection,
            )
            self.device = model.device.partition(" ")[0]  # without the name of the GPU, as torch.device takes it
            self.cfg = configuration(model.card)
            _say_profile(model)
        return self.model

    @property
    def loaded_file(self) -> Path | None:
        """The file that is run: `path`, or the one that a profile names in its place. None before `load_model`."""
        return None if self.model is None else self.model.loaded_file

    def read_config(self) -> dict[str, Any]:
        """What is known of DeepLabCut's configuration: `cfg`, for which the model is loaded."""
        return configuration(self._loaded().card)

    def init_inference(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """Load the model, and return the pose in an image, like `get_pose`."""
        self._loaded()
        return self.get_pose(frame, **kwargs)

    def warmup(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Run on grey images of these (height, width), so that the first frame is not slow."""
        model = self._loaded()
        for height, width in shapes:
            model.warmup((height, width, 3))
        model.reset()

    def get_pose(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """The pose in an image, in pixels of that image.

        An image that `DLCLive.process_frame` has just returned belongs to a frame: its pose is in pixels of the frame, and
        `DLCLive` gives it to the processor.

        Args:
            frame: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.
            kwargs: not used.

        Returns:
            (K, 3) float32 x, y, likelihood, or (N, K, 3) with `single_animal=False` and N of at least 1. Always finite: a
            keypoint that was not found is (0, 0, 0).
        """
        pose = self._array((self.model or self._loaded()).predict(frame))
        return pose if self.on_pose is None else self.on_pose(frame, pose)

    def close(self) -> None:
        if self.model is not None:
            self.model.close()
            self.model = None

    def _array(self, pose: Pose) -> NDArray[np.float32]:
        return finite_keypoints(best_animal(pose))[0] if self.single_animal else finite_keypoints(pose)


def _say_profile(model: PoseModel) -> None:
    """Say once that a profile is used: as a warning where another file or another view of the frame takes the model's place."""
    profile, loaded = model.profile, model.loaded_file
    if profile is not None:
        is_other = loaded != model.file or bool(profile.regions())
        _log.log(
            logging.WARNING if is_other else logging.INFO,
            "%s is run as %s (%s), as %s says; move that profile away to run the file itself",
            model.file,
            loaded,
            profile.label,
            profile.path,
        )


def configuration(card: ModelCard) -> dict[str, Any]:
    """The part of DeepLabCut's configuration that a card has, under the names that it has there."""
    return {
        "method": {"bottom-up": "bu", "top-down": "td", "conditional": "ctd"}[card.method],
        "net_type": card.net_type,
        "metadata": {
            "bodyparts": list(card.skeleton.keypoints),
            "unique_bodyparts": list(card.unique_keypoints),
            "individuals": list(card.individuals),
            "with_identity": card.identity,
        },
    }
