"""Runs dlclive on the inputs of a DeepLabCut network, and compares the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose, PoseModel
from dlclive_core.models.topdown import TopDownModel
from tools.parity.cases import INDIVIDUALS, Case
from tools.parity.differences import Difference, nearest_boxes


class Reference:
    """A DeepLabCut network: its file, its frames and its results."""

    def __init__(self, case: Case, folder: Path, report: dict[str, Any]) -> None:
        self.case, self.report = case, report
        self.model = Path(report["model"])
        self.frames: NDArray[np.uint8] = np.load(folder / "frames.npz")["frames"]
        self.frames_path = folder / "frames.npz"
        self._results = dict(np.load(folder / "results.npz"))

    def predict(self, model: PoseModel, index: int) -> Pose:
        """The model's pose in a frame, with the boxes or conditions that DeepLabCut got."""
        image = self.frames[index]
        if self.case.method == "bu":
            return model.predict(image)
        if self.case.method == "td":
            return model.predict(image, boxes=self._results[f"boxes.{index}"])
        conditions = self._results[f"conditions.{index}"].copy()
        conditions[conditions[..., 2] == 0, :2] = np.nan
        return model.predict(image, conditions=conditions)

    def compare(self, model: PoseModel) -> Difference:
        """Compare all frames, and the detector in the first frame."""
        difference = Difference()
        for index in range(len(self.frames)):
            pose, expected = self.predict(model, index), self._results[f"poses.{index}"]
            absent = int((~np.isfinite(expected[..., 0])).all(axis=1).sum())
            if self.case.identity and absent:
                # DeepLabCut includes absent animals in the identity vote, with the scores in the corner of the picture;
                # dlclive does not.
                difference.unnamed += 1
            ordered = self.case.method != "bu" or (self.case.identity and not absent)
            difference.add(expected, _by_name(pose) if self.case.identity else _present(pose), ordered=ordered)
            if self.case.unique:
                unique = np.empty((0, 3)) if pose.unique is None else pose.unique
                difference.add(self._results[f"unique.{index}"][None], unique[None], ordered=True)
        if "detected.0" in self._results:
            assert isinstance(model, TopDownModel)
            detector = model.detector()
            assert detector is not None
            detections = detector.detect(self.frames[0])
            difference.boxes_px = nearest_boxes(self._results["detected.0"], detections)
            pipeline = Difference()
            pipeline.add(self._results["whole.0"], _present(model.predict(self.frames[0])), ordered=False)
            difference.whole_px = pipeline.px
        return difference

    def run(self, model: PoseModel, index: int) -> None:
        """Run the model as on a camera's frame: with the detector, if the case has one."""
        if self.case.method == "bu" or self.case.detector:
            model.predict(self.frames[index])
        else:
            self.predict(model, index)


def _present(pose: Pose) -> NDArray[Any]:
    """(N, K, 3) of the animals with at least one keypoint present."""
    return pose.keypoints[np.isfinite(pose.xy).all(axis=-1).any(axis=-1)]


def _by_name(pose: Pose) -> NDArray[Any]:
    """(3, K, 3) in the order of the project's individuals."""
    rows = np.full((len(INDIVIDUALS), len(pose.skeleton), 3), (np.nan, np.nan, 0.0))
    for name, keypoints in zip(pose.ids or (), pose.keypoints, strict=True):
        rows[INDIVIDUALS.index(name)] = keypoints
    return rows
