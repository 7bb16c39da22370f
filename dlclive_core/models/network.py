"""What a runtime makes of a model file: a network that turns arrays into arrays. `load_model` makes a PoseModel of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import Component
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Setting:
    """One way in which a runtime can run a file on this computer: what `load_model` takes as device and precision.

    Attributes:
        device: "cpu", "cuda:0", ...
        precision: of the arithmetic: "fp32", "fp16", "bf16", "int8".
    """

    device: str
    precision: str


@dataclass(frozen=True, slots=True)
class PeakWork:
    """One call of a runtime's library that keeps a device as busy as it can be, such as a large product of matrices.

    Attributes:
        precision: of the arithmetic: "fp32", "fp16", ...
        call: does it once, and returns when the device has finished.
        operations: floating-point operations of one call, a multiplication and an addition counted as two.
        description: what the call does, for reports.
    """

    precision: str
    call: Callable[[], object]
    operations: float
    description: str


Arrays = Mapping[str, NDArray[np.float32]]


class Network(Component):
    """A loaded network. Used by one thread at a time; whoever loads it closes it.

    Everything that can be computed on the device is in the network: normalising, padding, decoding. What follows, putting
    animals together, crops, tracking, is the same for all runtimes and is done by the models of `dlclive_core.models.load`.

    Attributes:
        card: the facts about the model.
        runtime: the name of the runtime, for example "onnx".
        device: what really runs it, as found out after loading, for example "cpu" or "cuda:0 (NVIDIA RTX 4090)".
    """

    card: ModelCard
    runtime: str = ""
    device: str = "cpu"

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:  # noqa: ARG003
        """All ways in which this runtime can run a file on this computer; the file is not loaded.

        For `dlclive benchmark` and `dlclive tune`, which try them. Empty: this file, or none, cannot be run here.
        """
        return ()

    @classmethod
    def peak_work(cls, device: str) -> Sequence[PeakWork]:  # noqa: ARG003
        """Calls from which `dlclive benchmark` measures the peak of a device, in operations per second.

        Args:
            device: "cpu", "cuda:0", ...

        Returns:
            One call for each precision that the library has a good one for; empty where it has none, or too little memory.
        """
        return ()

    @abstractmethod
    def run(self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None) -> Arrays:
        """Run a batch.

        Args:
            images: (B, H, W, 3) uint8 RGB, contiguous; of the card's `input_size`, if it has one.
            conditions: (B, K, 3) float32 keypoints in pixels of the images, for conditional networks.

        Returns:
            float32 arrays that the caller may keep, coordinates in pixels of the images; what was not found is NaN, NaN, 0:

            - "keypoints" (B, I, K, 3): x, y, confidence;
            - or "peaks" (B, K, P, 3) and "affinities" (B, L, P, P), for cards with `assembly`;
            - "unique" (B, U, 3), for cards with `unique_keypoints`;
            - "identity" (B, I, K, J) or (B, K, P, J), for cards with `identity`: how much a keypoint looks like each of the
              J individuals.
        """

    def raw_call(self, images: NDArray[np.uint8]) -> Callable[[], object]:
        """The runtime's own call on these images, which `run` takes, with as little around it as can be.

        For `dlclive benchmark`, which holds a whole frame-to-pose call against it; the answer is thrown away. A runtime
        overrides this where its library has a call that is barer than `run`.
        """
        return partial(self.run, images)

    def operations(self, images: NDArray[np.uint8]) -> float:
        """Floating-point operations of `run` on these images, a multiplication and an addition counted as two.

        Counted, not timed: convolutions and products of matrices, which are nearly all. NaN where the runtime cannot tell.
        """
        return float("nan")

    def detector(self) -> Detector | None:
        """Load the detector that belongs to a top-down network, on the same device; None if it has none.

        Raises:
            DependencyError, ModelError: it has one that cannot be loaded.
        """
        return None


class Detector(Component):
    """A loaded detector of animals. Used by one thread at a time."""

    @abstractmethod
    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Find animals in an (H, W, 3) uint8 RGB image.

        Returns:
            (M, 5) float32 x1, y1, x2, y2 in pixels of the image and score 0..1, the highest score first. M may be 0.
        """


def output(arrays: Arrays, name: str, card: ModelCard) -> NDArray[np.float32]:
    """One array of a network; ModelError if it did not give it."""
    if name not in arrays:
        held = ", ".join(arrays) or "nothing"
        raise ModelError(f"{card.net_type} ({card.format}) gave {held}, but no {name!r}: export the model again")
    return arrays[name]
