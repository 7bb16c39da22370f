"""Where a training picture is cut from a frame: position, turn, size, mirroring; and what becomes of the keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Placement:
    """An affine map from pixels of a frame to pixels of a cut, both with the first pixel's centre at (0.5, 0.5).

    Attributes:
        matrix: (2, 3): cut = matrix[:, :2] @ frame + matrix[:, 2].
        mirrored: whether left and right are exchanged.
        exact: whether pixels are copied, not resampled.
    """

    matrix: NDArray[np.float64]
    mirrored: bool
    exact: bool

    @classmethod
    def around(
        cls,
        centre: NDArray[np.float64],
        side: tuple[int, int],
        *,
        angle: float = 0.0,
        scale: float = 1.0,
        mirrored: bool = False,
    ) -> Placement:
        """A cut (width, height) = `side` pixels around a point of the frame, turned by `angle` radians."""
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if mirrored:
            turn = np.diag([-1.0, 1.0]) @ turn
        half = np.array(side) / 2
        if angle == 0 and scale == 1:  # whole pixels are copied
            centre = np.round(centre - half) + half
        matrix = np.concatenate([turn, (half - turn @ centre)[:, None]], axis=1)
        return cls(matrix, mirrored, exact=angle == 0 and scale == 1)

    def cut(
        self, frame: NDArray[np.uint8], side: tuple[int, int], corner: NDArray[np.int64] | None = None
    ) -> NDArray[np.uint8]:
        """The pixels, (height, width, 3); what lies outside the frame is its reflection.

        Args:
            frame: (H, W, 3).
            side: (width, height).
            corner: (2,) x, y of the first pixel of `frame`, if it is a part of the frame that is mapped from.
        """
        centres = self.matrix.copy()  # OpenCV counts from the centre of the first pixel
        if corner is not None:
            centres[:, 2] += self.matrix[:, :2] @ corner
        centres[:, 2] += self.matrix[:, :2] @ [0.5, 0.5] - 0.5
        how = cv2.INTER_NEAREST if self.exact else cv2.INTER_LINEAR
        result: NDArray[np.uint8] = cv2.warpAffine(frame, centres, side, flags=how, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
        return result

    def to_cut(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) of the frame, in the cut."""
        moved: NDArray[np.float64] = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) of the cut, in the frame."""
        moved: NDArray[np.float64] = (points - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T
        return moved


_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))
_SHORT = (("l_", "r_"), ("L_", "R_"), ("_l", "_r"), ("_L", "_R"), ("L", "R"), ("l", "r"))


def mirrored_order(names: tuple[str, ...]) -> tuple[int, ...]:
    """For each keypoint, the index of the one that it becomes in a mirror: left ears become right ears, by their names.

    A name that has no partner keeps its place.
    """
    known = {name: index for index, name in enumerate(names)}
    return tuple(next((known[other] for other in _partners(name) if other in known), known[name]) for name in names)


def _partners(name: str) -> list[str]:
    partners = []
    for left, right in _SIDES:
        if left in name or right in name:
            partners.append(name.replace(left, "\0").replace(right, left).replace("\0", right))
    for left, right in _SHORT:
        for one, other in ((left, right), (right, left)):
            if (one.startswith("_") or len(one) == 1) and name.endswith(one):
                partners.append(name.removesuffix(one) + other)
            if (one.endswith("_") or len(one) == 1) and name.startswith(one):
                partners.append(other + name.removeprefix(one))
    return partners
