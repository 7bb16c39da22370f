"""Models that refine conditions: rough or earlier keypoints of each animal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.frame import as_rgb, check_image
from dlclive_core.data.pose import Pose
from dlclive_core.errors import ModelError, UsageError
from dlclive_core.models.conditional.condition_boxes import condition_boxes
from dlclive_core.models.conditional.tracker import ConditionTracker
from dlclive_core.models.conditional.tracking_rules import TrackingRules
from dlclive_core.models.detection import DetectionOptions
from dlclive_core.models.network import Network
from dlclive_core.models.output_shapes import keypoints_of
from dlclive_core.models.topdown.boxes import check_boxes
from dlclive_core.models.topdown.crops import CropRules, cut_boxes


class ConditionalModel(PoseModel):
    """A network that finds an animal's keypoints from a condition: a rough or earlier pose.

    The poses of each frame are the conditions of the next; a bottom-up model finds new and lost animals. An animal keeps its
    row while it is tracked; all other rows are missing (NaN, NaN, 0).

    Args:
        network: conditional; all animals of a frame run as one batch.
        search: the bottom-up model; None: the caller supplies conditions with each image.
        detection: only `margin` and `max_animals` apply.
        rules: how animals are tracked.
        owns_search: whether `close` also closes the bottom-up model.

    Raises:
        UsageError: the bottom-up model has other keypoints.
    """

    def __init__(
        self,
        network: Network,
        search: PoseModel | None,
        detection: DetectionOptions,
        *,
        rules: TrackingRules | None = None,
        owns_search: bool = False,
    ) -> None:
        card = network.card
        if card.input_size is None:
            raise ModelError(
                f"{card.net_type} is a conditional network, but its configuration gives no crop size: export it again"
            )
        if search is not None and search.card.skeleton.keypoints != card.skeleton.keypoints:
            theirs, ours = search.card.skeleton.keypoints, card.skeleton.keypoints
            raise UsageError(
                f"the conditions of {card.net_type} come from {search.card.net_type} with {len(theirs)} keypoints "
                f"({', '.join(theirs)}); it needs the {len(ours)} that it was trained with ({', '.join(ours)})"
            )
        self.network, self.search = network, search
        self.card, self.runtime, self.device = card, network.runtime, network.device
        self.remembers = True
        self._owns_search = owns_search
        self._margin = card.condition_margin if detection.margin is None else detection.margin
        self._crops = CropRules(shape=card.input_size, margin=card.crop_margin, context=card.crop_context)
        individuals = detection.max_animals or len(card.individuals)
        self._tracker = ConditionTracker(rules or TrackingRules(), individuals, len(card.skeleton))

    def predict(
        self,
        image: NDArray[np.uint8],
        *,
        boxes: NDArray[np.float32] | None = None,
        conditions: NDArray[np.float32] | None = None,
    ) -> Pose:
        """Find the animals in the next frame, or those of the caller's conditions.

        Args:
            image: (H, W, 3) uint8 RGB or (H, W) uint8 grey.
            boxes: (N, 4), one for each condition. Default: around its keypoints.
            conditions: (N, K, 3) keypoints in pixels of the image; NaN, NaN, 0 for those not found. Nothing is tracked
                then, and the pose has N rows.

        Raises:
            FrameError: the image has a wrong type or shape.
            UsageError: wrong conditions or boxes, or no conditions for a model without a bottom-up model.
        """
        rgb = as_rgb(check_image(image))
        if conditions is not None:
            return self._predict_at(rgb, self._checked(conditions), boxes)
        if boxes is not None:
            raise UsageError(
                f"{self.card.net_type} is a conditional network: boxes need conditions, (N, K, 3), as well"
            )
        if self.search is None:
            raise UsageError(
                f"{self.card.net_type} is a conditional network without a bottom-up model that finds animals: give one "
                "(conditions=, on the command line --conditions FILE), or give conditions with each image"
            )
        searched = self.search.predict(rgb).keypoints if self._tracker.needs_search() else None
        tracked, rows = self._tracker.conditions(searched)
        pose = self._predict_at(rgb, tracked, None)
        is_detected = pose.confidence.max(axis=1, initial=0) > 0
        keypoints = self._tracker.update(pose.keypoints[is_detected], rows[is_detected], rgb.shape)
        return Pose(keypoints, self.card.skeleton)

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Run the bottom-up model on a grey image of this shape, and the network on grey crops."""
        if self.search is not None:
            self.search.warmup(shape)
        whole = np.array([[0, 0, shape[1], shape[0]]], np.float32)
        somewhere = np.ones((len(self.card.individuals), len(self.card.skeleton), 3), np.float32)
        self._predict_at(as_rgb(np.full(shape, 127, np.uint8)), somewhere, np.repeat(whole, len(somewhere), axis=0))

    def reset(self) -> None:
        """Forget the animals."""
        self._tracker.reset()
        if self.search is not None:
            self.search.reset()

    def close(self) -> None:
        """Close the network, and the bottom-up model if it was loaded for this one."""
        if self.search is not None and self._owns_search:
            self.search.close()
        self.network.close()

    def _predict_at(self, image: NDArray[np.uint8], conditions: NDArray[np.float32], boxes: object) -> Pose:
        """The pose of each condition; missing for a condition that is not usable."""
        around: NDArray[np.floating]
        if boxes is None:
            around, usable = condition_boxes(conditions, self._margin, image.shape)
        else:
            around = check_boxes(boxes)
            if len(around) != len(conditions):
                raise UsageError(f"{len(around)} boxes for {len(conditions)} conditions: give one box for each")
            usable = np.ones(len(around), bool)
        keypoints = Pose.missing(self.card.skeleton, len(conditions)).keypoints.copy()
        if usable.any():
            crops, transforms = cut_boxes(image, around[usable], self._crops)
            inner = np.stack([p.to_inner(c) for p, c in zip(transforms, conditions[usable], strict=True)])
            in_crops = keypoints_of(self.card, self.network.run(crops, inner))[:, 0]
            keypoints[usable] = [p.to_outer(k) for p, k in zip(transforms, in_crops, strict=True)]
        scores = np.full((len(around), 1), np.nan)
        boxes = np.concatenate([around[:, :4], scores], axis=1).astype(np.float32)
        return Pose(keypoints, self.card.skeleton, boxes=boxes)

    def _checked(self, conditions: object) -> NDArray[np.float32]:
        array = np.asarray(conditions, np.float32)
        count = len(self.card.skeleton)
        if array.ndim != 3 or array.shape[1:] != (count, 3):
            raise UsageError(
                f"conditions must be (N, {count}, 3): x, y and confidence of the keypoints of {self.card.net_type}; got "
                f"an array of shape {array.shape}"
            )
        return array
