"""One frame that was kept, and the names of its two files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose

PICTURE, FACTS = ".png", ".json"
_NAME = re.compile(r"img\d{8,}")


@dataclass(slots=True, eq=False)
class KeptFrame:
    """A frame with the model's pose.

    Attributes:
        frame: its number in the source.
        seconds: when it was captured, from the start of the run; of a recording, its time in it.
        wall_time: the same as wall time, ISO 8601 with time zone; empty for a recording.
        reason: why it was kept: "uncertain", "jump" or "marked".
        score: how bad it is, 0 to 1.
        pose: as the model returned it, before processors.
        image: (H, W, 3) RGB or (H, W) grey; None once it is on the disk.
    """

    frame: int
    seconds: float
    wall_time: str
    reason: str
    score: float
    pose: Pose
    image: NDArray[np.uint8] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Of its files, without suffix."""
        return f"img{self.frame:08d}"

    def facts(self) -> dict[str, Any]:
        """All but the image, as values for JSON."""
        return {
            "frame": self.frame,
            "seconds": self.seconds,
            "wall_time": self.wall_time,
            "reason": self.reason,
            "score": self.score,
            "keypoints": self.pose.keypoints,
            "ids": self.pose.ids,
            "unique": self.pose.unique,
        }

    @classmethod
    def from_facts(cls, values: Any, card: ModelCard) -> KeptFrame:
        """Read what `facts` gave. Raises ValueError, TypeError or KeyError for anything else."""
        ids = values["ids"]
        if ids is not None and not (isinstance(ids, list) and all(isinstance(name, str) for name in ids)):
            raise ValueError("ids are not names")
        count = len(card.unique_keypoints)
        unique = None if values["unique"] is None or not count else _points(values["unique"], (count, 3))
        keypoints = _points(values["keypoints"], (-1, len(card.skeleton), 3))
        return cls(
            frame=_number(values["frame"]),
            seconds=float(values["seconds"]),
            wall_time=str(values["wall_time"]),
            reason=str(values["reason"]),
            score=float(values["score"]),
            pose=Pose(keypoints, card.skeleton, ids=None if ids is None else tuple(ids), unique=unique),
        )


def is_frame_name(name: str) -> bool:
    """Whether a name without suffix is that of a kept frame."""
    return _NAME.fullmatch(name) is not None


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError("frame is not a number")
    return value


def _points(values: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Positions and confidences; null is NaN."""
    array = np.array(values, np.float64).reshape(shape)
    if (np.abs(array) > np.finfo(np.float32).max).any():
        raise ValueError("a position is not a number of pixels")
    return array.astype(np.float32)
