"""Analyses a camera: `python camera_host.py MODEL VIDEO FOLDER [MAX_FRAMES]`. OpenCV's camera 0 plays the video."""

from __future__ import annotations

import sys
import time

import cv2

OpenCVCapture = cv2.VideoCapture


class Camera:
    """Plays a video again and again, at 30 frames a second."""

    def __init__(self, device: int, *_: object) -> None:
        self._is_there = device == 0
        film = OpenCVCapture(sys.argv[2])
        self._frames = []
        while (taken := film.read())[0]:
            self._frames.append(taken[1])
        self._next, self._began = 0, time.perf_counter()

    def isOpened(self) -> bool:  # noqa: N802
        return self._is_there

    def read(self) -> tuple[bool, object]:
        time.sleep(max(0.0, self._began + self._next / 30 - time.perf_counter()))
        self._next += 1
        return True, self._frames[self._next % len(self._frames)]

    def get(self, which: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: 320.0, cv2.CAP_PROP_FRAME_HEIGHT: 240.0}.get(which, 0.0)

    def set(self, *_: object) -> bool:
        return True

    def getBackendName(self) -> str:  # noqa: N802
        return "TEST"

    def release(self) -> None:
        pass


if __name__ == "__main__":
    cv2.VideoCapture = Camera
    from dlclive.live_inference import analyze_live_video

    print("ready", flush=True)
    poses, times = analyze_live_video(
        sys.argv[1],
        "onnx",
        "cpu",
        camera=0,
        experiment_name="rig",
        display=False,
        save_poses=True,
        save_dir=sys.argv[3],
        max_frames=int(sys.argv[4]) if len(sys.argv) > 4 else None,
    )
    assert len(poses) == len(times)
    print(len(poses), poses[-1]["frame"], poses[-1]["pose"].shape, flush=True)
