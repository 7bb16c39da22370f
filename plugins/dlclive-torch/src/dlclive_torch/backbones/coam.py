"""HRNet with conditional attention between its stages (HRNetCoAM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.conditional_attention import BranchAttention, ConditionalAttention
from dlclive_torch.backbones.hrnet import HRNet, build_hrnet
from dlclive_torch.condition_image import ConditionImage, build_condition_image

_STAGES = (1, 2, 3)
"""Attention may follow these stages."""


class HRNetCoAM(Backbone):
    """An HRNet whose branches attend to a condition after some stages; returns the highest-resolution branch.

    Zhou et al. 2023, "Rethinking pose estimation in crowds: overcoming the detection information bottleneck and
    ambiguity", the variant "CoAM"; Wang et al. 2020, "Deep high-resolution representation learning for visual
    recognition". One layer of the channel attention has a weight for each pair of cells, so the input size is fixed.

    Args:
        trunk: the HRNet.
        picture: draws the condition.
        size: (height, width) of the input, multiples of 32.
        stages: the stages that attention follows: 1, 2 or 3, after which there are two, three or four branches.
        heads, channels_only: options of the attention.
    """

    conditional = True
    stride = 4

    def __init__(
        self,
        trunk: HRNet,
        picture: ConditionImage,
        size: tuple[int, int],
        *,
        stages: tuple[int, ...] = (2,),
        heads: int = 1,
        channels_only: bool = False,
    ) -> None:
        super().__init__()
        self.channels = trunk.channels
        self.input_size = size
        self.picture = picture
        self.model = trunk.model

        def attention(branch: int) -> ConditionalAttention:
            stride = self.stride << branch
            maps = (size[0] // stride, size[1] // stride)
            channels = self.channels << branch
            return ConditionalAttention(channels, picture.channels, maps, heads, channels_only=channels_only)

        self.coam_stages = nn.ModuleList(
            BranchAttention([attention(branch) for branch in range(stage + 1)]) if stage in stages else nn.Identity()
            for stage in (*_STAGES, 4)
        )

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        picture = self.picture(conditions, images.shape[2], images.shape[3]).to(images.dtype)
        model: Any = self.model
        stem = model.act2(model.bn2(model.conv2(model.act1(model.bn1(model.conv1(images))))))
        branches = [model.layer1(stem)]
        for stage in _STAGES:
            branches = _divide(getattr(model, f"transition{stage}"), branches)
            attention = self.coam_stages[stage - 1]
            if isinstance(attention, BranchAttention):
                branches = attention(branches, picture)
            branches = getattr(model, f"stage{stage + 1}")(branches)
        return branches[0]

    def prune(self) -> None:
        """Drop the layers that compute the lower resolutions of the last module."""
        *_, last = cast("nn.Sequential", self.model.stage4)
        last.fuse_layers = cast("nn.ModuleList", last.fuse_layers)[:1]


def _divide(transition: nn.ModuleList, branches: list[Tensor]) -> list[Tensor]:
    """Add a branch of half the resolution: identity layers pass a branch on, other layers take the lowest branch."""
    return [
        branches[index] if isinstance(layer, nn.Identity) else layer(branches[-1])
        for index, layer in enumerate(transition)
    ]


def build_hrnet_coam(options: Mapping[str, Any]) -> HRNetCoAM:
    """Build an HRNetCoAM from `model.backbone` of a configuration."""
    height, width = (int(length) for length in options.get("img_size") or (256, 256))
    heads = int(options.get("att_heads") or 1)
    stages = tuple(int(stage) for stage in options.get("coam_modules", (2,)) or ())
    if options.get("selfatt_coam_modules"):
        raise UnsupportedModelError(
            "HRNetCoAM with selfatt_coam_modules is not supported; train it with coam_modules alone"
        )
    if any(stage not in _STAGES for stage in stages):
        raise UnsupportedModelError(f"coam_modules of an HRNetCoAM are stages 1, 2 or 3, not {stages}")
    lowest = 4 << max(stages, default=0)
    cells = (height // lowest) * (width // lowest)  # the cell counts of the higher branches are multiples of this
    if height % 32 or width % 32 or min(height, width, heads) < 1 or cells % heads:
        raise UnsupportedModelError(
            "an HRNetCoAM needs an img_size of multiples of 32, and att_heads that divide the number of cells of its maps; "
            f"got {height} x {width} with {heads}"
        )
    name = str(options.get("base_model_name") or "hrnet_w32")
    picture = build_condition_image(options.get("kpt_encoder"), (height, width))
    trunk = build_hrnet({"model_name": name})
    channels_only = bool(options.get("channel_att_only"))
    return HRNetCoAM(trunk, picture, (height, width), stages=stages, heads=heads, channels_only=channels_only)
