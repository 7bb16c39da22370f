"""Which animal of one camera is which of another: by their names, or by the geometry of the views.

Without names, the cost of a pair is the median distance, over the keypoints that both cameras saw, between a keypoint and the
epipolar line of the other (Hartley and Zisserman 2004, 9.2; 11.4.3 for the symmetric distance), in pixels. A line leaves one
direction open: animals that stand behind each other on it can be confused, which a third camera resolves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.pose import Pose
from dlclive_core.models.assembly.assignment import assign
from dlclive_core.views.lens import Floats
from dlclive_core.views.triangulation import Triangulation


@dataclass(frozen=True, slots=True)
class Matches:
    """The animals of V views.

    Attributes:
        rows: (N, V) the row of each animal in the pose of each view; -1 where it has none.
        ids: their names, if all views name them.
    """

    rows: NDArray[np.intp]
    ids: tuple[str, ...] | None


def match(poses: Sequence[Pose | None], triangulation: Triangulation) -> Matches:
    """Match the animals of V views; None for a view that is not there."""
    present = [pose for pose in poses if pose is not None]
    if all(pose.ids is not None and len(set(pose.ids)) == len(pose) for pose in present):
        return _by_name(poses)
    if all(len(pose) <= 1 for pose in present):
        count = max((len(pose) for pose in present), default=0)
        rows = [-1 if pose is None or not len(pose) else 0 for pose in poses]
        return Matches(np.array([rows] * count, np.intp).reshape(count, len(poses)), None)
    return Matches(_by_geometry(poses, triangulation), None)


def _by_name(poses: Sequence[Pose | None]) -> Matches:
    names = list(dict.fromkeys(name for pose in poses if pose is not None for name in pose.ids or ()))
    rows = np.full((len(names), len(poses)), -1, np.intp)
    for view, pose in enumerate(poses):
        for row, name in enumerate(() if pose is None else pose.ids or ()):
            rows[names.index(name), view] = row
    return Matches(rows, tuple(names))


def _by_geometry(poses: Sequence[Pose | None], triangulation: Triangulation) -> NDArray[np.intp]:
    """(N, V) rows: the animals of each view join those of the views before it, or begin a row of their own."""
    limits = triangulation.limits
    rays = _rays(poses, triangulation)
    groups: list[list[int]] = []
    for view, mine in enumerate(rays):
        known = np.flatnonzero(np.isfinite(mine[..., 0]).any(axis=1))
        costs = np.zeros((len(groups), len(known)))
        members = np.zeros_like(costs)
        for other in range(view) if len(known) else ():
            belongs = np.array([group[other] for group in groups], np.intp)
            there = np.flatnonzero(belongs >= 0)
            if len(there):
                table = _epipolar(triangulation, other, view, rays[other][belongs[there]], mine[known])
                finite = np.isfinite(table)
                costs[there] += np.where(finite, table, 0.0)
                members[there] += finite
        with np.errstate(invalid="ignore"):
            chosen = _cheapest(np.where(members > 0, costs / members, np.inf), 2 * limits.max_error)
        for group, column in zip(groups, chosen, strict=True):
            group[view] = int(known[column]) if column >= 0 else -1
        for column, row in enumerate(known.tolist()):
            if column not in chosen:
                groups.append([-1] * len(poses))
                groups[-1][view] = row
    rows = np.array(groups, np.intp).reshape(len(groups), len(poses))
    return rows[(rows >= 0).sum(axis=1) >= limits.min_views]


def _rays(poses: Sequence[Pose | None], triangulation: Triangulation) -> Floats:
    """(V, N, K, 3) homogeneous rays of all keypoints; NaN for those that are not confident, and for rows that a view lacks."""
    rows = max(len(pose) for pose in poses if pose is not None)
    keypoints = next(pose.keypoints.shape[1] for pose in poses if pose is not None)
    pixels = np.full((len(poses), rows, keypoints, 2), np.nan)
    for view, pose in enumerate(poses):
        if pose is not None:
            sure = (pose.confidence >= triangulation.limits.min_confidence) & (np.abs(pose.xy) < 1e7).all(axis=-1)
            pixels[view, : len(pose)][sure] = pose.xy[sure]
    rays = np.ones((*pixels.shape[:3], 3))
    rays[..., :2] = np.moveaxis(triangulation.straighten(pixels.reshape(len(poses), -1, 2)), 0, -1).reshape(
        pixels.shape
    )
    return rays


def _epipolar(triangulation: Triangulation, one: int, other: int, rays: Floats, others: Floats) -> Floats:
    """(N, M) median epipolar distances [px] of (N, K, 3) rays in one view and (M, K, 3) in another; infinite where none is seen
    in both.
    """
    first, second = triangulation.cameras[one], triangulation.cameras[other]
    turn = second.rotation @ first.rotation.T
    x, y, z = second.translation - turn @ first.translation
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn
    with np.errstate(all="ignore"):
        lines, back = rays @ essential.T, others @ essential  # in the other view, and in the first
        miss = np.abs((lines[:, None] * others).sum(axis=-1))
        scale = second.matrix[0, 0] / np.hypot(lines[..., 0], lines[..., 1])[:, None]
        distance = miss * (scale + first.matrix[0, 0] / np.hypot(back[..., 0], back[..., 1])) / 2
    distance = np.sort(np.where(np.isfinite(distance), distance, np.inf), axis=-1)
    middle = np.maximum(np.isfinite(distance).sum(axis=-1) - 1, 0) // 2
    median: Floats = np.take_along_axis(distance, middle[..., None], axis=-1)[..., 0]
    return median


def _cheapest(costs: Floats, most: float) -> list[int]:
    """The column of each row, -1 for none: the assignment with the lowest sum of costs, of pairs below `most`."""
    if not costs.size:
        return [-1] * len(costs)
    rows, columns = costs.shape
    chosen = costs.argmin(axis=1)  # if these are different columns, no other assignment is cheaper
    if len(set(chosen.tolist())) < rows:
        gains = most - np.minimum(costs, most)
        chosen = assign(gains[None], np.array([rows]), np.array([columns]))[0]
    return [
        int(column) if column >= 0 and costs[row, column] < most else -1 for row, column in enumerate(chosen.tolist())
    ]
