"""Positions in space from two, three and four cameras: how right they are, what they cost, and how many frames of live cameras pair.

    python benchmarks/triangulation.py [--rounds 2000]

The cameras are virtual, with lenses: they look at an arena of 400 mm from 750 mm away, 640 x 480 pixels, in which an animal of 6 keypoints
runs and rears (tests/views/scene.py). Prints the tables of triangulation.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlclive_core import Calibration, MemorySink, ModelCard, MultiViewRig, Pose, Session
from dlclive_core.testing import NullModel
from dlclive_core.testing.blobs import blob_skeleton
from dlclive_core.views.triangulating_model import TriangulatingModel
from dlclive_core.views.triangulation import Limits, Triangulation
from tests.views.scene import ARENA, LiveViewSource, animal, camera, cameras

FRAMES = 2000


def accuracy() -> None:
    """Errors against the truth."""
    truth = np.concatenate([animal(0.7 * index) for index in range(FRAMES)])
    print(
        "| cameras | noise, px | wrong, % | reprojection, px: per coordinate | in theory | as a vector | in theory | position, mm: RMS | 95 % "
        "| of the arena, % | missing, % | views left out |"
    )
    print("|---" * 12 + "|")
    for noise, wrong in ((0.0, 0), (0.5, 0), (1.0, 0), (0.5, 10)):
        for count in (2, 3, 4):
            random = np.random.default_rng(1)
            calibration = cameras(count)
            pixels = np.stack([view.project(truth) for view in calibration.cameras])
            pixels += random.normal(0, noise, pixels.shape)
            bad = random.random(len(truth)) < wrong / 100
            pixels[random.integers(0, count, len(truth))[bad], np.flatnonzero(bad)] += random.normal(
                0, 60, (int(bad.sum()), 2)
            )
            points = Triangulation(calibration.cameras).locate(pixels, np.ones(pixels.shape[:2]))
            found = np.isfinite(points.error)
            off = np.linalg.norm(points.positions - truth, axis=1)[found]
            rms = float(np.sqrt(np.square(off).mean()))
            vector = float(np.sqrt(np.square(points.error[found]).mean()))
            expected = noise * np.sqrt(2 - 3 / count)
            theory = [f"{share * expected:.3f}" if not wrong else "" for share in (np.sqrt(0.5), 1)]
            print(
                f"| {count} | {noise:g} | {wrong} | {vector / np.sqrt(2):.3f} | {theory[0]} | {vector:.3f} | {theory[1]} | {rms:.3f} "
                f"| {np.percentile(off, 95):.3f} | {100 * rms / ARENA:.3f} | {100 * (1 - found.mean()):.1f} | {points.left_out} |"
            )


def opencv(calibration: Calibration, pixels: np.ndarray) -> np.ndarray:
    """What a script would write: undistortPoints and triangulatePoints, linear, of two views, without an error."""
    rays = [
        cv2.undistortPoints((seen - 0.5)[:, None], view.matrix, view.distortion)[:, 0]
        for view, seen in zip(calibration.cameras, pixels, strict=True)
    ]
    first, second = (np.concatenate([view.rotation, view.translation[:, None]], axis=1) for view in calibration.cameras)
    found = cv2.triangulatePoints(first, second, rays[0].T, rays[1].T)
    return (found[:3] / found[3]).T


def cost(rounds: int) -> None:
    """Times of one set of poses, in turns."""
    print("\n| cameras | animals | keypoints | how | CPU: p50, ms | p95 | p99 | elapsed: p50 | p95 | p99 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count, animals, keypoints in ((2, 1, 8), (2, 1, 20), (2, 4, 20), (3, 4, 20), (4, 4, 20)):
        calls = {}
        calibration = cameras(count)
        random = np.random.default_rng(0)
        skeleton = blob_skeleton(keypoints)
        spots = random.uniform(-40, 40, (animals, keypoints, 3)) + np.array([0, 0, 40])
        spots[..., :2] += np.array([[-100, -100], [100, -100], [-100, 100], [100, 100]])[:animals, None]
        pixels = np.stack([view.project(spots) for view in calibration.cameras])
        pixels += random.normal(0, 0.5, pixels.shape)
        flat, sure = pixels.reshape(count, -1, 2), np.ones((count, animals * keypoints))
        triangulation = Triangulation(calibration.cameras)
        calls["points"] = lambda t=triangulation, f=flat, s=sure: t.locate(f, s)
        arrays = np.concatenate([pixels, np.ones((*pixels.shape[:3], 1))], axis=-1).astype(np.float32)
        model = TriangulatingModel(ModelCard(net_type="points", skeleton=skeleton), calibration.cameras, Limits())
        names = tuple(map(str, range(animals)))
        named = [Pose(array, skeleton, ids=names) for array in arrays]
        unnamed = [Pose(array, skeleton) for array in arrays]
        calls["a pose, animals by name"] = lambda m=model, p=named: m.locate(p)
        if animals > 1:
            calls["a pose, animals by geometry"] = lambda m=model, p=unnamed: m.locate(p)
        if count == 2:
            calls["OpenCV: undistortPoints, triangulatePoints"] = lambda c=calibration, f=flat: opencv(c, f)
        for name, percentiles in timed(calls, rounds).items():
            numbers = " | ".join(f"{value:.2f}" for value in percentiles)
            print(f"| {count} | {animals} | {keypoints} | {name} | {numbers} |", flush=True)


def timed(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """(6,) percentiles of each call in ms, of CPU time and of elapsed time.

    The calls take turns, so that other work on the machine meets all of them.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(20):
        for call in calls.values():
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            began, elapsed = time.thread_time(), time.perf_counter()
            call()
            times[name].append((time.thread_time() - began, time.perf_counter() - elapsed))
    return {name: 1e3 * np.percentile(values, (50, 95, 99), axis=0).T.ravel() for name, values in times.items()}


class Slow(NullModel):
    """Takes so many seconds for an image, or for a batch."""

    def __init__(self, delay: float) -> None:
        super().__init__(4)
        self._delay = delay

    def predict(self, image, *, boxes=None):
        time.sleep(self._delay)
        return super().predict(image)

    def predict_batch(self, images):
        time.sleep(self._delay)
        return [NullModel.predict(self, image) for image in images]


class NewestRig(MultiViewRig):
    """Without the slots that hand out frames of one moment: each session takes its newest frame."""

    def _spec(self, session):
        return replace(super()._spec(session), handoff=None)


def live() -> None:
    """How many frames pair, at 100 frames/s for 3 seconds."""
    print(
        "\n| model | ms a frame | the second camera is later by, ms | frames taken | poses, left | pairs | latency of pairs, ms: p50 | p95 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for shared in (True, False):
        for delay in (0.002, 0.025):
            for late in (0.0, 0.005):
                for rig_type, name in ((NewestRig, "newest"), (MultiViewRig, "of one moment")):
                    start: list[float] = []
                    views = [
                        camera(view, 0.4 + 1.5 * number, size=(160, 120))
                        for number, view in enumerate(("left", "right"))
                    ]
                    models = [Slow(delay)] * 2 if shared else [Slow(delay), Slow(delay)]
                    sessions = {
                        view.name: Session(
                            source=LiveViewSource(view, start, 300, transport=late * number), model=models[number]
                        )
                        for number, view in enumerate(views)
                    }
                    rig = rig_type(Calibration(views), sessions, sinks=[MemorySink()], max_error=1e9)
                    left, _, joined = rig.run()
                    times = joined.stage("latency")
                    print(
                        f"| {'one' if shared else 'one each'} | {1e3 * delay:g} | {1e3 * late:g} | {name} | {left.processed} "
                        f"| {joined.processed} | {times.p50_ms:.1f} | {times.p95_ms:.1f} |",
                        flush=True,
                    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    accuracy()
    cost(rounds)
    live()


if __name__ == "__main__":
    main()
