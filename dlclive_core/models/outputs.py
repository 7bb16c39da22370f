"""From a network's arrays to poses: assembly of animals, and identity of individuals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.card import ModelCard
from dlclive_core.data.pose import Pose
from dlclive_core.deeplabcut.config import padded_size
from dlclive_core.errors import FrameError
from dlclive_core.models.assembly import assemble, order_by_identity
from dlclive_core.models.network import Arrays, Network, output
from dlclive_core.models.output_shapes import check_arrays, output_shapes
from dlclive_core.models.padding import pad
from dlclive_core.models.preparation import prepare


def run_poses(network: Network, images: NDArray[np.uint8]) -> list[Pose]:
    """Run a bottom-up network on (B, H, W, 3) uint8 RGB images and convert its arrays to poses, in pixels of these images."""
    prepared, transform = prepare(images, network.card.preparation)
    poses = read_poses(network.run(_fitted(network.card, prepared)), network.card)
    return [transform.pose_to_outer(pose) for pose in poses]


def network_input(card: ModelCard, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What `run_poses` gives to `Network.run` of (B, H, W, 3) images. Raises FrameError."""
    return _fitted(card, prepare(images, card.preparation)[0])


def _fitted(card: ModelCard, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contiguous, and padded if the input is fixed."""
    if card.input_size is not None and images.shape[1:3] != card.input_size:
        images = _padded_to_input(images, card)
    check_size(card, images.shape[1:3])
    return np.ascontiguousarray(images)


def read_poses(arrays: Arrays, card: ModelCard) -> list[Pose]:
    """One pose for each image of the batch.

    A network with assembly or identity has a row for each individual of the project; individuals that are not in the image
    are missing (NaN, NaN, 0). Raises ModelError if the arrays are not those of the card.
    """
    check_arrays(card, arrays)
    batch = len(arrays[next(iter(output_shapes(card)))])
    used = output_shapes(card)
    return [_read({name: arrays[name][index] for name in used}, card) for index in range(batch)]


def _padded_to_input(images: NDArray[np.uint8], card: ModelCard) -> NDArray[np.uint8]:
    """Pad images to the fixed input size where possible; return others unchanged."""
    height, width = images.shape[1:3]
    return pad(images, card.pad_divisor) if padded_size(height, width, card.pad_divisor) == card.input_size else images


def check_size(card: ModelCard, shape: tuple[int, ...]) -> None:
    """Raise FrameError if the network cannot take images of this (height, width)."""
    height, width = shape
    if card.input_size is not None and shape != card.input_size:
        fixed = card.input_size
        raise FrameError(
            f"this model's input is fixed to {fixed[1]} x {fixed[0]} pixels (width x height); the image is {width} x "
            f"{height}: crop or resize it, or export the model without a fixed size"
        )
    high, wide = card.least_image
    if height < high or width < wide:
        raise FrameError(
            f"the image is {width} x {height} pixels, smaller than the {wide} x {high} that {card.net_type} needs: give a "
            "larger image, or a larger crop"
        )


def _read(arrays: dict[str, NDArray[np.float32]], card: ModelCard) -> Pose:
    scores = output(arrays, "identity", card) if card.identity else None
    if card.assembly is None:
        keypoints = output(arrays, "keypoints", card)
    else:
        peaks = output(arrays, "peaks", card)
        keypoints, peak_of = assemble(peaks, output(arrays, "affinities", card), card.assembly)
        if scores is not None:  # (K, P, J) of candidates -> (I, K, J) of keypoints
            scores = scores[np.arange(len(scores)), np.maximum(peak_of, 0)]
    pose = Pose(np.asarray(keypoints, np.float32), card.skeleton)
    if scores is not None and scores.shape[-1] == len(card.individuals) >= len(pose):
        order = order_by_identity(pose.keypoints, scores)
        pose = replace(pose, keypoints=pose.keypoints[order], ids=card.individuals[: len(pose)])
    if card.unique_keypoints:
        pose = replace(pose, unique=output(arrays, "unique", card))
    if card.student is not None:
        unlike = float(output(arrays, "unlike", card))
        pose = replace(pose, unlike=math.inf if math.isnan(unlike) else unlike)  # what is no number vouches for nothing
    return pose
