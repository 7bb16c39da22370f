"""The heads by DeepLabCut's name. To add a head, add a file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dlclive_torch.heads.base import Head
from dlclive_torch.heads.dekr import build_dekr_head
from dlclive_torch.heads.dlcrnet import build_dlcrnet_head
from dlclive_torch.heads.heatmap import build_heatmap_head
from dlclive_torch.heads.rtmcc import build_rtmcc_head
from dlclive_torch.heads.transformer import build_transformer_head

HEADS: Mapping[str, Callable[[Mapping[str, Any], int], Head]] = MappingProxyType(
    {
        "HeatmapHead": build_heatmap_head,
        "DLCRNetHead": build_dlcrnet_head,
        "RTMCCHead": build_rtmcc_head,
        "DEKRHead": build_dekr_head,
        "TransformerHead": build_transformer_head,
    }
)
"""`type` of a head -> a function from the head's configuration and the stride of the features to the head."""
