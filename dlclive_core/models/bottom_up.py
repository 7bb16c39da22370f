"""Models that find animals in whole images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.frame import as_rgb, check_image
from dlclive_core.data.pose import Pose
from dlclive_core.errors import UsageError
from dlclive_core.models.network import Network
from dlclive_core.models.outputs import run_poses


class BottomUpModel(PoseModel):
    """A network that finds the animals in a whole image by itself: a single one, or several, assembled or regressed."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.card, self.runtime, self.device = network.card, network.runtime, network.device

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """See PoseModel.predict."""
        if boxes is not None:
            raise UsageError(f"{self.card.net_type} finds animals in whole images and takes no boxes")
        return run_poses(self.network, as_rgb(check_image(image))[None])[0]

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """Find the animals in several images; images of the same shape run as one batch."""
        pixels = [as_rgb(check_image(image)) for image in images]
        poses: dict[int, Pose] = {}
        for shape in {image.shape for image in pixels}:
            indices = [index for index, image in enumerate(pixels) if image.shape == shape]
            batch = run_poses(self.network, np.stack([pixels[index] for index in indices]))
            poses.update(zip(indices, batch, strict=True))
        return [poses[index] for index in range(len(pixels))]

    def close(self) -> None:
        """Close the network."""
        self.network.close()
