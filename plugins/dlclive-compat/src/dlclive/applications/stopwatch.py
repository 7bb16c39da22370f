"""How long each frame takes, from the crop to the last processor: what `DLCLive.get_pose` takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive.applications.network_options import NetworkOptions
from dlclive.regions import Regions
from dlclive_core import CropTransform, Frame, Pose, Processor, Region


class Stopwatch(Region):
    """The regions of `DLCLive`, which note when the first one began.

    Args:
        network: says what the network sees.
        others: the regions of the model's profile, for a network without options of its own.

    Attributes:
        seconds: of each frame, in order. Written by the thread that runs the model, and complete after the session's run.
        stop: comes after all other processors.
    """

    def __init__(self, network: NetworkOptions, others: Sequence[Region] = ()) -> None:
        self.seconds: list[float] = []
        self.stop = StopProcessor(self)
        self._network, self._others = network, others
        self._regions = Regions()
        self._began: float | None = None

    def cut(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], CropTransform]:
        if self._began is None:  # not the second look at the same frame
            self._began = time.perf_counter()
        self._configure((image.shape[0], image.shape[1]))
        return self._regions.chain.cut(image)

    def follow(self, pose: Pose) -> None:
        self._regions.chain.follow(pose)

    def views(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        self._configure(shape)
        return self._regions.chain.views(shape)

    def require(self, least: tuple[int, int]) -> tuple[int, int]:
        self._regions.require(least)
        return least

    @property
    def looks_again(self) -> bool:
        return self._regions.chain.looks_again

    def reset(self) -> None:
        self._regions.chain.reset()
        self._began = None

    def note(self) -> None:
        """The frame is done."""
        if self._began is not None:
            self.seconds.append(time.perf_counter() - self._began)
            self._began = None

    def _configure(self, shape: tuple[int, int]) -> None:
        network = self._network
        self._regions.configure(shape, network.cropping, network.dynamic, network.resize, lambda: self._others)


class StopProcessor(Processor):
    """Stops the watch."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self._watch.note()
        return pose
