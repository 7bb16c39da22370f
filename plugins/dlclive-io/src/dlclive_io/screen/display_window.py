"""The sink that shows frames with their keypoints in a window."""

from __future__ import annotations

from dlclive_core import DataError, Estimate, RunInfo, Sink
from dlclive_io.drawing import keypoint_colours
from dlclive_io.screen.newest_estimate import NewestEstimate
from dlclive_io.screen.viewer import Viewer

WIDEST = 1280  # pixels: fits a screen, and a larger picture takes long to transfer


class DisplayWindow(Sink):
    """Shows the newest frame and its keypoints, at most 30 times a second; below, rate, latency and dropped frames.

    The window runs in a process of its own: drawing does not slow the session, and a screen that is unplugged or logged out,
    which ends any program with a window on it, does not end the session. `write` only stores the newest estimate. Frames
    wider than 1280 pixels are scaled down to that width, and those smaller than 640 x 480 up to that size. Closing the window
    ends the display, not the session. The key `m` marks the next frame, for the sink `outliers`; the number of frames that
    were kept for it is shown.

    Args:
        pcutoff: keypoints with less confidence are not drawn.
        radius: of the keypoints, in pixels.
        colormap: name of a colorcet map from which keypoints take their colours.
        names: write the names of the keypoints beside them; by default, if there is one animal.

    Raises:
        UsageError: in `open`, if there is no screen.
        DependencyError: in `open`, if Python has no Tk.
    """

    def __init__(self, pcutoff: float = 0.5, radius: int = 3, colormap: str = "bmy", names: bool | None = None) -> None:
        keypoint_colours(colormap, 1)
        self._drawing = {"pcutoff": pcutoff, "radius": radius, "colormap": colormap, "names": names}
        self._newest = NewestEstimate()
        self._viewer: Viewer | None = None

    @property
    def is_open(self) -> bool:
        """Whether the window is open: False before `open`, and after the user has closed it."""
        return self._viewer is not None and self._viewer.is_alive

    def open(self, run: RunInfo) -> None:
        """Open the window. Raises UsageError without a screen, DependencyError without Tk."""
        self._newest = NewestEstimate(run.progress)
        hello = {"card": run.card.to_json(), "drawing": self._drawing, "name": run.name or run.source}
        self._viewer = Viewer("window", hello, self._newest, WIDEST, run.marks)
        self._viewer.open()

    def write(self, estimate: Estimate) -> None:
        """Hand the estimate to the window. Raises DataError if its process died; closing the window is not an error."""
        if self.is_open:
            self._newest.put(estimate)
        elif self._viewer is not None and self._viewer.exit_code:
            raise DataError(
                f"the window's process has ended (exit code {self._viewer.exit_code}): the display was lost"
            )

    def close(self) -> None:
        """Close the window, within a second. Safe to call twice."""
        if self._viewer is not None:
            self._viewer.close()
