"""The sink that shows frames with their keypoints in a window."""

from __future__ import annotations

import time

from dlclive_core import Estimate, RunInfo, Sink, SourceError
from dlclive_io.drawing import PoseDrawing, keypoint_colours

SHORTEST = 1 / 30  # seconds between two pictures: nobody sees more, and drawing costs time


class DisplayWindow(Sink):
    """A window (Tk, from Python's standard library) with the newest frame and its keypoints, at most 30 times a second.

    `open`, `write` and `close` must be called by one thread; on macOS by the main one, as `DLCLive(display=True)` does when
    it is used there. Closing the window by hand ends the display and nothing else.

    Args:
        pcutoff: keypoints with less confidence are not drawn.
        radius: of the keypoints, in pixels.
        colormap: a name of colorcet's; keypoints have colours along it.
        names: write the names of the keypoints.
    """

    def __init__(self, pcutoff: float = 0.5, radius: int = 3, colormap: str = "bmy", names: bool = False) -> None:
        keypoint_colours(colormap, 1)
        self._pcutoff, self._radius, self._colormap, self._names = pcutoff, radius, colormap, names
        self._window: object | None = None
        self._image: object | None = None  # Tk keeps no reference to it
        self._shown = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a window: False before `open`, and after somebody closed it."""
        return self._window is not None

    def open(self, run: RunInfo) -> None:
        """Open the window. Raises SourceError where there is no screen, or no Tk."""
        try:
            import tkinter
        except ImportError:
            raise SourceError("a display needs Tk, which this Python was built without; install python3-tk") from None
        self._drawing = PoseDrawing(
            run.card,
            pcutoff=self._pcutoff,
            radius=self._radius,
            colormap=self._colormap,
            names=self._names,
            skeleton=True,
        )
        try:
            window = tkinter.Tk()
        except tkinter.TclError as error:
            raise SourceError(f"a window cannot be opened ({error}); go on without display") from None
        window.title("dlclive")
        window.protocol("WM_DELETE_WINDOW", self.close)
        self._label = tkinter.Label(window, borderwidth=0)
        self._label.pack()
        self._window, self._shown = window, 0.0

    def write(self, estimate: Estimate) -> None:
        """Show a frame, unless the last one was shown too short a time ago."""
        import tkinter

        now = time.perf_counter()
        if not isinstance(self._window, tkinter.Tk) or now - self._shown < SHORTEST:
            return
        self._shown = now
        picture = self._drawing.draw(estimate.frame.image, estimate.pose)
        height, width = picture.shape[:2]
        content = b"P6 %d %d 255\n" % (width, height) + picture.tobytes()
        try:
            image = tkinter.PhotoImage(master=self._window, data=content, format="PPM")
            self._label.configure(image=image)
            self._image = image
            self._window.update()
        except tkinter.TclError:  # closed by hand, between two events
            self._window = None

    def close(self) -> None:
        """Close the window. Safe to call twice."""
        import contextlib
        import tkinter

        window, self._window = self._window, None
        if isinstance(window, tkinter.Tk):
            self._image = None  # its picture belongs to the window and goes first
            with contextlib.suppress(tkinter.TclError):
                window.destroy()
