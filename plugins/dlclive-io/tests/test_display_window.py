"""The window, on a real or a virtual screen. What it shows is read from the screen."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from dlclive_io.drawing import keypoint_colours
from dlclive_io.outliers.outlier_frames import OutlierFrames
from dlclive_io.screen.display_window import DisplayWindow
from dlclive_io.screen.recent_times import RecentTimes
from dlclive_io.screen.window import enlarge, status_text

from dlclive_core import DataError, DependencyError, Estimate, Frame, Pose, Progress, UsageError
from dlclive_core.testing import SinkContract, estimates, run_info

pytest.importorskip("tkinter", reason="this Python was built without Tk")
needs_xvfb = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no Xvfb to make a screen whose pixels can be read"
)


class Screen:
    """One Xvfb. It keeps the screen in a file in XWD's format."""

    def __init__(self, folder: Path) -> None:
        reading, writing = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-fbdir", str(folder)],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as file:
            self.name = ":" + file.readline().strip()
        self._file = folder / "Xvfb_screen0"

    def pixels(self) -> np.ndarray:
        """(H, W, 3) RGB, int."""
        content = self._file.read_bytes()
        header = np.frombuffer(content, ">u4", 25)
        height, line, start = int(header[5]), int(header[12]), int(header[0] + 12 * header[19])
        rows = np.frombuffer(content, np.uint8, height * line, start).reshape(height, line // 4, 4)
        return rows[:, :, 2::-1].astype(int)

    def close_windows(self) -> None:
        """Ask each window to close, as the button in a title bar does: Xlib by ctypes, as little else is needed of it."""
        x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self.name.encode()))
        protocols, delete = (x11.XInternAtom(display, atom, 0) for atom in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
        ignored, count, windows = ctypes.c_ulong(), ctypes.c_uint(), ctypes.POINTER(ctypes.c_ulong)()
        results = (ctypes.byref(item) for item in (ignored, ignored, windows, count))
        x11.XQueryTree(display, root, *results)
        for window in windows[: count.value]:
            message = (ctypes.c_long * 24)(33, 0, 1, 0, window, protocols, 32, delete)  # an XEvent: ClientMessage
            x11.XSendEvent(display, ctypes.c_ulong(window), 0, 0, message)
        x11.XCloseDisplay(display)

    def press(self, key: str) -> None:
        """Press and release a key over the window, as a keyboard does: by the extension XTEST."""
        x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        name = ctypes.util.find_library("Xtst")
        if name is None:
            pytest.skip("no libXtst to press a key")
        xtest = ctypes.CDLL(name)
        x11.XOpenDisplay.restype = ctypes.c_void_p
        display = ctypes.c_void_p(x11.XOpenDisplay(self.name.encode()))
        code = x11.XKeysymToKeycode(display, ctypes.c_ulong(ord(key)))
        xtest.XTestFakeMotionEvent(display, -1, 100, 100, ctypes.c_ulong(0))
        for down in (1, 0):
            xtest.XTestFakeKeyEvent(display, code, down, ctypes.c_ulong(0))
        x11.XCloseDisplay(display)


@pytest.fixture
def xvfb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    screen = Screen(tmp_path)
    monkeypatch.setenv("DISPLAY", screen.name)
    yield screen
    screen.server.terminate()
    screen.server.wait(10)


@pytest.fixture
def screen(request: pytest.FixtureRequest) -> None:
    """A virtual screen, or the one that is there."""
    if shutil.which("Xvfb"):
        request.getfixturevalue("xvfb")
    elif not (os.environ.get("DISPLAY") or sys.platform in ("win32", "darwin")):
        pytest.skip("no screen, and no Xvfb to make one")


def soon(true: Callable[[], bool]) -> bool:
    """Whether something becomes true."""
    until = time.monotonic() + 20
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


@pytest.mark.usefixtures("screen")
class TestDisplayWindow(SinkContract):
    @pytest.fixture
    def sink(self) -> DisplayWindow:
        return DisplayWindow()


@needs_xvfb
def test_a_frame_is_shown_with_its_keypoints(xvfb: Screen) -> None:
    with DisplayWindow(radius=4) as window:
        window.open(run_info())
        estimate = next(estimates(1))  # of 160 x 120 pixels, shown four times as large
        window.write(estimate)
        colours = keypoint_colours("bmy", 3).astype(int)
        at = [(round(4 * y - 0.5), round(4 * x - 0.5)) for x, y, _ in estimate.pose.keypoints[0]]
        assert soon(lambda: all((xvfb.pixels()[at[k]] == colours[k]).all() for k in range(3)))
        expected = cv2.resize(estimate.frame.image, (640, 480), interpolation=cv2.INTER_LINEAR).astype(int)
        same = (xvfb.pixels()[:480, :640] == expected).all(axis=2)
        assert same.mean() > 0.94  # but for circles, edges and text
        assert not same[:90, :60].all()  # the legend
        assert not same[460:, :200].all()  # the frame's number
    assert soon(lambda: not (xvfb.pixels()[at[2]] == colours[2]).all())


@needs_xvfb
def test_a_frame_that_is_larger_than_a_screen_is_made_smaller_with_its_keypoints(xvfb: Screen) -> None:
    estimate = next(estimates(1))
    image = np.zeros((800, 2560, 3), np.uint8)
    pose = Pose(np.array([[[1000, 600, 1], [np.nan, np.nan, 0], [600, 1000, 0]]], np.float32), estimate.pose.skeleton)
    with DisplayWindow(radius=4) as window:
        window.open(run_info())
        window.write(Estimate(Frame(image, 0, 0.0), pose, 0, 0, 0))
        colour = keypoint_colours("bmy", 3)[0].astype(int)
        assert soon(lambda: (xvfb.pixels()[300, 500] == colour).all())


@needs_xvfb
def test_dropped_frames_are_shown_below_the_picture(xvfb: Screen) -> None:
    """As text, which changes with the numbers."""
    progress = [Progress("running", processed=1)]

    def below() -> np.ndarray:
        return xvfb.pixels()[484:496, 2:480]

    with DisplayWindow() as window:
        window.open(replace(run_info(), progress=lambda: progress[-1]))
        window.write(next(estimates(1)))
        assert soon(lambda: below().std() > 5)
        first = below()
        progress.append(Progress("running", processed=1, missed=8888))
        assert soon(lambda: not np.array_equal(below(), first))


def test_the_line_below_the_picture_has_rate_latency_and_losses_with_units() -> None:
    header = {"processed": 90, "losses": Progress("running", missed=1, dropped=2).losses, "marked": 0}
    times = RecentTimes()
    assert status_text(header, times, 100.0) == "90 poses, 2 dropped, 1 missed"
    times.extend((90.0 + 0.1 * n, 0.008 if n % 50 else 0.5) for n in range(100))
    line = status_text(header, times, 100.0)
    assert line == "10.0 poses/s, latency 8.0 ms (p99 258.9 ms), 90 poses, 2 dropped, 1 missed"


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((120, 160, 3), (480, 640, 3)), ((480, 640), (480, 640)), ((100, 900, 3), (100, 900, 3)), ((1, 1), (480, 480))],
)
def test_a_small_picture_is_enlarged(shape: tuple[int, ...], shown: tuple[int, ...]) -> None:
    assert enlarge(np.full(shape, 7, np.uint8)).shape == shown


@needs_xvfb
def test_closing_the_window_ends_only_the_display(xvfb: Screen) -> None:
    with DisplayWindow() as window:
        window.open(run_info())
        assert window.is_open
        xvfb.close_windows()
        assert soon(lambda: not window.is_open)
        for estimate in estimates(3):
            window.write(estimate)  # not an error: the user closed it


@needs_xvfb
def test_losing_the_screen_ends_only_the_display(xvfb: Screen) -> None:
    with DisplayWindow() as window:
        window.open(run_info())
        first, second = estimates(2)
        window.write(first)
        xvfb.server.kill()
        assert soon(lambda: not window.is_open)
        with pytest.raises(DataError, match="the display was lost"):
            window.write(second)


@needs_xvfb
@pytest.mark.usefixtures("xvfb")
def test_a_window_that_hangs_is_closed() -> None:
    window = DisplayWindow()
    window.open(run_info())
    process = psutil.Process(window._viewer.process_id)
    process.suspend()
    for estimate in estimates(100):
        window.write(estimate)
    window.close()
    assert not process.is_running()


@needs_xvfb
@pytest.mark.usefixtures("xvfb")
def test_a_session_that_showed_a_window_exits_cleanly() -> None:
    """Tk in a thread of the session's own process ended it here, by abort, when the window was collected."""
    script = (
        "import gc\nfrom dlclive_core import Session\nfrom dlclive_core.testing import BlobModel, BlobSource\n"
        "from dlclive_io import DisplayWindow\n"
        "window = DisplayWindow()\nSession(source=BlobSource(frames=20), model=BlobModel(), sinks=[window]).run()\n"
        "del window\ngc.collect()\nprint('done')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_without_a_screen_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4321")
    with pytest.raises(UsageError, match=r"a window cannot be opened .*use the sink 'web'"):
        DisplayWindow().open(run_info())


def test_without_tk_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tkinter.py").write_text("raise ImportError('no Tk here')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DependencyError, match=r"needs Tk.*install python3-tk"):
        DisplayWindow().open(run_info())


@pytest.mark.usefixtures("screen")
def test_dlclive_shows_what_it_finds() -> None:
    from dlclive_core import DLCLive
    from dlclive_core.demo import MODEL
    from dlclive_core.demo.source import MouseSource

    pytest.importorskip("onnxruntime", reason="needs dlclive-onnx")
    frame = MouseSource(seed=1, frames=1).render(0)
    with DLCLive(MODEL, display=True, display_radius=5, pcutoff=0.2, convert2rgb=False) as live:
        live.get_pose(frame)
        assert live._window.is_open
    assert live._window is None


@needs_xvfb
def test_the_key_m_marks_a_frame(xvfb: Screen, tmp_path: Path) -> None:
    """A key that is pressed on the screen reaches the run; what was kept for it is counted for the window."""
    run = run_info()
    with DisplayWindow() as window, OutlierFrames(tmp_path / "outliers", min_confidence=0) as sink:
        window.open(run)
        sink.open(run)
        frames = list(estimates(3))
        window.write(frames[0])
        sink.write(frames[0])
        assert soon(lambda: bool(xvfb.pixels()[240:480, 320:640].any()))  # before the first picture the window is tiny
        xvfb.press("m")
        assert soon(lambda: run.marks.count == 1)
        sink.write(frames[1])
        sink.write(frames[2])
        assert (run.marks.kept, sink.statistics["marked"], sink.statistics["kept"]) == (1, 1, 1)


def test_frames_that_were_kept_are_told_below_the_picture() -> None:
    header = {"processed": 90, "losses": "0 dropped", "marked": 2}
    assert status_text(header, RecentTimes(), 100.0) == "90 poses, 0 dropped, 2 marked"
