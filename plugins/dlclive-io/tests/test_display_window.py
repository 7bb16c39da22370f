"""The window, on a real or a virtual screen."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest
from dlclive_io.display_window import DisplayWindow

from dlclive_core import SourceError
from dlclive_core.testing import SinkContract, estimates, run_info

tkinter = pytest.importorskip("tkinter", reason="this Python was built without Tk")


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A virtual screen, or the one that is there."""
    if shutil.which("Xvfb"):
        reading, writing = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24"],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as file:
            name = ":" + file.readline().strip()
        yield name
        server.terminate()
        server.wait(10)
    elif os.environ.get("DISPLAY") or os.name == "nt":
        yield os.environ.get("DISPLAY", "")
    else:
        pytest.skip("no screen, and no Xvfb to make one")


class TestDisplayWindow(SinkContract):
    @pytest.fixture(autouse=True)
    def on_the_screen(self, screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", screen)

    @pytest.fixture
    def sink(self) -> DisplayWindow:
        return DisplayWindow()


def test_a_frame_is_shown_with_its_keypoints(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    with DisplayWindow(radius=4) as window:
        window.open(run_info())
        estimate = next(estimates(1))
        window.write(estimate)
        assert (window._image.width(), window._image.height()) == (160, 120)
        x, y = estimate.pose.keypoints[0, 0, :2].astype(int)
        shown = np.asarray(window._image.get(int(x), int(y)))
        assert (shown != estimate.frame.image[y, x]).any()  # a circle is drawn over the disc
        assert window._image.get(1, 1) == (0, 0, 0)


def test_it_shows_thirty_pictures_a_second_at_most(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    with DisplayWindow() as window:
        window.open(run_info())
        first, second = estimates(2)
        window.write(first)
        shown = window._image
        window._shown = time.perf_counter()
        window.write(second)
        assert window._image is shown
        window._shown -= 1
        window.write(second)
        assert window._image is not shown


def test_closing_it_by_hand_ends_only_the_display(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    with DisplayWindow() as window:
        window.open(run_info())
        first, second = estimates(2)
        window.write(first)
        window._window.destroy()
        window._shown = 0.0
        window.write(second)
        assert not window.is_open


@pytest.mark.skipif(os.name == "nt", reason="Windows always has a screen")
def test_without_a_screen_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4321")
    with pytest.raises(SourceError, match="a window cannot be opened"):
        DisplayWindow().open(run_info())


def test_dlclive_shows_what_it_finds(screen: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    from dlclive_core import DLCLive
    from dlclive_core.demo import MODEL
    from dlclive_core.demo.source import MouseSource

    pytest.importorskip("onnxruntime", reason="needs dlclive-onnx")
    frame = MouseSource(seed=1, frames=1).render(0)
    with DLCLive(MODEL, display=True, display_radius=5, pcutoff=0.2, convert2rgb=False) as live:
        live.get_pose(frame)
        assert live._window.is_open
    assert live._window is None
