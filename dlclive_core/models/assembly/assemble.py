"""Assembly: from candidates to animals."""

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
    """Assemble the animals of one image, as DeepLabCut does with its defaults.

    Candidates are linked edge by edge, links grow into animals, and animals with few links, or that overlap a stronger one, are
    dropped (Lauer et al. 2022, "Multi-animal pose estimation, identification and tracking with DeepLabCut",
    Nature Methods 19). A single animal takes the most confident candidate for each of its keypoints; if animals have one
    keypoint, the most confident candidates are the animals.

    Args:
        peaks: (K, P, 3) x, y, confidence of P candidates for each of K keypoints; NaN, NaN, 0 for absent ones.
        affinities: (L, P, P), of candidate [i] for the first keypoint of an edge and [j] for the second.
        rules: edges, number of animals and thresholds.

    Returns:
        keypoints: (I, K, 3) float32, a row for each individual, the animals with the strongest links first;
            NaN, NaN, 0 for what was not found.
        peak_of: (I, K), the candidate of each keypoint, 0..P-1; -1 for none.
    """
    peak_of = np.full((rules.individuals, len(peaks)), -1, dtype=np.intp)
    for row, animal in enumerate(find_animals(peaks, affinities, rules)[: rules.individuals]):
        for keypoint, peak in animal.peaks.items():
            peak_of[row, keypoint] = peak
    keypoints = np.full((*peak_of.shape, 3), np.nan, dtype=np.float32)
    keypoints[..., 2] = 0
    rows, columns = np.nonzero(peak_of >= 0)
    keypoints[rows, columns] = peaks[columns, peak_of[rows, columns]]
    return keypoints, peak_of


def find_animals(peaks: NDArray[np.float32], affinities: NDArray[np.float32], rules: AssemblyRules) -> list[Animal]:
    """The animals of `assemble`, in the same order; there may be more than individuals."""
    confidence = np.where(np.isfinite(peaks[..., 0]), peaks[..., 2], 0)
    count = len(confidence)
    if count == 1:
        by_confidence = np.argsort(-confidence[0], kind="stable")
        return [Animal({0: int(peak)}) for peak in by_confidence if confidence[0, peak] > 0]
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
    """(A, K, 2) positions of the animals' keypoints, NaN for missing ones."""
    points = np.full((len(animals), len(peaks), 2), np.nan, dtype=np.float32)
    for row, animal in enumerate(animals):
        for keypoint, peak in animal.peaks.items():
            points[row, keypoint] = peaks[keypoint, peak, :2]
    return points
