"""The channels of a stream, and a pose as one of its samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose
from dlclive_streams.pose_names import UNIQUE_INDIVIDUAL


@dataclass(frozen=True, slots=True)
class Channel:
    """The meta-data of a channel, as in XDF's content type MoCap (https://github.com/sccn/xdf/wiki/MoCap-Meta-Data)."""

    label: str
    marker: str
    object: str
    type: str
    unit: str


class Channels:
    """x, y and confidence of every keypoint of every individual of the project, and of the keypoints that exist once.

    Individuals of the project have their own channels; others (a tracker's) take the first free ones and keep them. Without
    names, individuals are in order; a project with a single one shows that with the highest mean confidence.

    Attributes:
        channels: in the order of a sample.
        left_out: number of individuals that found no free channels.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._slots: dict[str, int] = {}
        self.left_out = 0
        points = [(name, point) for name in card.individuals for point in card.skeleton.keypoints]
        points += [(UNIQUE_INDIVIDUAL, point) for point in card.unique_keypoints]
        kinds = (("x", "PositionX", "pixels"), ("y", "PositionY", "pixels"), ("confidence", "Confidence", "normalized"))
        self.channels = [
            Channel(f"{name}_{point}_{short}", point, name, kind, unit)
            for name, point in points
            for short, kind, unit in kinds
        ]

    def sample(self, pose: Pose) -> list[float]:
        """The values of one pose; a keypoint that was not found is NaN, NaN, 0."""
        card = self._card
        animals = len(card.individuals)
        values = np.full((len(self.channels) // 3, 3), np.nan, np.float32)
        values[:, 2] = 0
        rows = values[: animals * len(card.skeleton)].reshape(animals, len(card.skeleton), 3)
        if animals == 1:
            rows[0] = pose.single()
            self.left_out += max(0, len(pose) - 1)
        else:
            self._place(pose, rows)
        if pose.unique is not None and card.unique_keypoints:
            values[animals * len(card.skeleton) :] = pose.unique
        return list(values.reshape(-1).tolist())

    def _place(self, pose: Pose, rows: NDArray[np.float32]) -> None:
        for number, keypoints in enumerate(pose.keypoints):
            slot = number if pose.ids is None else self._slot(pose.ids[number])
            if slot is None or slot >= len(rows):
                self.left_out += 1
            else:
                rows[slot] = keypoints

    def _slot(self, name: str) -> int | None:
        if name not in self._slots:
            taken = set(self._slots.values())
            own = [self._card.individuals.index(name)] if name in self._card.individuals else []
            free = [slot for slot in (*own, *range(len(self._card.individuals))) if slot not in taken]
            if not free or (own and free[0] != own[0]):
                return None
            self._slots[name] = free[0]
        return self._slots[name]
