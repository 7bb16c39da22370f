"""A pose network put together from a configuration: backbone, neck, heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from dlclive_core.deeplabcut import PoseConfig
from dlclive_core.errors import UnsupportedModelError
from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.table import BACKBONES
from dlclive_torch.heads.base import Head
from dlclive_torch.heads.table import HEADS

BODYPART = "bodypart"
"""The name of the head that every DeepLabCut network has."""


class PoseNetwork(nn.Module):
    """Normalised images (N, 3, H, W) in, keypoints (N, I, K, 3) float32 in pixels of these images out.

    Args:
        backbone: images to features.
        heads: by name; the one called "bodypart" gives the keypoints.
        neck: features to features, None for none.
    """

    def __init__(self, backbone: Backbone, heads: Mapping[str, Head], neck: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck or nn.Identity()
        self.heads = nn.ModuleDict(heads)
        self.stride = heads[BODYPART].stride

    def forward(self, images: Tensor) -> Tensor:
        keypoints: Tensor = self.heads[BODYPART](self.neck(self.backbone(images)))
        return keypoints


def build_network(config: PoseConfig) -> PoseNetwork:
    """Make the network of a configuration, its weights not yet filled in.

    Raises:
        UnsupportedModelError: a part of it is not one of those in the tables; the message names it and them.
    """
    model = config.model
    if model.get("neck"):
        raise UnsupportedModelError(f"{config.net_type} has a neck {_type(model['neck'])!r}; no neck is supported")
    backbone = _choose("backbone", model.get("backbone"), BACKBONES)(model["backbone"])
    parts = model.get("heads") or {}
    if BODYPART not in parts:
        raise UnsupportedModelError(f"{config.net_type} has no head {BODYPART!r}, but {', '.join(parts) or 'none'}")
    others = sorted(set(parts) - {BODYPART})
    if others:
        raise UnsupportedModelError(f"{config.net_type} has a head {others[0]!r}; supported is {BODYPART!r} alone")
    head = _choose("head", parts[BODYPART], HEADS)(parts[BODYPART], backbone.stride)
    return PoseNetwork(backbone, {BODYPART: head})


def _choose(what: str, options: Any, table: Mapping[str, Any]) -> Any:
    name = _type(options)
    if name not in table:
        supported = ", ".join(sorted(table))
        raise UnsupportedModelError(f"no {what} {name!r} in dlclive-torch; supported: {supported}")
    return table[name]


def _type(options: Any) -> str:
    return str(options.get("type")) if isinstance(options, Mapping) else str(options)
