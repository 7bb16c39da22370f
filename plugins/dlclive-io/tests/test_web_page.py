"""The page as a person sees it: a real browser, its picture and its text."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs dlclive-io")
pytest.importorskip("uvicorn", reason="needs dlclive-io")

from dlclive_io.drawing import keypoint_colours
from dlclive_io.screen.web_display import WebDisplay

from dlclive_core import Estimate, Frame, Pose
from dlclive_core.testing import BlobModel, run_info

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium to look with; apt-get install chromium")

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1280,800 --virtual-time-budget=3000"
).split()
COLORMAP = "rainbow_bgyr_35_85_c73"  # of colours that are nowhere else on the page
IDS = ("anna", "bert")


def estimate(index: int) -> Estimate:
    """Two animals on a grey ground; the third keypoint of each is not sure enough to be drawn."""
    points = np.array([[[60, 40, 0.9], [100, 60, 0.8], [30, 90, 0.2]], [[60, 70, 0.7], [120, 90, 0.6], [140, 20, 0.1]]])
    pose = Pose(points.astype(np.float32), BlobModel().card.skeleton, ids=IDS)
    ready = time.perf_counter()
    return Estimate(Frame(np.full((120, 160, 3), 90, np.uint8), index, ready - 0.02), pose, 0, 0, ready)


@pytest.fixture
def display() -> Iterator[WebDisplay]:
    """With a session that gives fifty frames a second, each tenth lost."""
    over = threading.Event()

    def feed() -> None:
        index = 0
        while not over.wait(0.02):
            index += 1
            if index % 10:
                sink.write(estimate(index))

    with WebDisplay(port=0, colormap=COLORMAP) as sink:
        sink.open(run_info(is_live=True))
        feeding = threading.Thread(target=feed)
        feeding.start()
        yield sink
        over.set()
        feeding.join()


def look(display: WebDisplay, folder: Path, *flags: str) -> str:
    """Let the browser look for three seconds of its own time; return what it prints."""
    assert BROWSER is not None
    command = [BROWSER, *_FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, display.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def pixels_like(screenshot: np.ndarray, colour: np.ndarray) -> int:
    return int((np.abs(screenshot.astype(int) - colour).max(axis=2) <= 2).sum())


def test_the_picture_has_the_keypoints_in_their_colours(display: WebDisplay, tmp_path: Path) -> None:
    look(display, tmp_path, f"--screenshot={tmp_path / 'page.png'}")
    page = cv2.cvtColor(cv2.imread(str(tmp_path / "page.png")), cv2.COLOR_BGR2RGB)
    picture = page[60:, :940]  # left of the numbers, where the keypoints are listed in the same colours
    assert pixels_like(picture, np.array([90, 90, 90])) > 200_000  # the frame is there, and large
    sure, also, unsure = keypoint_colours(COLORMAP, 3)
    assert pixels_like(picture, sure) > 100
    assert pixels_like(picture, also) > 100
    assert pixels_like(picture, unsure) == 0
    assert pixels_like(page, unsure) > 20  # in the list


def test_the_text_has_the_numbers(display: WebDisplay, tmp_path: Path) -> None:
    page = look(display, tmp_path, "--dump-dom")
    assert '<body data-state="live">' in page

    def text(name: str) -> str:
        element = re.search(rf'id="{name}"[^>]*>(.*?)</(?:div|span|b)>', page)
        assert element, name
        return re.sub("<.*?>", " ", element[1])

    assert text("state") == "live"
    assert text("about") == "test · blobs"
    assert 5 < float(text("rate")) < 60
    for percentile in ("p50", "p95", "p99"):
        assert text(percentile) == "20.0"
    assert re.fullmatch(r"[0-9.]+ m?s ", text("age"))
    assert int(text("index")) > int(text("processed")) > 0
    assert int(text("dropped")) == int(text("missed")) > 0
    assert text("overwritten") == "0"
    assert 'id="unwritten" hidden' in page
    rows = re.findall(r"<span>(\w+)</span><u></u><em>([0-9.]+)</em>", page)
    assert rows == [("anna", "0.63"), ("bert", "0.47"), ("k0", "0.80"), ("k1", "0.70"), ("k2", "0.15")]
