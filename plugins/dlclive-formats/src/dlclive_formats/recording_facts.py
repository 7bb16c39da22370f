"""What is known of a recording, as values for JSON, for formats that have room for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dlclive_core import DataError, RecordingInfo, foreign_card

VERSION = 1


def to_facts(info: RecordingInfo) -> dict[str, Any]:
    """The facts of a recording, by name."""
    card = info.card
    return {
        "version": VERSION,
        "scorer": card.scorer,
        "keypoints": list(card.skeleton.keypoints),
        "edges": [list(edge) for edge in card.skeleton.edges],
        "individuals": list(card.individuals),
        "multi_animal": card.multi_animal,
        "unique_keypoints": list(card.unique_keypoints),
        "source": info.source,
        "frame_size": None if info.frame_size is None else list(info.frame_size),
        "fps": info.fps,
        "has_times": info.has_times,
        "started_at": None if info.started_at is None else info.started_at.isoformat(),
        "dimensions": info.dimensions,
        "unit": info.unit,
    }


def from_facts(path: Path, facts: Any) -> RecordingInfo:
    """The inverse of `to_facts`; every value is checked. Raises DataError."""
    if not isinstance(facts, Mapping):
        raise DataError(f"{path} does not describe its poses: its metadata is no mapping")
    version = facts.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise DataError(f"{path} was written by a newer dlclive-formats: update it")
    try:
        size, fps, started = facts["frame_size"], facts["fps"], facts["started_at"]
        dimensions = facts["dimensions"]
        if dimensions not in (2, 3):
            raise ValueError(f"{dimensions!r} dimensions")
        if fps is not None and not 0 < float(fps) < 1e9:
            raise ValueError(f"{fps!r} frames per second")
        card = foreign_card(
            path,
            facts["keypoints"],
            edges=[(a, b) for a, b in facts["edges"]],
            individuals=facts["individuals"],
            multi_animal=facts["multi_animal"] is True,
            unique_keypoints=facts["unique_keypoints"],
            scorer=facts["scorer"],
        )
        return RecordingInfo(
            card=card,
            source=str(facts["source"]),
            frame_size=None if size is None else (int(size[0]), int(size[1])),
            fps=None if fps is None else float(fps),
            has_times=facts["has_times"] is True,
            started_at=None if started is None else datetime.fromisoformat(started),
            dimensions=dimensions,
            unit=str(facts["unit"]),
        )
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        what = " ".join(str(error).split())[:200]
        raise DataError(f"{path} does not describe its poses: {type(error).__name__}: {what}") from None
