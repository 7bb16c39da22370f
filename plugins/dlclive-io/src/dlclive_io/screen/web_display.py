"""The sink that shows frames with their keypoints in a page of the browser."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from dlclive_core import DataError, DependencyError, Estimate, RunInfo, Sink, UsageError
from dlclive_io.drawing import keypoint_colours
from dlclive_io.screen.newest_estimate import NewestEstimate
from dlclive_io.screen.tcp_port import DEFAULT_PORT
from dlclive_io.screen.viewer import Viewer

_HOSTS = ("127.0.0.1", "localhost")


class WebDisplay(Sink):
    """Serves a page with the newest frame, its keypoints, confidence, rate, latency, age and dropped frames.

    The page is served to browsers on this machine by a process of its own, which encodes at most `max_rate` pictures a
    second, and none while no page is open. `write` only stores the newest estimate. The address is printed once, on
    standard error. Dropped frames are those of the session: "capture" counts what the source skipped or lost, "wait" what
    was overwritten while the model was busy.

    The page has no password, so it is never served to the network. From another machine: `ssh -L 8000:127.0.0.1:8000 RIG`.

    Args:
        port: of the page; None: 8000, or the next free port; 0: any free port.
        host: only 127.0.0.1 is allowed.
        max_rate: pictures a second, at most 30.
        width: wider frames are scaled down to this width, in pixels.
        quality: of the JPEG pictures, 10 to 95.
        pcutoff: keypoints with less confidence are not drawn.
        colormap: name of a colorcet map from which keypoints take their colours.

    Raises:
        UsageError: an option is not valid; in `open`, the port is taken.
        DependencyError: starlette or uvicorn is not installed.
    """

    def __init__(
        self,
        port: int | None = None,
        host: str = "127.0.0.1",
        max_rate: float = 30.0,
        width: int = 960,
        quality: int = 80,
        pcutoff: float = 0.5,
        colormap: str = "bmy",
    ) -> None:
        _check(port, host, max_rate, width, quality)
        keypoint_colours(colormap, 1)
        self.url = ""
        self._port, self._max_rate, self._width, self._quality = port, max_rate, width, quality
        self._pcutoff, self._colormap = pcutoff, colormap
        self._newest = NewestEstimate()
        self._viewer: Viewer | None = None

    def open(self, run: RunInfo) -> None:
        """Serve the page. Raises UsageError (the port is taken) or SourceError (the process does not start)."""
        card = run.card
        names = card.skeleton.keypoints + card.unique_keypoints
        about = {
            "name": run.name,
            "source": run.source,
            "is_live": run.is_live,
            "model": card.net_type,
            "names": names,
            "colours": [
                "#{:02x}{:02x}{:02x}".format(*colour) for colour in keypoint_colours(self._colormap, len(names))
            ],
            "edges": card.skeleton.edges,
            "individuals": card.individuals,
            "pcutoff": self._pcutoff,
        }
        hello = {"port": self._port, "max_rate": self._max_rate, "quality": self._quality, "about": about}
        self._newest = NewestEstimate(run.progress)
        self._viewer = Viewer("web", hello, self._newest, self._width)
        self.url = self._viewer.open()
        sys.stderr.write(f"display{' of ' if run.name else ''}{run.name}: {self.url}\n")

    def write(self, estimate: Estimate) -> None:
        """Store the estimate for the page. Raises DataError if the page's process has ended."""
        if self._viewer is None or not self._viewer.is_alive:
            code = None if self._viewer is None else self._viewer.exit_code
            raise DataError(f"the display's process has ended (exit code {code}); the page is no longer updated")
        self._newest.put(estimate)

    def close(self) -> None:
        """End the process within a second. Safe to call twice."""
        if self._viewer is not None:
            self._viewer.close()


def _check(port: int | None, host: str, max_rate: float, width: int, quality: int) -> None:
    if host not in _HOSTS:
        tunnelled = DEFAULT_PORT if port is None else port
        raise UsageError(
            f"host {host!r}: the page has no password and is served to this machine only, at 127.0.0.1; omit host, "
            f"and from another machine run: ssh -L {tunnelled}:127.0.0.1:{tunnelled} THIS_MACHINE"
        )
    if port is not None and not 0 <= port <= 65535:
        raise UsageError(f"port must be 0 to 65535; got {port}")
    if not 0 < max_rate <= 30:
        raise UsageError(f"max_rate must be above 0 and at most 30 pictures a second; got {max_rate}")
    if not 64 <= width <= 4096:
        raise UsageError(f"width must be 64 to 4096 pixels; got {width}")
    if not 10 <= quality <= 95:
        raise UsageError(f"quality must be 10 to 95; got {quality}")
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise DependencyError(
            f"the sink 'web' needs {', '.join(missing)}, not installed; run: pip install {' '.join(missing)}"
        )
