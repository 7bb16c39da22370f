"""Which poses of one frame tell a conditional network where to look in the next one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core.models.conditional.condition_boxes import MIN_CONFIDENCE
from dlclive_core.models.conditional.similarity import distinct, similarity
from dlclive_core.models.conditional.tracking_rules import TrackingRules

Poses = NDArray[np.float32]

NOT_FOUND = (np.nan, np.nan, 0.0)


class ConditionTracker:
    """Animals that are followed from frame to frame, each in a row that it keeps as long as it is tracked.

    For each frame: ask `needs_search`; if it is true, run the bottom-up model; `conditions` says where the network is to
    look; run it; `update` with what it found. The rules are those of DeepLabCut 3.0.2, but for four things: rows of animals
    do not change places; a duplicate is left out of the frame in which it is noticed; whoever is lost does not count as
    tracked; and a pose of the bottom-up model is compared with the tracked ones by its coordinates alone. (With the
    confidence as a third coordinate the size of an animal is 0 where all confidences are equal, and all that is tracked is
    found again.)

    Not for several threads at a time.

    Args:
        rules: thresholds, and how often the bottom-up model is asked.
        individuals: how many animals there are; the rows.
        keypoints: of each.
    """

    def __init__(self, rules: TrackingRules, individuals: int, keypoints: int) -> None:
        self.rules = rules
        self._shape = (individuals, keypoints, 3)
        self.reset()

    def reset(self) -> None:
        """Forget all animals."""
        self._poses: Poses = np.full(self._shape, np.nan, np.float32)  # what does not count as a condition is NaN
        self._ages = np.zeros(self._shape[0], np.int64)  # frames tracked; 0: a free row
        self._since_search = 0

    @property
    def tracked(self) -> NDArray[np.intp]:
        """The rows of the animals that are tracked."""
        return np.flatnonzero(self._ages)

    def needs_search(self) -> bool:
        """Whether the bottom-up model is to be asked in this frame."""
        rules, tracked = self.rules, len(self.tracked)
        if not tracked:
            return True
        if rules.search_every is not None and self._since_search >= rules.search_every:
            return True
        lost = rules.search_lost and tracked < len(self._ages)
        return lost and self._since_search >= (rules.search_lost_every or 1)

    def conditions(self, searched: Poses | None = None) -> tuple[Poses, NDArray[np.intp]]:
        """Where the network is to look in this frame.

        Args:
            searched: (N, K, 3) poses of the bottom-up model in pixels of the frame, if it was asked. They take free rows,
                unless they are similar to an animal that is tracked; the least similar ones first, where rows are few.

        Returns:
            (M, K, 3) conditions in pixels of the frame, not found NaN, NaN, 0, and their rows (M,) in ascending order.
        """
        given = {int(row): self._poses[row] for row in self.tracked}
        if searched is not None:
            self._since_search = 0
            free = [row for row in range(len(self._ages)) if row not in given]
            given.update(zip(free, self._new(np.asarray(searched, np.float32), list(given.values())), strict=False))
        rows = sorted(given)
        conditions = np.array([given[row] for row in rows], np.float32).reshape(-1, *self._shape[1:])
        conditions[~np.isfinite(conditions).all(axis=2)] = NOT_FOUND
        return conditions, np.array(rows, np.intp)

    def _new(self, searched: Poses, tracked: list[Poses]) -> list[Poses]:
        """The poses of animals that are not tracked, the least similar to those that are first."""
        there = [pose for pose in searched if np.nan_to_num(pose[:, 2]).max(initial=0) >= MIN_CONFIDENCE]
        if not tracked:
            return there
        # From here on as in DeepLabCut, where the first poses of all are taken as they are.
        sure = [np.where(pose[:, 2:] > np.float32(self.rules.min_confidence), pose, np.nan) for pose in there]
        nearness = [max(similarity(pose[:, :2], other[:, :2]) for other in tracked) for pose in sure]
        order = np.argsort(nearness, kind="stable")
        return [sure[index] for index in order if nearness[index] < self.rules.add_below]

    def update(self, found: Poses, rows: NDArray[np.integer], shape: tuple[int, ...]) -> Poses:
        """Take what the network found, and decide who is still tracked.

        An animal is lost if fewer than two of its keypoints are sure and in the image, and if it was not looked for. Of two
        that have become one, the one that was tracked longer stays; of equals the later row.

        Args:
            found: (M, K, 3) in pixels of the frame; not found NaN, NaN, 0.
            rows: (M,) theirs.
            shape: of the frame, height first.

        Returns:
            (N, K, 3), a row for each individual: what was found, but for duplicates; NaN, NaN, 0 for the others. A lost animal
            is still in it this time.
        """
        answer = np.full(self._shape, NOT_FOUND, np.float32)
        poses = np.full(self._shape, np.nan, np.float32)
        answer[rows] = found
        poses[rows] = self._sure(np.asarray(found, np.float32), shape)
        alive = np.isfinite(poses).all(axis=2).sum(axis=1) >= 2
        ages = np.where(alive, self._ages + 1, 0)
        order = [int(row) for row in np.argsort(ages, kind="stable")[::-1] if alive[row]]
        kept = distinct(poses, order, self.rules.duplicate_from)
        answer[[row for row in order if row not in kept]] = NOT_FOUND
        self._ages = np.where(np.isin(np.arange(len(ages)), kept), ages, 0)
        self._poses = np.where(self._ages[:, None, None] > 0, poses, np.nan)
        self._since_search += 1
        return answer

    def _sure(self, found: Poses, shape: tuple[int, ...]) -> Poses:
        """The keypoints that may be conditions; NaN for the others."""
        x, y, confidence = np.moveaxis(found, 2, 0)
        inside = (x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])
        sure = confidence > np.float32(self.rules.min_confidence)
        return np.where((inside & sure)[..., None], found, np.float32(np.nan))
