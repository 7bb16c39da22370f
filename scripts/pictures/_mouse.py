"""The demo's mouse as a camera and a network would see it: its true path, with noise, and hidden at times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, Processor
from dlclive_core.demo.motion import MOUSE
from dlclive_core.demo.source import MouseSource

SEED = 28  # a mouse that rests, walks, and is hidden once
SIZE = (640, 480)
SEEN, UNSEEN = 0.9, 0.2
NOTHING = np.zeros((1, 1), np.uint8)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """A recording of one mouse.

    Attributes:
        fps: frames per second.
        times: (T,) in seconds.
        truth: (T, K, 2) px; also while it is hidden.
        poses: (T, K, 3) as a network returns them: x, y in px with noise, and confidence, low while a keypoint is hidden.
    """

    fps: float
    times: Array
    truth: Array
    poses: NDArray[np.float32]

    def column(self, name: str) -> int:
        """The number of a keypoint."""
        return MOUSE.index(name)

    def measured(self, name: str) -> Array:
        """(T,) x of a keypoint where it is seen; NaN elsewhere."""
        pose = self.poses[:, self.column(name)].astype(float)
        return np.where(pose[:, 2] > 0.5, pose[:, 0], np.nan)

    def every(self, step: int) -> Walk:
        """The same at a lower rate: every `step`-th frame."""
        return Walk(self.fps / step, self.times[::step], self.truth[::step], self.poses[::step])

    def spoiled(self, share: float) -> tuple[Walk, NDArray[np.bool_]]:
        """The same with confident wrong detections anywhere in the picture, and which they are: (T, K)."""
        rng = np.random.default_rng(SEED)
        wrong = rng.random(self.poses.shape[:2]) < share
        poses = self.poses.copy()
        poses[wrong, :2] = rng.uniform((0, 0), SIZE, (int(wrong.sum()), 2))
        poses[wrong, 2] = SEEN
        return Walk(self.fps, self.times, self.truth, poses), wrong


def walk(seconds: float = 6.0, fps: float = 100.0, noise: float = 2.0, seed: int = SEED) -> Walk:
    """A mouse that walks through its arena.

    Args:
        noise: standard deviation of each coordinate in px.
        seed: of the mouse and of the noise.
    """
    count = round(seconds * fps)
    source = MouseSource(seed=seed, frames=count, size=SIZE, fps=fps)
    truth = np.stack([source.truth(index) for index in range(count)])
    poses = truth.copy()
    poses[..., :2] += np.random.default_rng(seed).normal(0, noise, truth[..., :2].shape)
    poses[..., 2] = np.where(truth[..., 2] > 0, SEEN, UNSEEN)
    return Walk(fps, np.arange(count) / fps, truth[..., :2].astype(float), poses)


def replay(processor: Processor, recorded: Walk) -> Array:
    """(T, K, 3): what a processor returns for each frame."""
    frames = [Frame(NOTHING, number, time, time) for number, time in enumerate(recorded.times.tolist())]
    poses = [
        processor.process(Pose(pose[None], MOUSE), frame) for pose, frame in zip(recorded.poses, frames, strict=True)
    ]
    return np.stack([pose.keypoints[0] for pose in poses]).astype(float)
