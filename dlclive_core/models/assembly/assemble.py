"""Candidates in, animals out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.models.assembly.animals import Animal
from dlclive_core.models.assembly.growth import grow_animals
from dlclive_core.models.assembly.links import best_links
from dlclive_core.models.assembly.overlap import distinct


def assemble(
    peaks: NDArray[np.float32], affinities: NDArray[np.float32], rules: AssemblyRules
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Put the animals of one image together, as DeepLabCut does with its defaults.

    Candidates are linked edge by edge, links grow into animals, and animals with few links, or on top of a stronger one, are
    dropped (Lauer et al. 2022, "Multi-animal pose estimation, identification and tracking with DeepLabCut",
    Nature Methods 19). A single animal has the surest candidate for each of its keypoints; where animals have one keypoint,
    the surest candidates are animals.

    Args:
        peaks: (K, P, 3) x, y, confidence of P candidates for each of K keypoints; those that are not there NaN, NaN, 0.
        affinities: (L, P, P), of candidate [i] for the first keypoint of an edge and [j] for the second.
        rules: edges, number of animals and thresholds.

    Returns:
        keypoints: (I, K, 3) float32, a row for each individual, first the animals whose links are strongest together.
            What was not found is NaN, NaN, 0.
        chosen: (I, K), which of the P candidates each keypoint is, -1 for none.
    """
    chosen = np.full((rules.individuals, len(peaks)), -1, dtype=np.intp)
    for row, found in enumerate(find_animals(peaks, affinities, rules)[: rules.individuals]):
        for keypoint, peak in found.peaks.items():
            chosen[row, keypoint] = peak
    keypoints = np.full((*chosen.shape, 3), np.nan, dtype=np.float32)
    keypoints[..., 2] = 0
    rows, columns = np.nonzero(chosen >= 0)
    keypoints[rows, columns] = peaks[columns, chosen[rows, columns]]
    return keypoints, chosen


def find_animals(peaks: NDArray[np.float32], affinities: NDArray[np.float32], rules: AssemblyRules) -> list[Animal]:
    """The animals of `assemble`, in its order; there may be more of them than individuals."""
    confidence = np.where(np.isfinite(peaks[..., 0]), peaks[..., 2], 0)
    count = len(confidence)
    if count == 1:
        surest = np.argsort(-confidence[0], kind="stable")
        return [Animal({0: int(peak)}) for peak in surest if confidence[0, peak] > 0]
    if rules.individuals == 1:
        best = confidence.argmax(axis=1)
        return [Animal({k: int(peak) for k, peak in enumerate(best) if confidence[k, peak] > 0})]
    animals = grow_animals(best_links(confidence, affinities, rules), count, rules.individuals)
    animals = [animal for animal in animals if len(animal.links) >= rules.min_links]
    if animals:
        kept = distinct(_points(animals, peaks), [animal.affinity for animal in animals], rules.max_overlap)
        animals = [animals[number] for number in kept]
    if len(animals) > rules.individuals:
        animals.sort(key=lambda animal: -len(animal))
    return animals


def _points(animals: Sequence[Animal], peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(A, K, 2) positions of the animals' keypoints, NaN where they have none."""
    points = np.full((len(animals), len(peaks), 2), np.nan, dtype=np.float32)
    for row, animal in enumerate(animals):
        for keypoint, peak in animal.peaks.items():
            points[row, keypoint] = peaks[keypoint, peak, :2]
    return points
