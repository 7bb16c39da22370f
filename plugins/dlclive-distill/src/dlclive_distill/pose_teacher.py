"""A teacher of several animals, which tells poses alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Pose, PoseModel, UnsupportedModelError
from dlclive_core.runtimes import TopDownModel, sha256


class PoseTeacher:
    """A loaded model of ours that finds several animals: assembled, regressed from their centres, or top-down.

    Its heatmaps show all animals of a frame, and a student's window is for one; so it tells none.

    Args:
        path: its file.
        model: it; closed by its caller if this raises.
        animals: N; of more animals in a frame, the most confident ones are learnt.

    Raises:
        UnsupportedModelError: it needs poses or boxes to find poses, or has keypoints that exist once in the scene.
    """

    def __init__(self, path: Path, model: PoseModel, animals: int) -> None:
        card = model.card
        if card.method == "conditional":
            raise UnsupportedModelError(
                f"{path.name} is a conditional network, which needs poses of another one: give that one, or a bottom-up or "
                "top-down network"
            )
        if isinstance(model, TopDownModel) and model.detector() is None:
            raise UnsupportedModelError(
                f"{path.name} is a top-down network without a detector, which finds no animals: export it with its detector, "
                "and give that file"
            )
        if card.unique_keypoints:
            raise UnsupportedModelError(
                f"{path.name} has keypoints that exist once in the scene, which no student finds: give a network without them"
            )
        self.path, self.card, self.animals = path, card, animals
        self.sha256 = card.source_sha256 or sha256(path)
        self.stride = card.stride
        self.grid = None
        self.notices = (_NO_IDENTITY.format(path.name),) if card.identity else ()
        self._model = model

    def label(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
        """See `Labeller.label`. Each frame by itself: what is found in one does not depend on others."""
        self._model.reset()
        keypoints = np.stack([most_confident(pose, self.animals) for pose in self._model.predict_batch(list(images))])
        return keypoints, np.zeros((len(images), len(self.card.skeleton), 0, 0), np.float16)

    def map_size(self, width: int, height: int) -> tuple[int, int]:
        """(0, 0): there are no heatmaps."""
        return 0, 0


_NO_IDENTITY = (
    "{} tells the individuals apart, and its student does not: which animal is in which row changes from frame to frame; the "
    "processor track gives identities"
)


def most_confident(pose: Pose, count: int) -> NDArray[np.float32]:
    """(count, K, 3) of the animals with the highest mean confidence, in the pose's order; missing ones come last."""
    found = pose.keypoints[np.nan_to_num(pose.confidence).max(axis=1, initial=0) > 0]
    best = np.sort(np.argsort(-np.nan_to_num(found[..., 2]).mean(axis=1), kind="stable")[:count])
    keypoints = Pose.missing(pose.skeleton, count).keypoints.copy()
    keypoints[: len(best)] = found[best]
    keypoints[~np.isfinite(keypoints[..., :2]).all(axis=-1)] = np.nan, np.nan, 0
    return keypoints
