"""A source with known keypoints and a model that finds them, for tests without a camera, a network or a GPU.

Each keypoint is a bright disc with its own colour: `BlobSource` draws it, and `BlobModel` returns the centre of mass of the
pixels of this colour. Poses are accurate to a fraction of a pixel, in full, cropped and resized frames.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import FrameSource, PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import Frame, as_rgb, check_image
from dlclive_core.data.pose import Pose
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.errors import EndOfStream, UsageError
from dlclive_core.models.network import Arrays, Network

RADIUS = 4.0
_STEP = 24  # between the blue values of neighbouring keypoints: large enough to survive a resize


def blob_skeleton(keypoints: int = 3) -> Skeleton:
    """The skeleton of `BlobSource` and `BlobModel`: k0, k1, ... in a chain."""
    names = tuple(f"k{index}" for index in range(keypoints))
    return Skeleton(names, tuple((index, index + 1) for index in range(keypoints - 1)))


class BlobSource(FrameSource):
    """Frames with one disc per keypoint, moving on circles.

    Args:
        frames: number of frames.
        size: (width, height).
        keypoints: number of discs, at most 8.
        visible: the animal is visible in this share of every ten frames, at their beginning.
        interval: seconds between two frames; 0: as fast as they are read.
    """

    is_live = False

    def __init__(
        self,
        frames: int = 20,
        size: tuple[int, int] = (160, 120),
        keypoints: int = 3,
        visible: float = 1.0,
        interval: float = 0.0,
    ) -> None:
        if not 1 <= keypoints <= 8:
            raise UsageError(f"BlobSource draws 1 to 8 keypoints; got {keypoints}")
        self.name = "blobs"
        self.frame_size = size
        self.fps = 1 / interval if interval else 100.0
        self.frame_count = frames
        self.skeleton = blob_skeleton(keypoints)
        self._visible, self._interval = visible, interval
        self._next = 0
        self._due = 0.0

    def open(self) -> None:
        self._next = 0
        self._due = time.perf_counter()

    def read(self, timeout: float) -> Frame:
        if self._next >= (self.frame_count or 0):
            raise EndOfStream
        if self._interval:
            self._due += self._interval
            wait = self._due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
        index = self._next
        self._next += 1
        return Frame(self.draw(index), index, time.perf_counter(), index / (self.fps or 1.0), self.name)

    def truth(self, index: float) -> NDArray[np.float32]:
        """The true (K, 3) keypoints of a frame or a moment between two: x, y, 1; (NaN, NaN, 0) if the animal is not visible."""
        if (index % 10) >= round(10 * self._visible):
            return Pose.missing(self.skeleton).keypoints[0]
        width, height = self.frame_size or (0, 0)
        angle = 0.1 * index + 2 * np.pi * np.arange(len(self.skeleton)) / 8
        x = width / 2 + (width / 2 - 2 * RADIUS) * np.cos(angle) * 0.9
        y = height / 2 + (height / 2 - 2 * RADIUS) * np.sin(angle) * 0.9
        return np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)

    def draw(self, index: float) -> NDArray[np.uint8]:
        """The (H, W, 3) image of a frame."""
        width, height = self.frame_size or (0, 0)
        image = np.zeros((height, width, 3), dtype=np.uint8)
        rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
        for keypoint, (x, y, visible) in enumerate(self.truth(index)):
            if visible:
                disc = np.hypot(columns - x, rows - y) <= RADIUS
                image[disc] = (255, 255, 40 + _STEP * keypoint)
        return image


class LiveBlobSource(BlobSource):
    """A BlobSource that is live: frames that are not read in time are lost."""

    is_live = True


class BlobModel(PoseModel):
    """Finds the discs of a BlobSource; an absent disc is a missing keypoint, with confidence 0.

    Args:
        keypoints: number of discs to find.
        delay: minimum duration of a prediction in seconds, to simulate a slow network.
    """

    def __init__(self, keypoints: int = 3, delay: float = 0.0) -> None:
        self.card = ModelCard(
            net_type="blobs", skeleton=blob_skeleton(keypoints), scorer="blobs", normalisation="none", format="blobs"
        )
        self.runtime = "numpy"
        self.device = "cpu"
        self._delay = delay

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        if boxes is not None:
            raise UsageError("BlobModel does not accept boxes")
        pixels = as_rgb(check_image(image))
        if self._delay:
            time.sleep(self._delay)
        bright = pixels[:, :, 0] > 200
        rows, columns = np.nonzero(bright)
        red, blue = (pixels[rows, columns, channel].astype(float) for channel in (0, 2))
        # The ratio of blue to red, because a resize mixes the rim with the black background.
        nearest = np.rint((255 * blue / red - 40) / _STEP).astype(int)
        keypoints = Pose.missing(self.card.skeleton).keypoints.copy()
        for keypoint in range(len(self.card.skeleton)):
            disc = nearest == keypoint
            if disc.any():
                keypoints[0, keypoint] = (columns[disc].mean() + 0.5, rows[disc].mean() + 0.5, 1.0)
        return Pose(keypoints, self.card.skeleton)


class BlobNetwork(Network):
    """`BlobModel` as a network that ignores its file: a runtime for tests of loading, export and benchmarks."""

    runtime = "blobs"

    def __init__(self, path: Path, *, device: str = "auto", precision: str = "auto") -> None:
        self._model = BlobModel()
        self.card = self._model.card

    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None) -> Arrays:
        """See Network.run."""
        return {"keypoints": np.stack([self._model.predict(image).keypoints for image in images])}
