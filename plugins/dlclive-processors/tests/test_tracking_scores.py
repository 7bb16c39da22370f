"""How well identities are kept where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dlclive_processors import IdentityTracker

from dlclive_core import Frame

walking = pytest.importorskip("benchmarks.walking_animals", reason="run from the root of the repository")
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)


def named_rows(scene: object, **options: object) -> list[list[object]]:
    """For each frame, the identity of each row; the rows are numbered in the boxes."""
    tracker, named = IdentityTracker(**options), []  # type: ignore[arg-type]
    for number, pose in enumerate(scene.poses):  # type: ignore[attr-defined]
        low, high = np.nanmin(pose.xy, axis=1), np.nanmax(pose.xy, axis=1)
        boxes = np.concatenate([low, high, np.arange(len(pose))[:, None]], axis=1).astype(np.float32)
        result = tracker.process(replace(pose, boxes=boxes), Frame(IMAGE, number, number / 30, number / 30))
        names: list[object] = [None] * len(pose)
        assert result.boxes is not None
        assert result.ids is not None
        for name, row in zip(result.ids, result.boxes[:, 4], strict=True):
            if np.isfinite(row):
                names[int(row)] = name
        named.append(names)
    return named


@pytest.mark.parametrize(
    ("animals", "missing", "cost", "most_switches", "least_idf1"),
    [
        (2, 0.0, "oks", 0, 0.99),
        (2, 0.2, "oks", 0, 0.99),
        (4, 0.05, "oks", 0, 0.99),
        (4, 0.1, "oks", 0, 0.99),
        (8, 0.0, "oks", 0, 0.99),
        (8, 0.1, "oks", 2, 0.97),
        (2, 0.1, "box", 2, 0.75),
        (4, 0.0, "box", 10, 0.7),
    ],
)
def test_identities_are_kept_in_crossings(
    animals: int, missing: float, cost: str, most_switches: int, least_idf1: float
) -> None:
    """Ten seconds of animals that seek each other's company, two seeds; benchmarks/tracking.md has other trackers beside it."""
    scenes = [walking.observe(walking.walk(animals, 300, seed), missing, seed) for seed in (20, 21)]
    named = [named_rows(scene, cost=cost, animals=animals) for scene in scenes]
    switches = sum(walking.switches(scene.animals, names) for scene, names in zip(scenes, named, strict=True))
    idf1 = np.mean([walking.idf1(scene.animals, names) for scene, names in zip(scenes, named, strict=True)])
    assert switches <= most_switches
    assert idf1 >= least_idf1


def test_the_scores_count_switches_and_shares() -> None:
    """Two animals change names in frame 2 of 4: two switches; each animal agrees with one name in half of the frames."""
    animals = [np.array([0, 1])] * 4
    named: list[list[object]] = [["a", "b"], ["a", "b"], ["b", "a"], ["b", "a"]]
    assert walking.switches(animals, named) == 2
    assert walking.idf1(animals, named) == pytest.approx(0.5)
    assert walking.switches(animals, [["a", "b"]] * 4) == 0
    assert walking.idf1(animals, [["a", None]] * 4) == pytest.approx(2 * 4 / (8 + 4))
