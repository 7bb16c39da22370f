"""The necks by DeepLabCut's name. To add a neck, add a file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from dlclive_torch.necks.transformer import build_transformer

NECKS: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = MappingProxyType(
    {
        "Transformer": build_transformer,
    }
)
"""`model.neck.type` of a configuration -> a function from `model.neck` to the neck without weights."""
