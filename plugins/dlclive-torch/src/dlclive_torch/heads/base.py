"""The base class of heads."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from dlclive_core.runtimes import AssemblyRules


class Head(nn.Module):
    """Layers from features to maps, and the decoder from maps to keypoints.

    `forward` takes features (N, C, h, w) and returns the float32 tensors that `outputs` lists, by name and in that order:

    - "keypoints" (N, I, K, 3): x, y in pixels of the network's input, and confidence 0..1, of I individuals; a missing
      keypoint is NaN, NaN, 0;
    - or, if animals are assembled afterwards, "peaks" (N, K, P, 3), the P most confident candidates for each keypoint, and
      "affinities" (N, L, P, P), the affinity of the candidates at both ends of each of L edges.

    `forward` must support batches and torch.export: no branches on values.

    Attributes:
        outputs: the names of the tensors that `forward` returns.
        exact: the head amplifies rounding errors, so images are normalised in double precision and batch normalisations
            are not folded.
        keypoints: the number of keypoints, K; None: as many as the neck has tokens for.
        stride: pixels of the network's input per cell of the head's maps.
        input_size: (height, width) of the only input size that the head supports; None for any.
        assembly: the rules that assemble candidates, for heads that return "peaks" and "affinities".
    """

    outputs: ClassVar[tuple[str, ...]] = ("keypoints",)
    exact: ClassVar[bool] = False
    keypoints: int | None = None
    stride: float
    input_size: tuple[int, int] | None = None
    assembly: AssemblyRules | None = None

    def __call__(self, features: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = super().__call__(features)
        return outputs

    def prepare(self) -> None:
        """Rearrange the layers for speed, without changing the function. Called after the weights are loaded."""
