"""Ten scripts as users of deeplabcut-live write them. They know `dlclive` only, and run on deeplabcut-live 1.1.0 and on ours.

    python -m tools.compat.scripts MODEL.pt VIDEO FRAMES.npz POSES.npz

FRAMES.npz holds `frames`, (T, H, W, 3) uint8 BGR: the same pixels for both. Writes, for each script, `<name>`: (T, K, 3), and
`<name>.index`: the numbers of the frames; or `<name>.error`: what it raised.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Poses = NDArray[np.floating[Any]]
CAMERA_FPS = 2.0  # slow, so that a busy machine drops few frames


@dataclass(frozen=True)
class Given:
    """What a script works on."""

    model: str
    video: str
    frames: Images


def three_steps(given: Given) -> Poses:
    """The README: a processor, a network, frames."""
    from dlclive import DLCLive, Processor

    live = DLCLive(given.model, model_type="pytorch", processor=Processor())
    live.init_inference(given.frames[0])
    return np.stack([live.get_pose(frame) for frame in given.frames])


def _loop(given: Given, frames: Images | None = None, **options: Any) -> Poses:
    from dlclive import DLCLive

    frames = given.frames if frames is None else frames
    live = DLCLive(given.model, model_type="pytorch", **options)
    poses = [live.init_inference(frames[0])]
    poses += [live.get_pose(frame) for frame in frames[1:]]
    live.close()
    return np.stack(poses)


def crop(given: Given) -> Poses:
    """A part of the frame."""
    return _loop(given, cropping=[100, 500, 60, 420])


def dynamic(given: Given) -> Poses:
    """A window that follows the animal."""
    return _loop(given, dynamic=(True, 0.5, 40))


def resize(given: Given) -> Poses:
    """Half the size."""
    return _loop(given, resize=0.5)


def grey(given: Given) -> Poses:
    """Frames of one channel."""
    return _loop(given, frames=given.frames.mean(axis=-1).round().astype(np.uint8))


def fp16(given: Given) -> Poses:
    """Half precision."""
    return _loop(given, frames=given.frames[:4], precision="FP16", device="cpu")


def kalman(given: Given) -> Poses:
    """The predictor, on a clock of 30 frames a second."""
    from dlclive import DLCLive
    from dlclive.processor.kalmanfilter import KalmanFilterPredictor

    live = DLCLive(given.model, model_type="pytorch", processor=KalmanFilterPredictor(adapt=True, forward=0.05))
    poses = []
    for number, frame in enumerate(given.frames):
        now = 1_700_000_000.0 + number / 30
        with mock.patch("time.time", lambda now=now: now + 0.01):
            call = live.get_pose if number else live.init_inference
            poses.append(np.array(call(frame, frame_time=now)))
    return np.stack(poses)


def display_off(given: Given) -> Poses:
    """All options of the window, which is off."""
    return _loop(given, display=False, pcutoff=0.4, display_radius=5, display_cmap="bmy")


def video(given: Given) -> Poses:
    """A video, and the table that it leaves."""
    import pandas
    from dlclive.benchmark import benchmark

    with tempfile.TemporaryDirectory() as folder:
        count = len(given.frames)
        benchmark(given.model, "pytorch", given.video, n_frames=count, display=False, save_dir=folder, save_poses=True)
        (table,) = Path(folder).glob("*_poses_*.h5")
        values = pandas.read_hdf(table).to_numpy()
    return values.reshape(len(values), -1, 3)


def live_video(given: Given) -> tuple[Poses, NDArray[np.int64]]:
    """A camera with number 0. `analyze_live_video` of deeplabcut-live 1.1.0 cannot work: a loop over it stands in."""
    from importlib.metadata import PackageNotFoundError, version

    import cv2

    try:
        theirs = "+" not in version("deeplabcut-live")
    except PackageNotFoundError:
        theirs = False
    with _camera(given.frames):
        if theirs:
            from dlclive import DLCLive

            camera = cv2.VideoCapture(0)
            live = DLCLive(given.model, model_type="pytorch")
            poses: list[Any] = []
            while (taken := camera.read())[0]:
                poses.append((live.get_pose if poses else live.init_inference)(taken[1]))
            return np.stack(poses), np.arange(len(poses))
        from dlclive.live_inference import analyze_live_video

        with tempfile.TemporaryDirectory() as folder:
            options: dict[str, Any] = {"display": False, "save_dir": folder, "save_poses": True}
            entries, _ = analyze_live_video(
                given.model, "pytorch", "cpu", camera=0, max_frames=max(2, len(given.frames) // 2), **options
            )
            (table,) = Path(folder).glob("*_timestamps_*.csv")
            with table.open(newline="", encoding="utf-8") as file:
                # The camera's own time says which of its frames a pose is of.
                numbers = {
                    int(row["frame"]): float(row["device_time_s"]) * CAMERA_FPS - 1 for row in csv.DictReader(file)
                }
        poses = [entry["pose"] for entry in entries]
        return np.stack(poses), np.array([round(numbers[entry["frame"]]) for entry in entries])


SCRIPTS: dict[str, Callable[[Given], Any]] = {
    script.__name__: script
    for script in (three_steps, crop, dynamic, resize, grey, fp16, kalman, display_off, video, live_video)
}


@contextmanager
def _camera(frames: Images) -> Iterator[None]:
    """Put a camera that plays these frames in the place of OpenCV's; it ends after the last one."""
    import cv2

    class Camera:
        def __init__(self, *_: object) -> None:
            self._next, self._began = 0, time.perf_counter()

        def isOpened(self) -> bool:  # noqa: N802 - OpenCV's names
            return True

        def read(self) -> tuple[bool, Images | None]:
            if self._next >= len(frames):
                return False, None
            time.sleep(max(0.0, self._began + self._next / CAMERA_FPS - time.perf_counter()))
            self._next += 1
            return True, frames[self._next - 1]

        def get(self, which: int) -> float:
            values = {
                cv2.CAP_PROP_FRAME_WIDTH: frames.shape[2],
                cv2.CAP_PROP_FRAME_HEIGHT: frames.shape[1],
                cv2.CAP_PROP_POS_MSEC: 1e3 * self._next / CAMERA_FPS,
            }
            return float(values.get(which, 0.0))

        def set(self, *_: object) -> bool:
            return True

        def release(self) -> None:
            pass

        def getBackendName(self) -> str:  # noqa: N802
            return "TEST"

    with mock.patch("cv2.VideoCapture", Camera):
        yield


def main() -> int:
    """See the module."""
    model, video_path, frames_path, out = sys.argv[1:]
    given = Given(model, video_path, np.load(frames_path)["frames"])
    results: dict[str, Any] = {}
    for name, script in SCRIPTS.items():
        began = time.perf_counter()
        try:
            result = script(given)
            poses, index = result if isinstance(result, tuple) else (result, np.arange(len(result)))
            results[name], results[f"{name}.index"] = poses, index
        except Exception as error:
            traceback.print_exc()
            results[f"{name}.error"] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    np.savez(out, **results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
