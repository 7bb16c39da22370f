"""A known scene: cameras around an arena, an animal that moves in it, and sources that film it."""

import math
import time

import numpy as np

from dlclive_core import CalibratedCamera, Calibration, EndOfStream, Frame
from dlclive_core.testing import BlobSource
from dlclive_core.testing.blobs import blob_skeleton

ARENA = 400.0
"""mm: the side of the arena."""
SIZE = (640, 480)
LENS = (-0.25, 0.08, 0.001, -0.001, 0.0)
BODY = np.array([[55.0, 0, 22], [30, 18, 38], [30, -18, 38], [0, 0, 30], [-45, 0, 20], [-60, 22, 8]])
"""(6, 3) mm: keypoints of an animal that looks along x."""


def camera(name: str, angle: float, *, lens=LENS, size=SIZE, fisheye: bool = False) -> CalibratedCamera:
    """A camera above the arena at this angle [rad], which looks at its middle."""
    position = np.array([600 * np.cos(angle), 600 * np.sin(angle), 450.0])
    ahead = np.array([0.0, 0.0, 20.0]) - position
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.array([right, np.cross(ahead, right), ahead])
    matrix = np.array([[size[0] * 0.9, 0, size[0] / 2 - 3.2], [0, size[0] * 0.91, size[1] / 2 + 1.7], [0, 0, 1]])
    return CalibratedCamera(name, size, matrix, np.array(lens), rotation, -rotation @ position, fisheye)


def cameras(count: int = 2, **options) -> Calibration:
    """Cameras called left, right, back, top."""
    names = ("left", "right", "back", "top")[:count]
    return Calibration([camera(name, 0.4 + 1.5 * number, **options) for number, name in enumerate(names)], unit="mm")


def animal(index: float, keypoints: int = len(BODY), *, phase: float = 0.0) -> np.ndarray:
    """(K, 3) mm: the animal in a frame, running in circles and rearing."""
    angle = 0.05 * index + phase
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    rear = 1 + 0.5 * np.sin(0.11 * index + phase)
    middle = np.array([0.3 * ARENA * np.cos(angle - np.pi / 2), 0.3 * ARENA * np.sin(angle - np.pi / 2), 0.0])
    return (BODY[:keypoints] * [1, 1, rear]) @ turn.T + middle


class ViewSource(BlobSource):
    """Films the animal with a camera: a disc for each keypoint where the camera sees it.

    Args:
        camera: films it.
        frames, keypoints, interval: as of a BlobSource.
        missing: numbers of frames that are lost.
        late: seconds by which `device_time` is wrong.
    """

    def __init__(
        self, camera: CalibratedCamera, frames: int = 20, keypoints: int = 4, *, missing=(), late: float = 0.0, **more
    ):
        super().__init__(frames=frames, size=camera.size, keypoints=keypoints, **more)
        self.skeleton = blob_skeleton(keypoints)
        self.name = camera.name
        self._camera, self._missing, self._late = camera, frozenset(missing), late

    def truth(self, index: int) -> np.ndarray:
        pixels = self._camera.project(animal(index, len(self.skeleton)))
        return np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1).astype(np.float32)

    def read(self, timeout: float):
        frame = super().read(timeout)
        while frame.index in self._missing:
            frame = super().read(timeout)
        return type(frame)(frame.image, frame.index, frame.captured_at, frame.device_time + self._late, frame.source)


class LiveViewSource(ViewSource):
    """The same, live: the cameras have a common trigger, and stamp their frames when they take them.

    Args:
        start: shared by the cameras, `time.perf_counter()` of the first frame once the first camera is open.
        rate: frames per second.
        transport: seconds until a frame arrives.
    """

    is_live = True

    def __init__(
        self,
        camera: CalibratedCamera,
        start: list[float],
        frames: int = 100,
        keypoints: int = 4,
        *,
        rate=100.0,
        transport=0.0,
        **more,
    ):
        super().__init__(camera, frames, keypoints, **more)
        self.fps = rate
        self._start, self._transport = start, transport
        self._images = [
            self.draw(index) for index in range(10)
        ]  # drawn before: a camera needs no time of the computer's

    def draw(self, index: int) -> np.ndarray:
        drawn = getattr(self, "_images", None)
        return super().draw(index) if drawn is None else drawn[index % len(drawn)].copy()

    def open(self) -> None:
        super().open()
        if not self._start:
            self._start.append(math.nan)

    def read(self, timeout: float) -> Frame:
        if math.isnan(self._start[0]):  # the trigger begins when all cameras are ready
            self._start[0] = time.perf_counter() + 0.05
        index = self._next
        while index in self._missing:
            index += 1
        if index >= self.frame_count:
            raise EndOfStream
        taken = self._start[0] + index / self.fps
        time.sleep(max(0.0, taken + self._transport - time.perf_counter()))
        self._next = index + 1
        return Frame(self.draw(index), index, taken, index / self.fps + self._late, self.name)
