"""DeepLabCut-live's options for what the network sees of a frame, as regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from dlclive_core.errors import UsageError, shown
from dlclive_core.regions.following_crop import FollowingCrop
from dlclive_core.regions.region import Chain, Crop, Region, Resize


def regions_from_deeplabcut_live(cropping: object, dynamic: object, resize: float | None) -> Chain:
    """Check the options of `DLCLive`, as callers in Python pass them, and build their regions in the order of composition.

    Args:
        cropping: [x1, x2, y1, y2] in pixels; None or empty: the whole frame.
        dynamic: (state, threshold, margin) of the window that follows the animal in the crop.
        resize: factor, applied last; None or 1: none.

    Raises:
        UsageError: one of them is not such a value.
    """
    regions: list[Region] = []
    if not _has_length(dynamic, 3):
        raise UsageError(f"dynamic takes (state, threshold, margin), such as (True, 0.5, 10); got {shown(dynamic)}")
    if not (cropping is None or _has_length(cropping, 4) or _has_length(cropping, 0)):
        raise UsageError(f"cropping takes four numbers x1, x2, y1, y2; got {shown(cropping)}")
    if _has_length(cropping, 4):
        regions.append(Crop(*cropping))
    state, threshold, margin = dynamic
    if state:
        regions.append(FollowingCrop(threshold=threshold, margin=margin))
    if resize is not None:
        resized = Resize(resize)
        if resize != 1:
            regions.append(resized)
    return Chain(regions)


def _has_length(value: object, length: int) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and len(value) == length
