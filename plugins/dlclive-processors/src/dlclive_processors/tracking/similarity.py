r"""How well a detection fits where a track is expected, 0..1: by keypoints, or by boxes.

Both are the usual measures, made to know how uncertain a prediction is. An animal unseen for half a second may be anywhere
in a wide circle; neither measure may then ask for the pixel.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dlclive_processors.tracking.detections import Detections, Floats, Points, squares


class Similarity(Protocol):
    """A measure of similarity."""

    def between(
        self, points: Points, known: Floats | None, areas: Floats, variances: Floats, detections: Detections
    ) -> tuple[Floats, Floats]:
        """Compare M predicted animals with D detections.

        Args:
            points: (M, P) complex px, where each point is expected.
            known: (M, P) 1 for points that the track has ever seen, else 0; None: all of them.
            areas: (M,) px^2, the square of each animal's size.
            variances: (M,) px^2, of a coordinate of the prediction.

        Returns:
            (M, D) the similarity, given that the prediction may be off by as much as its variance says: 1 is a perfect fit; and
            (M, D) the same times how much can be known from it: of two tracks that fit equally well, the one that was seen
            more recently has the higher value.
        """


class KeypointSimilarity:
    r"""Object keypoint similarity (OKS), with the prediction's uncertainty.

    The measure of the COCO keypoint evaluation (cocodataset.org/#keypoints-eval; Ruggero Ronchi and Perona 2017,
    "Benchmarking and error diagnosis in multi-instance pose estimation", ICCV) is the mean over the keypoints seen of

        exp(-d^2 / (2 s^2 k^2)),    k = 2 sigma

    where d is a keypoint's distance in px, s^2 the animal's area in px^2, and sigma how precisely a keypoint is placed, as a
    share of s. A predicted position is normally distributed with a variance p in each coordinate, so d^2 is larger by chance.
    The expectation of the measure over that distribution is

        c / (c + p) exp(-d^2 / (2 (c + p))),    c = s^2 k^2

    (a product of two normal densities, integrated). Its exponential is the similarity, the whole of it the value.

    Args:
        sigma: one for all keypoints; COCO's are 0.026 (eyes) to 0.107 (hips).
    """

    def __init__(self, sigma: float) -> None:
        self._factor = (2.0 * sigma) ** 2

    def between(
        self, points: Points, known: Floats | None, areas: Floats, variances: Floats, detections: Detections
    ) -> tuple[Floats, Floats]:
        """See `Similarity.between`. A detection that shares no keypoint with a track has a similarity of 0."""
        narrow = self._factor * areas
        wide = narrow + variances
        terms = squares(points[:, None, :] - detections.points)
        terms *= (-0.5 / wide)[:, None, None]
        np.exp(terms, out=terms)
        if not detections.is_complete:
            terms *= detections.seen
        common = detections.counts
        if known is not None:
            terms *= known[:, None, :]
            common = np.maximum(known @ detections.seen.T, 1.0)
        similarity = np.add.reduce(terms, axis=2) / common
        return similarity, similarity * (narrow / wide)[:, None]

    def among(self, detections: Detections) -> Floats:
        """(D, D) how well the keypoints of each detection (row) lie on those of another (column); missing ones do not fit.

        Keypoints of the row count; the size is that of the larger of the two.
        """
        areas = np.maximum(detections.areas[:, None], detections.areas) * self._factor
        terms = squares(detections.points[:, None, :] - detections.points)
        terms *= (-0.5 / areas)[..., None]
        np.exp(terms, out=terms)
        terms *= detections.seen[:, None, :] * detections.seen
        similarity: Floats = terms.sum(axis=2) / detections.counts[:, None]
        return similarity


class BoxSimilarity:
    """Intersection over union (IoU) of boxes, each predicted box grown by the prediction's uncertainty.

    A box that is expected with a standard deviation of e in each coordinate is compared as if both boxes were larger by e on
    each side: the buffered IoU of Yang et al. 2023, "Hard to track objects with irregular motions and similar appearances?
    Make it easier by buffering the matching space", WACV, with a buffer that follows from the motion.
    """

    def between(
        self, points: Points, known: Floats | None, areas: Floats, variances: Floats, detections: Detections
    ) -> tuple[Floats, Floats]:
        """See `Similarity.between`. `points` are the top left and bottom right corners."""
        similarity = _overlap(points, detections.points, np.sqrt(variances)[:, None])
        return similarity, similarity * (areas / (areas + variances))[:, None]

    def among(self, detections: Detections) -> Floats:
        """(D, D) the IoU of each pair of detections."""
        return _overlap(detections.points, detections.points, np.zeros((1, 1)))


def _overlap(ours: Points, theirs: Points, buffer: Floats) -> Floats:
    """(M, D) the IoU of boxes (M, 2) and (D, 2), all grown by the buffer (M, 1) on each side."""
    low, high = ours[:, None, 0], ours[:, None, 1]
    width = np.minimum(high.real, theirs[:, 1].real) - np.maximum(low.real, theirs[:, 0].real) + 2 * buffer
    height = np.minimum(high.imag, theirs[:, 1].imag) - np.maximum(low.imag, theirs[:, 0].imag) + 2 * buffer
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    extent, other = high - low, theirs[:, 1] - theirs[:, 0]
    union = (extent.real + 2 * buffer) * (extent.imag + 2 * buffer)
    union = union + (other.real + 2 * buffer) * (other.imag + 2 * buffer) - shared
    overlap: Floats = shared / np.maximum(union, 1e-9)
    return overlap
