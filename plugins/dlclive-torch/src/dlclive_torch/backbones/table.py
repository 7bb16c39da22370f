"""The backbones by DeepLabCut's name. To add a backbone, add a file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dlclive_torch.backbones.base import Backbone
from dlclive_torch.backbones.coam import build_hrnet_coam
from dlclive_torch.backbones.cspnext import build_cspnext
from dlclive_torch.backbones.dlcrnet import build_dlcrnet
from dlclive_torch.backbones.hrnet import build_hrnet
from dlclive_torch.backbones.prenet import build_cond_prenet
from dlclive_torch.backbones.resnet import build_resnet

BACKBONES: Mapping[str, Callable[[Mapping[str, Any]], Backbone]] = MappingProxyType(
    {
        "ResNet": build_resnet,
        "HRNet": build_hrnet,
        "CSPNeXt": build_cspnext,
        "DLCRNet": build_dlcrnet,
        "CondPreNet": build_cond_prenet,
        "HRNetCoAM": build_hrnet_coam,
    }
)
"""`model.backbone.type` of a configuration -> a function from `model.backbone` to the backbone without weights."""
