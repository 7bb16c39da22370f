"""DeepLabCut-live's words for how a top-down model finds its animals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.errors import UsageError, nearest
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
    """The options that DeepLabCut-live's users give as `top_down_config` and `top_down_dynamic`.

    "crop_size" and "top_down_crop_size" are taken and not needed: the model says how large its crops are.

    Raises:
        UsageError: a word that is not known, with the nearest one.
    """
    options: dict[str, Any] = {"conditions": conditions}
    if config is not None:
        _check_words(config, (*_CONFIG, "crop_size"), "top_down_config")
        skip = dict(config.get("skip_frames") or {})
        _check_words(skip, ("skip", "margin"), "skip_frames")
        if config.get("bbox_cutoff") is not None:
            options["min_score"] = float(config["bbox_cutoff"])
        options["max_animals"] = config.get("max_detections")
        options["detect_every"] = 1 + int(skip.get("skip") or 0)
        options["margin"] = skip.get("margin")
    if dynamic is not None:
        _check_words(
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


def _check_words(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for word in given:
        if word not in known:
            raise UsageError(f"{where} has no {word!r}: {nearest(word, known)}")
