"""DeepLabCut-live's options for how a top-down model finds its animals, translated into ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.data.option_checks import check_number, check_whole
from dlclive_core.errors import UsageError, nearest, shown
from dlclive_core.models.detection import DetectionOptions, FollowingBox

_CONFIG = ("bbox_cutoff", "max_detections", "skip_frames")
_DYNAMIC = {
    "patch_counts": "tiles",
    "patch_overlap": "overlap",
    "min_bbox_size": "min_size",
    "min_hq_keypoints": "min_keypoints",
}


def detection_options_from_deeplabcut_live(
    config: Mapping[str, Any] | None, dynamic: Mapping[str, Any] | None, conditions: str | Path | PoseModel | None
) -> DetectionOptions:
    """Translate `top_down_config` and `top_down_dynamic` of DeepLabCut-live.

    "crop_size" and "top_down_crop_size" are accepted and ignored: the model defines the size of its crops.

    Raises:
        UsageError: an unknown key; the message names the nearest valid one.
    """
    options: dict[str, Any] = {"conditions": conditions}
    if config is not None:
        _check_keys(config, (*_CONFIG, "crop_size"), "top_down_config")
        skip = config.get("skip_frames") or {}
        _check_keys(skip, ("skip", "margin"), "skip_frames")
        if config.get("bbox_cutoff") is not None:
            options["min_score"] = check_number("bbox_cutoff", config["bbox_cutoff"])
        options["max_animals"] = config.get("max_detections")
        options["detect_every"] = 1 + check_whole("skip", skip.get("skip") or 0, least=0, of="of frames")
        options["margin"] = skip.get("margin")
    if dynamic is not None:
        _check_keys(
            dynamic,
            (*_DYNAMIC, "type", "threshold", "margin", "bbox_from_hq", "top_down_crop_size"),
            "top_down_dynamic",
        )
        options["follow"] = FollowingBox(
            **{ours: _pair(dynamic[name]) for name, ours in _DYNAMIC.items() if name in dynamic}
        )
        options["margin"] = dynamic.get("margin", options.get("margin"))
        if dynamic.get("threshold") is not None:
            options["threshold"] = dynamic["threshold"]
    return DetectionOptions(**options)


def _pair(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_keys(options: Mapping[str, Any], valid: Sequence[str], where: str) -> None:
    if not isinstance(options, Mapping):
        raise UsageError(f"{where} takes a dict with any of {', '.join(valid)}; got {shown(options)}")
    for key in options:
        if key not in valid:
            raise UsageError(f"{where} has no key {key!r}: {nearest(key, valid)}")
