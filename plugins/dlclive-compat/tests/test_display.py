"""The window: what it is shown, and that poses do not depend on it. Tk and Pillow run for real where there is a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive import DLCLive
from numpy.typing import NDArray

from dlclive_core import UsageError
from dlclive_core.testing import BlobSource

from .conftest import bgr

pytest.importorskip("PIL")


class Screen:
    """Stands for the window of `Display`, which `DLCLive` takes in its place."""

    def __init__(self, fails_at: int = -1) -> None:
        self.shown: list[tuple[Any, Any]] = []
        self.fails_at = fails_at
        self.is_closed = False

    def display_frame(self, frame: NDArray[np.uint8], pose: Any = None) -> None:
        if len(self.shown) == self.fails_at:
            raise RuntimeError("unplugged")
        self.shown.append((frame, pose))

    def destroy(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("way", ["get_pose", "runner"])
def test_it_is_shown_what_the_network_sees(blobs: Path, source: BlobSource, way: str) -> None:
    screen = Screen()
    live = DLCLive(blobs, "pytorch", display=screen, cropping=[4, 156, 2, 120], resize=0.5)  # type: ignore[arg-type]
    for index in range(3):
        frame = bgr(source.draw(index))
        pose = live.get_pose(frame) if way == "get_pose" else live.runner.get_pose(live.process_frame(frame))
        image, shown = screen.shown[index]
        assert image.shape == (59, 76, 3)
        np.testing.assert_allclose(shown[:, :2] * 2 + [4, 2], pose[:, :2], atol=0.01)
        x, y = shown[0, :2].astype(int)
        assert image[y, x, 0] > 100 > image[y, x, 2]  # RGB: the discs are yellow
    assert len(screen.shown) == 3
    live.close()
    assert screen.is_closed


def test_one_that_fails_is_closed_and_poses_continue(
    blobs: Path, source: BlobSource, caplog: pytest.LogCaptureFixture
) -> None:
    screen = Screen(fails_at=1)
    live = DLCLive(blobs, "pytorch", display=screen)  # type: ignore[arg-type]
    for index in range(3):
        np.testing.assert_allclose(live.get_pose(bgr(source.draw(index))), source.truth(index), atol=0.5)
    assert screen.is_closed
    assert live.display is None
    assert caplog.text.count("the display failed and is closed; poses continue: RuntimeError: unplugged") == 1


def test_the_window_itself() -> None:
    tkinter = pytest.importorskip("tkinter")
    from dlclive.display import Display

    display = Display(radius=2)
    display.destroy()  # nothing was shown
    frame = np.zeros((20, 30, 3), np.uint8)
    try:
        display.display_frame(frame)
    except tkinter.TclError:
        pytest.skip("no screen")
    for pose in (np.array([[5, 5, 0.9], [500, -9, 0.9], [3, 3, 0.1]]), np.zeros((2, 4, 3))):
        display.display_frame(frame, pose)
    display.destroy()
    display.destroy()


def test_an_unknown_map_of_colours_is_one_line() -> None:
    pytest.importorskip("tkinter")
    from dlclive.display import Display

    with pytest.raises(UsageError, match="colorcet has no map 'nothing'; try bmy"):
        Display(cmap="nothing").display_frame(np.zeros((4, 4, 3), np.uint8))
