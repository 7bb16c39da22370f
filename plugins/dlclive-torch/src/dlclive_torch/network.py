"""A pose network built from a configuration: backbone, neck, heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import PoseConfig
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.table import BACKBONES
from dlclive_torch.heads.base import Head
from dlclive_torch.heads.identity import IdentityHead, build_identity_head
from dlclive_torch.heads.table import HEADS
from dlclive_torch.necks.table import NECKS

BODYPART = "bodypart"
"""The name of the main head; every DeepLabCut network has one."""

UNIQUE = "unique_bodypart"
IDENTITY = "identity"


class PoseNetwork(nn.Module):
    """Normalised images (N, 3, H, W) in, and for conditional networks conditions (N, K, 3); named float32 arrays out.

    The arrays are the outputs of the head "bodypart" (see `Head`) and, for networks with these heads:

    - "unique" (N, U, 3): the keypoints that exist once in the scene;
    - "identity" (N, I, K, J) or (N, K, P, J): how much each keypoint or candidate looks like each of J individuals, 0..1.

    Args:
        backbone: images to features.
        heads: heads by name; "bodypart" returns the keypoints.
        identity: the head that tells individuals apart; None for none.
        neck: features to features; None for none.
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: Mapping[str, Head],
        *,
        identity: IdentityHead | None = None,
        neck: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck or nn.Identity()
        self.heads = nn.ModuleDict(heads)
        if identity is not None:
            self.heads[IDENTITY] = identity
        bodypart = heads[BODYPART]
        self.stride = bodypart.stride
        self.assembly = bodypart.assembly
        self.exact = bodypart.exact
        self.input_size = bodypart.input_size or backbone.input_size
        self.outputs = (
            *bodypart.outputs,
            *(("unique",) if UNIQUE in heads else ()),
            *(("identity",) if identity is not None else ()),
        )

    @property
    def conditional(self) -> bool:
        """Whether the network takes conditions in addition to images."""
        return self.backbone.conditional

    def forward(self, images: Tensor, conditions: Tensor | None = None) -> dict[str, Tensor]:
        features = self.backbone(images) if conditions is None else self.backbone(images, conditions)
        features = self.neck(features)
        outputs: dict[str, Tensor] = self.heads[BODYPART](features)
        if UNIQUE in self.heads:
            outputs["unique"] = self.heads[UNIQUE](features)["keypoints"][:, 0]
        if IDENTITY in self.heads:
            identity = cast("IdentityHead", self.heads[IDENTITY])
            points = outputs["peaks"] if "peaks" in outputs else outputs["keypoints"]
            outputs["identity"] = identity.scores(identity(features), points)
        return {name: outputs[name] for name in self.outputs}

    def prepare(self) -> None:
        """Drop and rearrange layers for speed, without changing the function. Called after the weights are loaded."""
        self.backbone.prune()
        for head in self.heads.values():
            if isinstance(head, Head):
                head.prepare()


def build_network(config: PoseConfig) -> PoseNetwork:
    """Build the network of a configuration without its weights.

    Raises:
        UnsupportedModelError: a part is not in the tables; the message names it and the supported ones.
    """
    model = config.model
    backbone = _builder("backbone", model.get("backbone"), BACKBONES)(model["backbone"])
    neck = _builder("neck", model["neck"], NECKS)(model["neck"]) if model.get("neck") else None
    parts = model.get("heads") or {}
    if BODYPART not in parts:
        raise UnsupportedModelError(
            f"{config.net_type} has no head {BODYPART!r}; its heads: {', '.join(parts) or 'none'}"
        )
    unsupported = sorted(set(parts) - {BODYPART, UNIQUE, IDENTITY})
    if unsupported:
        supported = ", ".join(repr(name) for name in (BODYPART, UNIQUE, IDENTITY))
        raise UnsupportedModelError(f"{config.net_type} has a head {unsupported[0]!r}; supported: {supported}")
    heads = {
        name: _builder("head", parts[name], HEADS)(parts[name], backbone.stride)
        for name in (BODYPART, UNIQUE)
        if name in parts
    }
    identity = build_identity_head(parts[IDENTITY], backbone.stride) if IDENTITY in parts else None
    return PoseNetwork(backbone, heads, identity=identity, neck=neck)


def _builder(part: str, options: Any, table: Mapping[str, Any]) -> Any:
    name = _type(options)
    if name not in table:
        supported = ", ".join(sorted(table))
        raise UnsupportedModelError(f"no {part} {name!r} in dlclive-torch; supported: {supported}")
    return table[name]


def _type(options: Any) -> str:
    return str(options.get("type")) if isinstance(options, Mapping) else str(options)
