"""Identity switches, IDF1 and time of the processor `track`, beside the trackers of Roboflow's library `trackers`.

    pip install trackers
    python benchmarks/tracking.py [--frames 900] [--animals 32] [--short]

Animals walk, cross and touch in a rendered arena (walking_animals.py). All trackers get the same detections: ours gets keypoints
with the cost "oks", and with "box" the boxes that the other trackers get.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import supervision
import trackers
from dlclive_processors import IdentityTracker
from walking_animals import FPS, Scene, idf1, observe, switches, walk

from dlclive_core import Frame, Pose, Skeleton
from dlclive_core.machine.system import system_info

IMAGE = np.zeros((2, 2, 3), np.uint8)
MARGIN = 5.0  # px around the keypoints, in boxes
Named = list[list[object]]
"""For each frame, the identity of each row."""

BYTETRACK = [
    {"minimum_iou_threshold": iou, "minimum_consecutive_frames": frames, "track_activation_threshold": 0.5}
    for iou, frames in itertools.product((0.05, 0.1), (1, 3))
]
"""Settings of ByteTrack; the best for each cell is reported."""


def boxes(pose: Pose) -> np.ndarray:
    """(N, 5) around the keypoints; the score is the row, to find it again."""
    low = np.nanmin(pose.xy, axis=1) - MARGIN if len(pose) else np.empty((0, 2))
    high = np.nanmax(pose.xy, axis=1) + MARGIN if len(pose) else np.empty((0, 2))
    return np.concatenate([low, high, np.arange(len(pose))[:, None]], axis=1).astype(np.float32)


def ours(scene: Scene, **options: object) -> Named:
    """Run the processor `track`."""
    tracker, named = IdentityTracker(**options), []  # type: ignore[arg-type]
    for number, pose in enumerate(scene.poses):
        given = Pose(pose.keypoints, pose.skeleton, boxes=boxes(pose))
        result = tracker.process(given, Frame(IMAGE, number, number / FPS, number / FPS))
        names: list[object] = [None] * len(pose)
        assert result.boxes is not None
        assert result.ids is not None
        for name, row in zip(result.ids, result.boxes[:, 4], strict=True):
            if np.isfinite(row):
                names[int(row)] = name
        named.append(names)
    return named


def theirs(scene: Scene, kind: type, **options: object) -> Named:
    """Run a tracker of the library."""
    tracker, named = kind(frame_rate=FPS, **options), []
    for pose in scene.poses:
        result = tracker.update(detections(pose))
        names: list[object] = [None] * len(pose)
        if len(pose):
            for row, identity in zip(result.class_id, result.tracker_id, strict=True):
                names[row] = int(identity) if identity >= 0 else None
        named.append(names)
    return named


def detections(pose: Pose) -> supervision.Detections:
    """A pose as the library takes it."""
    if not len(pose):
        return supervision.Detections.empty()
    return supervision.Detections(
        xyxy=boxes(pose)[:, :4].astype(np.float64),
        confidence=pose.confidence.mean(axis=1),
        class_id=np.arange(len(pose)),
    )


def score(scenes: Sequence[Scene], run: Callable[[Scene], Named]) -> tuple[int, float]:
    """Switches in all scenes, and the mean IDF1."""
    results = [(scene, run(scene)) for scene in scenes]
    return (
        sum(switches(scene.animals, named) for scene, named in results),
        float(np.mean([idf1(scene.animals, named) for scene, named in results])),
    )


def cells(scenes: Sequence[Scene]) -> Iterator[tuple[str, tuple[int, float]]]:
    """Each tracker's name and score."""
    yield "track", score(scenes, ours)
    yield "track, box", score(scenes, lambda scene: ours(scene, cost="box"))
    byte = [
        score(scenes, lambda scene, o=options: theirs(scene, trackers.ByteTrackTracker, **o)) for options in BYTETRACK
    ]
    yield "ByteTrack", score(scenes, lambda scene: theirs(scene, trackers.ByteTrackTracker))
    yield f"ByteTrack, best of {len(BYTETRACK)}", min(byte, key=lambda result: (result[0], -result[1]))
    yield "SORT", score(scenes, lambda scene: theirs(scene, trackers.SORTTracker))
    yield "OC-SORT", score(scenes, lambda scene: theirs(scene, trackers.OCSORTTracker))


def print_scores(frames: int, total: int, counts: Sequence[int]) -> None:
    """A Markdown table: switches, and IDF1 in brackets. Each cell has the same number of animals, in several scenes."""
    header = False
    for animals, missing in itertools.product(counts, (0.0, 0.05, 0.1, 0.2)):
        scenes = [observe(walk(animals, frames, seed), missing, seed) for seed in range(total // animals)]
        results = dict(cells(scenes))
        if not header:
            print("| animals | missing | " + " | ".join(results) + " |\n|---|---|" + "---|" * len(results))
            header = True
        shown = " | ".join(f"{count} ({share:.3f})" for count, share in results.values())
        print(f"| {animals} | {100 * missing:.0f} % | {shown} |", flush=True)


def print_times(frames: int, rounds: int) -> None:
    """Time per frame of 4 animals with 20 keypoints, each tracker in turn in each round."""
    skeleton = Skeleton(tuple(f"k{number}" for number in range(20)))
    scene = observe(walk(4, frames, 0), 0.0, 0)
    rng = np.random.default_rng(0)
    poses = []
    for pose in scene.poses:  # every keypoint four times, a little apart
        keypoints = np.repeat(pose.keypoints, 4, axis=1)
        keypoints[..., :2] += rng.normal(0, 2, (*keypoints.shape[:2], 2))
        poses.append(Pose(keypoints, skeleton, boxes=boxes(pose)))
    prepared = [detections(pose) for pose in scene.poses]
    stamped = [Frame(IMAGE, number, number / FPS, number / FPS) for number in range(frames)]
    times: dict[str, list[np.ndarray]] = {}
    for _ in range(rounds):
        for name in ("track", "track, box", "ByteTrack"):
            ours_ = IdentityTracker(animals=4, cost="box" if "box" in name else "oks")
            byte = trackers.ByteTrackTracker(frame_rate=FPS)
            taken = np.empty(frames)
            for number in range(frames):
                began = time.perf_counter()
                if name == "ByteTrack":
                    byte.update(prepared[number])
                else:
                    ours_.process(poses[number], stamped[number])
                taken[number] = 1e3 * (time.perf_counter() - began)
            times.setdefault(name, []).append(np.percentile(taken, (50, 95, 99)))
    print("\n| time per frame, ms | p50 | p95 | p99 | p50 / ByteTrack's |\n|---|---|---|---|---|")
    base = np.median(times["ByteTrack"], axis=0)
    for name, rows in times.items():
        p50, p95, p99 = np.median(rows, axis=0)
        print(f"| {name} | {p50:.3f} | {p95:.3f} | {p99:.3f} | {p50 / base[0]:.2f} |")


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--animals", type=int, default=32, help="in the scenes of a cell, together")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--short", action="store_true", help="scenes of 2 animals, of 300 frames")
    options = parser.parse_args()
    if options.short:
        options.frames, options.animals, options.rounds = 300, 4, 2
    info = system_info()
    print(
        f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}, numpy {np.__version__}; "
        f"{options.frames} frames at {FPS:g} frames/s, {options.animals} animals in each cell\n"
    )
    print_scores(options.frames, options.animals, (2,) if options.short else (2, 4, 8))
    print_times(options.frames, options.rounds)


if __name__ == "__main__":
    main()
