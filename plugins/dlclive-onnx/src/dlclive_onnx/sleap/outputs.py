"""From the arrays of a dlclive graph to those that SLEAP's programs read.

They count pixels from the centre of the left upper one; dlclive, like DeepLabCut, from its corner. So all coordinates are
half a pixel less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlclive_onnx.sleap.nodes import INT32, Nodes

HALF = 0.5


def single(nodes: Nodes, keypoints: str) -> dict[str, str]:
    """(B, 1, K, 3) -> `peaks` (B, K, 2) and `peak_vals` (B, K). Keypoints that were not found are NaN, with the value 0."""
    one = nodes("Squeeze", keypoints, np.array([1]))
    points, values = split(nodes, one)
    return {"peaks": points, "peak_vals": values}


def several(nodes: Nodes, keypoints: str) -> dict[str, str]:
    """(B, I, K, 3) -> the outputs of a top-down model.

    The centroid of an animal is the mean of its keypoints, and its value the mean of their confidences.
    """
    points, values = split(nodes, keypoints)
    found = nodes("Not", nodes("IsNaN", _first(nodes, points)))  # (B, I, K)
    count = nodes("ReduceSum", nodes.cast(found, INT32), np.array([2]), keepdims=0)
    present = nodes("Greater", count, np.int32(0))
    divisor = nodes("Cast", nodes("Max", count, np.int32(1)), to=1)
    known = nodes("Where", nodes("Unsqueeze", found, np.array([3])), points, np.float32(0))
    sums = nodes("ReduceSum", known, np.array([2]), keepdims=0)
    return instances(
        nodes,
        centroids=nodes("Div", sums, nodes("Unsqueeze", divisor, np.array([2]))),
        centroid_values=nodes("Div", nodes("ReduceSum", values, np.array([2]), keepdims=0), divisor),
        points=points,
        values=values,
        present=present,
    )


def instances(
    nodes: Nodes, *, centroids: str, centroid_values: str, points: str, values: str, present: str
) -> dict[str, str]:
    """The outputs of a top-down model, in the order in which Bonsai.Sleap reads them; those of absent animals are 0.

    Args:
        centroids, centroid_values: (B, I, 2) and (B, I).
        points, values: (B, I, K, 2) and (B, I, K).
        present: (B, I) bool.
    """
    one, two = (nodes("Unsqueeze", present, np.array(axes)) for axes in ([2], [2, 3]))
    zero = np.float32(0)
    return {
        "centroids": nodes("Where", one, centroids, zero),
        "centroid_vals": nodes("Where", present, centroid_values, zero),
        "peaks": nodes("Where", two, points, zero),
        "peak_vals": nodes("Where", one, values, zero),
        "instance_valid": present,
    }


def candidates(nodes: Nodes, peaks: str, affinities: str, edges: Sequence[tuple[int, int]]) -> dict[str, str]:
    """(B, K, P, 3) and (B, L, P, P) -> the outputs of a bottom-up model, whose animals sleap-nn assembles.

    Absent candidates are 0. The score of a connection is the affinity, between 0 and about 1; SLEAP's own has a sign and a
    penalty for long limbs.
    """
    points, values = split(nodes, peaks)
    present = nodes("Not", nodes("IsNaN", _first(nodes, points)))
    ends = [nodes("Gather", present, np.array([edge[end] for edge in edges]), axis=1) for end in (0, 1)]
    both = nodes("And", nodes("Unsqueeze", ends[0], np.array([3])), nodes("Unsqueeze", ends[1], np.array([2])))
    flat = np.array([0, 0, -1])
    return {
        "peaks": nodes("Where", nodes("Unsqueeze", present, np.array([3])), points, np.float32(0)),
        "peak_vals": nodes("Where", present, values, np.float32(0)),
        "peak_mask": present,
        "line_scores": nodes("Reshape", affinities, flat),
        "candidate_mask": nodes("Reshape", both, flat),
    }


def best_candidates(nodes: Nodes, peaks: str) -> str:
    """(B, K, P, 3) -> (B, 1, K, 3): the most confident candidate of each keypoint, as dlclive assembles one animal."""
    values = nodes("Gather", peaks, np.int64(2), axis=3)
    best = nodes("ArgMax", values, axis=2, keepdims=1)  # (B, K, 1), the first of equal ones
    place = nodes("Expand", nodes("Unsqueeze", best, np.array([3])), np.array([1, 1, 1, 3]))
    return nodes("Transpose", nodes("GatherElements", peaks, place, axis=2), perm=[0, 2, 1, 3])


def split(nodes: Nodes, keypoints: str) -> tuple[str, str]:
    """(..., 3) -> positions (..., 2) from the first pixel's centre, and confidences (...)."""
    last = np.array([-1])
    points = nodes("Slice", keypoints, np.array([0]), np.array([2]), last)
    values = nodes("Squeeze", nodes("Slice", keypoints, np.array([2]), np.array([3]), last), last)
    return nodes("Sub", points, np.float32(HALF)), values


def _first(nodes: Nodes, points: str) -> str:
    """The x of positions (..., 2)."""
    return nodes("Gather", points, np.int64(0), axis=-1)
