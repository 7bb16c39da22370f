"""Runs a processor of deeplabcut-live 1.1.0 by itself, and the same in a Session of ours. Needs deeplabcut-live; prints JSON.

    python -m tools.parity.processors

Both get the same poses at the same times: the processor asks its module's `time` for the time, which is replaced by a clock
that is set before each frame.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "plugins" / "dlclive-processors" / "src"))

from dlclive.processor import kalmanfilter  # noqa: E402 - after sys.path
from dlclive.processor.kalmanfilter import KalmanFilterPredictor  # noqa: E402
from dlclive_processors import ProcessorFromFile  # noqa: E402
from dlclive_processors.deeplabcut_live import kalman_filter_predictor as ours  # noqa: E402

from dlclive_core import (  # noqa: E402
    EndOfStream,
    Frame,
    FrameSource,
    MemorySink,
    ModelCard,
    Pose,
    PoseModel,
    Processor,
    RunClock,
    Session,
    Skeleton,
)
from dlclive_core.session import array_processor  # noqa: E402

KEYPOINTS, FRAMES, FPS = 5, 400, 30
AGE = 0.012
"""Seconds from a frame's capture to its pose."""
EXAMPLE = {"forward": 0.003, "priors": [1, 1], "initial_var": 1, "process_var": 1, "dlc_var": 4}
"""The options with which an example of deeplabcut-live uses the filter."""
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "of an example, adapt=False": {**EXAMPLE, "adapt": False},
    "nderiv=1": {"nderiv": 1, "priors": [10]},
    "lik_thresh=0.5, missing keypoints": {"lik_thresh": 0.5},
    "default, missing keypoints": {},
}


class Clock:
    """In place of the module `time`, and of the clock of a run."""

    def __init__(self) -> None:
        self.moment = 0.0

    def time(self) -> float:
        return 1000.0 + self.moment


def scene(gaps: bool) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(F, K, 3) of an animal that walks in loops, with noise, keypoints of which may be missing for a while; (F,) times."""
    random = np.random.default_rng(11)
    times = np.cumsum(random.uniform(0.6, 1.4, FRAMES) / FPS)
    phase = 0.7 * times[:, None] + np.linspace(0, 0.4, KEYPOINTS)
    poses = np.stack([320 + 200 * np.cos(phase), 240 + 150 * np.sin(1.7 * phase), np.empty_like(phase)], axis=-1)
    poses[..., :2] += random.normal(0, 1.5, poses[..., :2].shape)
    poses[..., 2] = random.uniform(0.2, 1, poses.shape[:2])
    for keypoint in range(KEYPOINTS if gaps else 0):
        begin = 40 + 60 * keypoint
        poses[begin : begin + 8, keypoint] = 0
    return poses.astype(np.float32), times


class Frames(FrameSource):
    """Small frames, with the scene's capture times."""

    name = "scene"
    frame_size = (4, 4)

    def __init__(self, times: NDArray[np.float64]) -> None:
        self._times, self._next = times, 0

    def read(self, timeout: float) -> Frame:
        if self._next == len(self._times):
            raise EndOfStream
        index, self._next = self._next, self._next + 1
        image = np.zeros((4, 4, 3), np.uint8)
        image[0, 0] = (*divmod(index, 256), 0)
        return Frame(image, index, float(self._times[index]))


class Poses(PoseModel):
    """Returns the scene's pose of a frame, whose number is in its first pixel; a missing keypoint is (NaN, NaN, 0)."""

    card = ModelCard(net_type="scene", skeleton=Skeleton(tuple(f"k{number}" for number in range(KEYPOINTS))))

    def __init__(self, poses: NDArray[np.float32]) -> None:
        self._poses = poses

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        high, low, _ = (int(value) for value in image[0, 0])
        keypoints = self._poses[(256 * high + low) % len(self._poses)].copy()
        keypoints[(keypoints == 0).all(axis=1)] = (np.nan, np.nan, 0)
        return Pose(keypoints[None], self.card.skeleton)


class SetClock(Processor):
    """Sets the clock to the moment at which a frame's pose is ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self._clock.moment = frame.captured_at + AGE
        return pose


def by_itself(processor: Any, clock: Clock, gaps: bool) -> NDArray[np.float32]:
    """(F, K, 3): the processor is called as deeplabcut-live calls it."""
    results = []
    for pose, captured in zip(*scene(gaps), strict=True):
        clock.moment = captured + AGE
        results.append(processor.process(pose.copy(), frame_time=1000.0 + captured, record=True))
    return np.asarray(results, np.float32)


def in_session(processor: Any, clock: Clock, gaps: bool) -> NDArray[np.float32]:
    """(F, K, 3): the processor is one of a Session; missing keypoints are zeros again, to compare."""
    poses, times = scene(gaps)
    sink = MemorySink()
    Session(source=Frames(times), model=Poses(poses), processors=[SetClock(clock), processor], sinks=[sink]).run()
    return np.nan_to_num(np.stack([pose.single() for pose in sink.poses]))


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> dict[str, float]:
    """The largest differences, in px and in likelihood."""
    apart = np.abs(one - other)
    return {"px": float(apart[..., :2].max()), "likelihood": float(apart[..., 2].max())}


def main() -> None:
    """See the module."""
    clock = Clock()
    kalmanfilter.time = ours.time = array_processor.time = clock
    RunClock.now = lambda self: clock.moment  # type: ignore[method-assign]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mine.py"
        file.write_text(
            "from dlclive.processor.kalmanfilter import KalmanFilterPredictor\nclass Mine(KalmanFilterPredictor): pass\n"
        )
        for name, options in OPTIONS.items():
            gaps = "missing" in name
            expected = by_itself(KalmanFilterPredictor(**options), clock, gaps)
            found = {
                "in a Session": in_session(KalmanFilterPredictor(**options), clock, gaps),
                "deeplabcut-live:mine.py": in_session(ProcessorFromFile(str(file), **options), clock, gaps),
            }
            if name != "default, missing keypoints":  # of which ours takes no (0, 0) for a measurement
                found["ours"] = by_itself(ours.KalmanFilterPredictor(**options), clock, gaps)
            rows += [{"options": name, "way": way, **difference(expected, poses)} for way, poses in found.items()]
    print(json.dumps({"frames": FRAMES, "rows": rows}))


if __name__ == "__main__":
    main()
