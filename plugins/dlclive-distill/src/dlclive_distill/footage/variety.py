"""Choose frames that differ: clusters of appearance and of the animal's poses, spread evenly over both and over time."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from dlclive_distill.teacher import SURE

CLUSTERS = 64
_COMPONENTS = 16
_FITTED = 4000
"""Frames from which principal components are computed; all are projected."""


def principal(features: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, c) the first principal components of (n, d) features, in units of the first one's standard deviation."""
    centred = features - features.mean(axis=0)
    sample = centred if len(centred) <= _FITTED else centred[rng.choice(len(centred), _FITTED, replace=False)]
    _, scales, axes = np.linalg.svd(sample, full_matrices=False)
    if not len(scales) or scales[0] <= 0:  # all frames are equal
        return np.zeros((len(features), 1), np.float32)
    deviation = scales[0] / np.sqrt(len(sample))
    return (centred @ axes[:_COMPONENTS].T / deviation).astype(np.float32)


def pose_features(keypoints: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(n, A (3 K + 2)) features of the poses of A animals, (n, A, K, 3), in frames of a size, (width, height).

    Whatever the animals' order: they are sorted from left to right.
    """
    animals = keypoints.shape[1]
    sums = np.where(keypoints[..., 2] >= SURE, keypoints[..., 0], 0).sum(axis=2)
    counts = (keypoints[..., 2] >= SURE).sum(axis=2)
    places = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)  # animals that are not there come last
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(keypoints, order[:, :, None, None], axis=1)
    features = [_pose_features(ordered[:, slot], size) for slot in range(animals)]
    return np.concatenate(features, axis=1) / np.float32(np.sqrt(animals))


def _pose_features(keypoints: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(n, 3 K + 2) poses relative to their centre and in the frame, from (n, K, 3) keypoints; those not sure lie in the centre.

    A third of the weight each: the shape, where the animal is, and which keypoints are seen.
    """
    count, points = keypoints.shape[:2]
    seen = keypoints[:, :, 2] >= SURE
    weights = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    positions = np.where(seen[:, :, None], keypoints[:, :, :2], 0)
    centre = (positions * weights[:, :, None]).sum(axis=1)
    centre[~seen.any(axis=1)] = np.asarray(size) / 2
    shape = np.where(seen[:, :, None], positions - centre[:, None], 0).reshape(count, -1)
    parts = [shape / _spread(shape), centre / _spread(centre), seen / np.sqrt(points)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _spread(values: NDArray[np.float64]) -> float:
    """The root of the sum of the variances of columns; 1 if nothing varies."""
    spread = float(np.sqrt(values.var(axis=0).sum()))
    return spread if spread > 0 else 1.0


def clusters(points: NDArray[np.float32], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) the cluster of each of (n, d) points, by k-means with at most `most` clusters."""
    wide = points.astype(np.float64)
    centres = _apart(wide, min(most, len(points)), rng)
    if len(centres) < 2:
        return np.zeros(len(points), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cluster has become empty, which does not matter here
        _, labels = kmeans2(wide, centres, minit="matrix", iter=20)
    return labels.astype(np.int64)


def _apart(points: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Up to `count` different points, each chosen with a probability that grows with its distance to those before."""
    chosen = [int(rng.integers(len(points)))]
    distances = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count and distances.sum() > 0:
        chosen.append(int(rng.choice(len(points), p=distances / distances.sum())))
        distances = np.minimum(distances, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def spread_over(labels: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The places, increasing, of `count` members: as many of each cluster as possible, evenly in each cluster's order.

    Small clusters give all their members, and large ones share what is left.
    """
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    shares = _shares([len(each) for each in members], min(count, len(labels)), rng)
    chosen = [_evenly(each, share) for each, share in zip(members, shares, strict=True)]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def _shares(sizes: list[int], count: int, rng: np.random.Generator) -> list[int]:
    """How many of each cluster: equal numbers, as far as its size allows; what does not divide goes to some at random."""
    shares = [0] * len(sizes)
    while (left := count - sum(shares)) > 0:
        free = [place for place, size in enumerate(sizes) if shares[place] < size]
        each, rest = divmod(left, len(free))
        lucky = set(rng.permutation(len(free))[:rest].tolist())
        for number, place in enumerate(free):
            shares[place] = min(sizes[place], shares[place] + each + (number in lucky))
    return shares


def _evenly(members: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` of the members at equal distances: the middle of each of `count` equal parts."""
    places = (np.arange(count) + 0.5) * len(members) / max(count, 1)
    return members[places.astype(np.int64)]
