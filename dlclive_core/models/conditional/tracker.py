"""Tracking: which poses of one frame become the conditions of the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.models.conditional.condition_boxes import MIN_CONFIDENCE
from dlclive_core.models.conditional.similarity import distinct, similarity
from dlclive_core.models.conditional.tracking_rules import TrackingRules

Poses = NDArray[np.float32]

NOT_FOUND = (np.nan, np.nan, 0.0)


class ConditionTracker:
    """Tracks animals from frame to frame; each keeps its row while it is tracked.

    For each frame: if `needs_search`, run the bottom-up model; get `conditions` and run the network on them; pass its poses to
    `update`. The rules are those of DeepLabCut 3.0.2, with four exceptions: animals do not swap rows; a duplicate is removed
    from the frame in which it is noticed; a lost animal does not count as tracked; and a pose of the bottom-up model is
    compared with the tracked ones by its coordinates alone. (With the confidence as a third coordinate, the size of an animal
    is 0 if all confidences are equal, and every tracked animal is found a second time.)

    Used by one thread at a time.

    Args:
        rules: thresholds, and how often the bottom-up model runs.
        individuals: number of animals, and of rows.
        keypoints: number of keypoints of each.
    """

    def __init__(self, rules: TrackingRules, individuals: int, keypoints: int) -> None:
        self.rules = rules
        self._shape = (individuals, keypoints, 3)
        self.reset()

    def reset(self) -> None:
        """Forget all animals."""
        self._poses: Poses = np.full(self._shape, np.nan, np.float32)  # NaN: not usable as a condition
        self._ages = np.zeros(self._shape[0], np.int64)  # frames tracked; 0: the row is free
        self._since_search = 0

    @property
    def tracked(self) -> NDArray[np.intp]:
        """The rows of the animals that are tracked."""
        return np.flatnonzero(self._ages)

    def needs_search(self) -> bool:
        """Whether the bottom-up model has to run on this frame."""
        rules, tracked = self.rules, len(self.tracked)
        if not tracked:
            return True
        if rules.search_every is not None and self._since_search >= rules.search_every:
            return True
        lost = rules.search_lost and tracked < len(self._ages)
        return lost and self._since_search >= (rules.search_lost_every or 1)

    def conditions(self, searched: Poses | None = None) -> tuple[Poses, NDArray[np.intp]]:
        """The conditions of the network for this frame.

        Args:
            searched: (N, K, 3) poses of the bottom-up model in pixels of the frame, if it ran. They take free rows unless they
                are similar to a tracked animal; if rows run out, the least similar ones go first.

        Returns:
            (M, K, 3) conditions in pixels of the frame, NaN, NaN, 0 for what was not found, and their rows (M,), ascending.
        """
        by_row = {int(row): self._poses[row] for row in self.tracked}
        if searched is not None:
            self._since_search = 0
            free = [row for row in range(len(self._ages)) if row not in by_row]
            by_row.update(zip(free, self._new(np.asarray(searched, np.float32), list(by_row.values())), strict=False))
        rows = sorted(by_row)
        conditions = np.array([by_row[row] for row in rows], np.float32).reshape(-1, *self._shape[1:])
        conditions[~np.isfinite(conditions).all(axis=2)] = NOT_FOUND
        return conditions, np.array(rows, np.intp)

    def _new(self, searched: Poses, tracked: list[Poses]) -> list[Poses]:
        """The poses of animals that are not tracked, those least similar to the tracked ones first."""
        usable = [pose for pose in searched if np.nan_to_num(pose[:, 2]).max(initial=0) >= MIN_CONFIDENCE]
        if not tracked:
            return usable
        # As in DeepLabCut, which takes only the very first poses unfiltered.
        confident = [np.where(pose[:, 2:] > np.float32(self.rules.min_confidence), pose, np.nan) for pose in usable]
        nearness = [max(similarity(pose[:, :2], other[:, :2]) for other in tracked) for pose in confident]
        order = np.argsort(nearness, kind="stable")
        return [confident[index] for index in order if nearness[index] < self.rules.add_below]

    def update(self, found: Poses, rows: NDArray[np.integer], shape: tuple[int, ...]) -> Poses:
        """Take the poses of the network, and decide which animals are still tracked.

        An animal is lost if fewer than two of its keypoints are confident and inside the image, or if it had no condition. Of
        two tracks that have merged, the older one stays; of equally old ones, that in the later row.

        Args:
            found: (M, K, 3) in pixels of the frame; NaN, NaN, 0 for what was not found.
            rows: (M,) of these poses.
            shape: of the frame, height first.

        Returns:
            (N, K, 3), a row for each individual: its pose, or NaN, NaN, 0 for duplicates and for all others. An animal that is
            lost in this frame is still included.
        """
        result = np.full(self._shape, NOT_FOUND, np.float32)
        poses = np.full(self._shape, np.nan, np.float32)
        result[rows] = found
        poses[rows] = self._confident(np.asarray(found, np.float32), shape)
        alive = np.isfinite(poses).all(axis=2).sum(axis=1) >= 2
        ages = np.where(alive, self._ages + 1, 0)
        order = [int(row) for row in np.argsort(ages, kind="stable")[::-1] if alive[row]]
        kept = distinct(poses, order, self.rules.duplicate_from)
        result[[row for row in order if row not in kept]] = NOT_FOUND
        self._ages = np.where(np.isin(np.arange(len(ages)), kept), ages, 0)
        self._poses = np.where(self._ages[:, None, None] > 0, poses, np.nan)
        self._since_search += 1
        return result

    def _confident(self, found: Poses, shape: tuple[int, ...]) -> Poses:
        """The keypoints that can be conditions; NaN for the others."""
        x, y, confidence = np.moveaxis(found, 2, 0)
        inside = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
        is_confident = confidence > np.float32(self.rules.min_confidence)
        return np.where((inside & is_confident)[..., None], found, np.float32(np.nan))
