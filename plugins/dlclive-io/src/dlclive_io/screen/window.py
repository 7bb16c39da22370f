"""The process that shows the window (Tk, from Python's standard library)."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose
from dlclive_io.drawing import PoseDrawing
from dlclive_io.screen.viewer_process import DisplayError, SessionConnection

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
    drawing = PoseDrawing(card, skeleton=True, **hello["drawing"])
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
    window.update()
    session.ready("window")
    with contextlib.suppress(tkinter.TclError):  # destroyed from outside
        while not closed:
            began = time.perf_counter()
            update = session.request(picture=True)
            if update is None or update.header["ended"]:
                break
            status.configure(text=f"{update.header['processed']} poses, {update.header['losses']}")
            if update.image is not None:
                picture = drawing.draw(update.image, _pose(update.header["frame"], card, update.image.shape[1]))
                image = tkinter.PhotoImage(master=window, data=_ppm(picture), format="PPM")
                label.configure(image=image)
                label.image = image  # type: ignore[attr-defined]  # Tk keeps no reference to it
            window.update()
            time.sleep(max(0.0, began + SHORTEST - time.perf_counter()))
        window.destroy()


def _pose(frame: dict[str, Any], card: ModelCard, width: int) -> Pose:
    """The pose in pixels of a picture of this width."""
    scale = np.array([width / frame["size"][0]] * 2 + [1], np.float32)
    keypoints = np.array(frame["keypoints"], np.float32).reshape(-1, len(card.skeleton), 3) * scale
    unique = None if frame["unique"] is None else np.array(frame["unique"], np.float32).reshape(-1, 3) * scale
    return Pose(keypoints, card.skeleton, unique=unique)


def _ppm(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    return b"P6 %d %d 255\n" % (width, height) + picture.tobytes()
