"""A window with the image and its keypoints, for scripts: Tk, in the thread that calls it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from tkinter import Label, Tk

    from PIL import ImageTk

    _TKINTER_AVAILABLE = True
except ImportError:  # a Python without Tk
    _TKINTER_AVAILABLE = False
    Label = Tk = ImageTk = None  # type: ignore[assignment, misc]

import colorcet as cc
from PIL import Image, ImageDraw

from dlclive_core import UsageError


class Display:
    """Shows images with their keypoints, a colour for each keypoint. Use it from the main thread.

    The window opens with the first image.

    Args:
        cmap: name of a map of colorcet.
        radius: of the dots, in pixels.
        pcutoff: a keypoint is shown above this likelihood.

    Raises:
        ImportError: this Python has no Tk.
    """

    def __init__(self, cmap: str = "bmy", radius: int = 3, pcutoff: float = 0.5) -> None:
        _check_tk()
        self.cmap, self.radius, self.pcutoff = cmap, radius, pcutoff
        self.colors: list[Any] | None = None
        self.window: Any = None
        self.lab: Any = None

    def set_display(self, im_size: tuple[int, int], bodyparts: int) -> None:
        """Open the window.

        Args:
            im_size: (width, height) of the images; the window takes the size of what it shows.
            bodyparts: number of keypoints.
        """
        colors = getattr(cc, self.cmap, None)
        if not isinstance(colors, list):
            raise UsageError(f"colorcet has no map {self.cmap!r}; try bmy, rainbow or fire")
        self.colors = colors[:: max(1, len(colors) // max(1, bodyparts))]
        self.window = Tk()
        self.window.title("DLC Live")
        self.lab = Label(self.window)
        self.lab.pack()

    def display_frame(self, frame: NDArray[np.uint8], pose: NDArray[np.floating[Any]] | None = None) -> None:
        """Show an image.

        Args:
            frame: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.
            pose: (K, 3) or (N, K, 3) x, y in pixels of the image, likelihood.
        """
        _check_tk()
        height, width = frame.shape[:2]
        image = Image.fromarray(frame)
        animals = np.empty((0, 1, 3)) if pose is None else np.asarray(pose).reshape(-1, *np.shape(pose)[-2:])
        if self.window is None:
            self.set_display((width, height), animals.shape[1])
        elif self.colors is not None and len(self.colors) < animals.shape[1]:  # it opened without a pose
            self.colors = getattr(cc, self.cmap)[:: max(1, len(getattr(cc, self.cmap)) // animals.shape[1])]
        draw = ImageDraw.Draw(image)
        for animal in animals:
            for number, (x, y, likelihood) in enumerate(animal[:, :3]):
                if likelihood > self.pcutoff:
                    self._dot(draw, x, y, number, width, height)
        picture = ImageTk.PhotoImage(image=image, master=self.window)
        self.lab.configure(image=picture)
        self.lab.image = picture  # Tk itself does not keep it
        self.window.update()

    def _dot(self, draw: Any, x: float, y: float, number: int, width: int, height: int) -> None:
        left, top = max(0, x - self.radius), max(0, y - self.radius)
        right, bottom = min(width, x + self.radius), min(height, y + self.radius)
        if left <= right and top <= bottom and self.colors:  # not beyond the edge of the image
            color = self.colors[number % len(self.colors)]
            draw.ellipse([left, top, right, bottom], fill=color, outline=color)

    def destroy(self) -> None:
        """Close the window, if there is one."""
        if self.window is not None:
            self.window.destroy()
            self.window = None


def _check_tk() -> None:
    if not _TKINTER_AVAILABLE:
        raise ImportError("a window needs Tk, which this Python lacks; install python3-tk, or use display=False")
