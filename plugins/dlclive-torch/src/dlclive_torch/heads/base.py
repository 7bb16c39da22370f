"""What every head is."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from dlclive_core.runtimes import AssemblyRules


class Head(nn.Module):
    """Layers from features to maps, with the decoder that makes keypoints of them.

    `forward` takes features (N, C, h, w) and returns float32 tensors by name, those that `outputs` lists, in that order:

    - "keypoints" (N, I, K, 3): x, y in pixels of the network's input, and confidence 0..1, of I individuals; what was not
      found is NaN, NaN, 0;
    - or, where animals are put together afterwards, "peaks" (N, K, P, 3), the P surest candidates for each keypoint, and
      "affinities" (N, L, P, P), how well the candidates at both ends of each of L edges belong together.

    It must be batched and work in torch.export: no branches on values.

    Attributes:
        outputs: the names of what `forward` returns.
        exact: whether the head magnifies rounding so much that images are normalised in double precision for it, and
            batch normalisations are left as they are.
        keypoints: how many it finds, K; None: as many as the neck has tokens for.
        stride: pixels of the network's input per cell of the head's maps.
        input_size: (height, width) of the only input that the head takes; None for any.
        assembly: how the candidates are put together, for heads that give "peaks" and "affinities".
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
        """Rearrange the layers for speed. Called after the weights are in; the function stays the same."""
