"""The process that shows the window (Tk, from Python's standard library)."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose
from dlclive_io.drawing import PoseDrawing
from dlclive_io.screen.recent_times import RecentTimes
from dlclive_io.screen.viewer_process import DisplayError, SessionConnection

_USUAL = (640, 480)  # pixels
SHORTEST = 1 / 30  # seconds between two pictures: more cannot be seen, and drawing costs time


def show(hello: dict[str, Any], session: SessionConnection) -> None:
    """Show pictures until the session ends or the user closes the window."""
    try:
        import tkinter
    except ImportError:
        raise DisplayError(
            "dependency", "a window needs Tk, which this Python lacks; install python3-tk, or use the sink 'web'"
        ) from None
    card = ModelCard.from_json(hello["card"])
    drawing = PoseDrawing(card, skeleton=True, legend=True, **hello["drawing"])
    times = RecentTimes()
    try:
        window = tkinter.Tk()
    except tkinter.TclError as error:
        raise DisplayError(
            "usage",
            f"a window cannot be opened ({error}); run without it, or use the sink 'web', a page in the browser",
        ) from None
    window.title(hello["name"] or "dlclive")
    label = tkinter.Label(window, borderwidth=0)
    label.pack()
    status = tkinter.Label(window, anchor="w", width=1)  # as wide as the picture, not as its text
    status.pack(fill="x")
    closed: list[bool] = []
    window.protocol("WM_DELETE_WINDOW", lambda: closed.append(True))
    window.bind("<KeyPress-m>", lambda _: session.mark())
    window.update()
    session.ready("window")
    with contextlib.suppress(tkinter.TclError):  # destroyed from outside
        while not closed:
            began = time.perf_counter()
            update = session.request(picture=True)
            if update is None or update.header["ended"]:
                break
            times.extend(_here(update.header))
            status.configure(text=status_text(update.header, times, time.perf_counter()))
            if update.image is not None:
                shown, frame = enlarge(update.image), update.header["frame"]
                picture = drawing.draw(shown, _pose(frame, card, shown.shape[1]), frame["index"])
                image = tkinter.PhotoImage(master=window, data=_ppm(picture), format="PPM")
                label.configure(image=image)
                label.image = image  # type: ignore[attr-defined]  # Tk keeps no reference to it
            window.update()
            time.sleep(max(0.0, began + SHORTEST - time.perf_counter()))
        window.destroy()


def status_text(header: dict[str, Any], times: RecentTimes, now: float) -> str:
    """For example `29.9 poses/s, latency 8.1 ms (p99 12.4 ms), 90 poses, 3 dropped`."""
    latency = times.latency_ms(now)
    speed = [] if latency is None else [
        f"{times.rate(now):.1f} poses/s", f"latency {latency[0]:.1f} ms (p99 {latency[2]:.1f} ms)"
    ]  # fmt: skip
    marked = [f"{header['marked']} marked"] if header["marked"] else []
    return ", ".join([*speed, f"{header['processed']} poses", header["losses"], *marked])


def enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image, scaled up until it fills one side of 640 x 480 pixels: keypoints on a small one cannot be told apart."""
    height, width = image.shape[:2]
    factor = min(_USUAL[0] / width, _USUAL[1] / height)
    if factor <= 1:
        return image
    size = (round(width * factor), round(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _here(header: dict[str, Any]) -> list[tuple[float, float]]:
    """When the poses were ready, by the clock of this process, and their latencies."""
    ahead = time.perf_counter() - header["now"]
    return [(ready + ahead, latency) for ready, latency in header["times"]]


def _pose(frame: dict[str, Any], card: ModelCard, width: int) -> Pose:
    """The pose in pixels of a picture of this width."""
    scale = np.array([width / frame["size"][0]] * 2 + [1], np.float32)
    keypoints = np.array(frame["keypoints"], np.float32).reshape(-1, len(card.skeleton), 3) * scale
    unique = None if frame["unique"] is None else np.array(frame["unique"], np.float32).reshape(-1, 3) * scale
    return Pose(keypoints, card.skeleton, unique=unique)


def _ppm(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    return b"P6 %d %d 255\n" % (width, height) + picture.tobytes()
