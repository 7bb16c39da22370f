"""Recordings of random poses, for tests of formats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from dlclive_formats.rows import BLOCK
from numpy.typing import NDArray

from dlclive_core import ModelCard, PoseRecording, PoseRows, RecordingInfo, Skeleton

STARTED = datetime(2026, 3, 5, 14, 3, 7, 250_000, timezone(timedelta(hours=1)))


SKELETON = Skeleton(("snout", "tail", "left ear"), ((0, 1), (0, 2)))
SINGLE = ModelCard(net_type="test", skeleton=SKELETON, scorer="DLC_test")
SEVERAL = SINGLE.with_(multi_animal=True, individuals=("m1", "m2"), unique_keypoints=("lever", "Hebel ö"))


class Poses(PoseRecording):
    """Rows in memory."""

    def __init__(self, info: RecordingInfo, rows: PoseRows) -> None:
        self.info, self.rows = info, rows
        self.frame_count = int(rows.numbers[-1]) + 1 if len(rows) else 0

    def blocks(self) -> Iterator[PoseRows]:
        rows = self.rows
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            yield PoseRows(rows.numbers[part], rows.seconds[part], rows.keypoints[part], rows.unique[part])


def card(
    keypoints: tuple[str, ...] = ("snout", "left ear", "tail"),
    individuals: tuple[str, ...] = ("individual_1",),
    unique: tuple[str, ...] = (),
    edges: tuple[tuple[int, int], ...] = ((0, 1), (0, 2)),
) -> ModelCard:
    return ModelCard(
        net_type="test",
        skeleton=Skeleton(keypoints, edges),
        individuals=individuals,
        multi_animal=len(individuals) > 1,
        unique_keypoints=unique,
        scorer="DLC_test",
    )


def poses(
    info: RecordingInfo, numbers: object, *, seconds: object = None, seed: int = 0, missing: float = 0.1
) -> Poses:
    """Random poses at these frame numbers, at `numbers` / 50 seconds with some jitter unless times are given."""
    random = np.random.default_rng(seed)
    numbers = np.asarray(numbers, np.int64)
    times = numbers / 50 + random.uniform(0, 0.005, len(numbers)) if seconds is None else np.asarray(seconds, float)
    animals, points, unique = len(info.card.individuals), len(info.card.skeleton), len(info.card.unique_keypoints)
    rows = PoseRows(
        numbers,
        times,
        _values(random, (len(numbers), animals, points), info.dimensions, missing),
        _values(random, (len(numbers), unique), info.dimensions, missing),
    )
    return Poses(info, rows)


def info_of(card: ModelCard, **changes: Any) -> RecordingInfo:
    """What is known of a recording of a camera."""
    facts: dict[str, Any] = {
        "source": "videos/mouse 1.mp4",
        "frame_size": (640, 480),
        "fps": 50.0,
        "has_times": True,
        "started_at": STARTED,
    }
    return RecordingInfo(card=card, **(facts | changes))


def recording_of(card: ModelCard, frames: int = 700, *, gaps: bool = True, **changes: Any) -> Poses:
    """Random poses in which some keypoints, animals and times are missing, and with `gaps` some frames."""
    random = np.random.default_rng(1)
    numbers = np.arange(frames)
    recording = poses(info_of(card, **changes), numbers[random.random(frames) > 0.1] if gaps else numbers, missing=0.2)
    recording.frame_count = frames
    rows = recording.rows
    rows.keypoints[random.random(rows.keypoints.shape[:2]) < 0.2] = (np.nan, np.nan, 0.0)
    rows.seconds[random.random(len(rows)) < 0.05] = np.nan
    return recording


def _values(
    random: np.random.Generator, shape: tuple[int, ...], dimensions: int, missing: float
) -> NDArray[np.float64]:
    values = random.uniform(0, 2000, (*shape, dimensions + 1))
    values[..., -1] = random.uniform(0.01, 1, shape)
    gone = random.uniform(size=shape) < missing
    values[gone] = np.nan
    values[gone, -1] = 0.0
    return values


def rows_of(recording: PoseRecording) -> PoseRows:
    """All rows."""
    info = recording.info
    blocks = list(recording.blocks())
    columns = info.dimensions + 1
    empty = PoseRows(
        np.empty(0, np.int64),
        np.empty(0),
        np.empty((0, len(info.card.individuals), len(info.card.skeleton), columns)),
        np.empty((0, len(info.card.unique_keypoints), columns)),
    )
    assert all(0 < len(block) <= 1000 for block in blocks)
    blocks = [empty, *blocks]
    return PoseRows(
        np.concatenate([block.numbers for block in blocks]),
        np.concatenate([block.seconds for block in blocks]),
        np.concatenate([block.keypoints for block in blocks]),
        np.concatenate([block.unique for block in blocks]),
    )


def assert_same_rows(ours: PoseRows, expected: PoseRows, tolerance: float = 1e-9) -> None:
    """The same frames, times [s], positions [px] and confidences."""
    np.testing.assert_array_equal(ours.numbers, expected.numbers)
    for name in ("seconds", "keypoints", "unique"):
        np.testing.assert_allclose(getattr(ours, name), getattr(expected, name), rtol=0, atol=tolerance)
