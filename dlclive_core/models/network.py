"""What a runtime loads from a model file: a network, arrays in and arrays out. `load_model` turns it into a PoseModel."""

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
from dlclive_core.data.renamed import check_methods
from dlclive_core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run a file on this computer: a device and a precision, as `load_model` takes them.

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
    """A loaded network. Used by one thread at a time; the caller who loads it closes it.

    The network includes everything that the device can compute: normalisation, padding, decoding. What follows (assembly,
    crops, tracking) is the same for all runtimes and is done in `dlclive_core.models`.

    Attributes:
        card: the facts about the model.
        runtime: the name of the runtime, for example "onnx".
        device: what actually runs it, as determined after loading, for example "cpu" or "cuda:0 (NVIDIA RTX 4090)".
        finer_precision: a precision that exceeds that of files in fp32 and that the constructor takes, "fp64"; None: there is
            none. `dlclive export` measures with it what fp32 leaves open in a network whose export differs.
    """

    card: ModelCard
    runtime: str = ""
    device: str = "cpu"
    finer_precision: str | None = None

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        check_methods(cls, bare="raw_call")

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:  # noqa: ARG003
        """All ways in which this runtime can run a file on this computer. Does not load the file.

        `dlclive benchmark` and `dlclive tune` try them all. Empty: the runtime cannot run this file here.
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
            float32 arrays that the caller may keep, coordinates in pixels of the images, NaN, NaN, 0 for what was not found:

            - "keypoints" (B, I, K, 3): x, y, confidence;
            - or "peaks" (B, K, P, 3) and "affinities" (B, L, P, P), for cards with `assembly`;
            - "unique" (B, U, 3), for cards with `unique_keypoints`;
            - "identity" (B, I, K, J) or (B, K, P, J), for cards with `identity`: how much each keypoint resembles each of the
              J individuals;
            - "unlike" (B,), for cards with `student`: how unlike the network's training each image is; see `Pose.unlike`.
        """

    def raw_call(self, images: NDArray[np.uint8]) -> Callable[[], object]:
        """The runtime library's own call on images that `run` would take, with as little around it as possible.

        `dlclive benchmark` compares a whole frame-to-pose call with it and discards the result. A runtime overrides this if its
        library has a more direct call than `run`.
        """
        return partial(self.run, images)

    def operations(self, images: NDArray[np.uint8]) -> float:
        """Floating-point operations of `run` on these images; a multiplication and an addition count as two.

        Counted, not timed: convolutions and matrix products, which are nearly all of them. NaN if the runtime cannot tell.
        """
        return float("nan")

    def detector(self) -> Detector | None:
        """Load the detector of a top-down network on the same device; None if it has none.

        Raises:
            DependencyError, ModelError: the detector cannot be loaded.
        """
        return None


class Detector(Component):
    """A loaded detector of animals. Used by one thread at a time."""

    @abstractmethod
    def detect(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Find animals in an (H, W, 3) uint8 RGB image.

        Returns:
            (M, 5) float32: x1, y1, x2, y2 in pixels of the image and the score 0..1, highest score first. M may be 0.
        """


def output(arrays: Arrays, name: str, card: ModelCard) -> NDArray[np.float32]:
    """One array of a network's output. Raises ModelError if it is missing."""
    if name not in arrays:
        names = ", ".join(arrays) or "nothing"
        raise ModelError(f"{card.net_type} ({card.format}) returned {names}, but not {name!r}: export the model again")
    return arrays[name]
