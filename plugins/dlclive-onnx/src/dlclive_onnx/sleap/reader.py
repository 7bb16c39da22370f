"""Runs a written folder as SLEAP's programs do: with ONNX Runtime and `export_metadata.json` alone.

Nothing here looks at the card of the model to find its keypoints. The card is only what dlclive says of a model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import ModelCard, ModelError, Network, Pose, PoseModel
from dlclive_core.runtimes import BottomUpModel
from dlclive_onnx.sleap.graph import BOXES
from dlclive_onnx.sleap.metadata import METADATA_NAME
from dlclive_onnx.sleap.outputs import HALF
from dlclive_onnx.sleap.picture import PictureLayout, send_picture

Arrays = dict[str, NDArray[Any]]


class SleapFolder:
    """The session of a folder, and its metadata.

    Args:
        model: `model.onnx` in the folder.
        layout: how the program fills the input.
    """

    def __init__(self, model: Path, layout: PictureLayout) -> None:
        self.metadata: Mapping[str, Any] = json.loads(model.with_name(METADATA_NAME).read_text(encoding="utf-8"))
        try:
            self._session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own that it does not export
            raise ModelError(f"ONNX Runtime cannot load the export: {' '.join(str(error).split())}") from None
        self.layout = layout
        self._outputs = [item.name for item in self._session.get_outputs()]

    def run(self, image: NDArray[np.uint8]) -> Arrays:
        """The outputs, by name, for one (H, W, 3) uint8 RGB frame."""
        inputs = {self._session.get_inputs()[0].name: send_picture(image, self.layout)}
        return dict(zip(self._outputs, self._session.run(None, inputs), strict=True))


def load_folder(model: Path, card: ModelCard, layout: PictureLayout) -> PoseModel:
    """A model of dlclive whose poses are those of the folder, in dlclive's pixels."""
    folder = SleapFolder(model, layout)
    if folder.metadata["model_type"] == "bottomup":
        whole = card.with_(preparation=None, input_size=None)  # the folder takes the frame itself
        return BottomUpModel(_Candidates(folder, whole))
    return _Poses(folder, card)


class _Poses(PoseModel):
    """The poses of "single_instance" and "topdown"."""

    def __init__(self, folder: SleapFolder, card: ModelCard) -> None:
        self.card, self.runtime = card, "onnx"
        self._folder = folder
        self._boxes = card.method == "top-down"

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """See PoseModel.predict; there are no boxes of the caller."""
        arrays = self._folder.run(image)
        points = np.concatenate([arrays["peaks"][0] + HALF, arrays["peak_vals"][0][..., None]], axis=-1)
        if self._folder.metadata["model_type"] == "single_instance":
            return Pose(points[None].astype(np.float32), self.card.skeleton)
        valid = arrays["instance_valid"][0]
        if not self._boxes:  # one row for each animal of the project, as in dlclive
            points[~valid] = (np.nan, np.nan, 0)
            return Pose(points.astype(np.float32), self.card.skeleton)
        corners = np.concatenate([arrays[BOXES][0], arrays["centroid_vals"][0][:, None]], axis=1)
        return Pose(points[valid].astype(np.float32), self.card.skeleton, boxes=corners[valid])


class _Candidates(Network):
    """The candidates of "bottomup", which dlclive then assembles."""

    runtime = "onnx"

    def __init__(self, folder: SleapFolder, card: ModelCard) -> None:
        self.card = card
        self._folder = folder

    def run(
        self,
        images: NDArray[np.uint8],
        conditions: NDArray[np.float32] | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run."""
        found = [self._folder.run(image) for image in images]
        arrays = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        points = np.where(arrays["peak_mask"][..., None], arrays["peaks"] + HALF, np.nan)
        scores = np.where(arrays["candidate_mask"], arrays["line_scores"], 0)
        count = int(self._folder.metadata["max_peaks_per_node"])
        return {
            "peaks": np.concatenate([points, arrays["peak_vals"][..., None]], axis=-1).astype(np.float32),
            "affinities": scores.reshape(*scores.shape[:2], count, count).astype(np.float32),
        }
