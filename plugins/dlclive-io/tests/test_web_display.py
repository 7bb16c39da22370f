"""What is shown on the page, and that it holds nothing up. Real processes, real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen

import cv2
import numpy as np
import psutil
import pytest

pytest.importorskip("starlette", reason="needs dlclive-io")
pytest.importorskip("uvicorn", reason="needs dlclive-io")

from dlclive_io.screen.viewer_update import shrink
from dlclive_io.screen.web_display import WebDisplay

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    Pose,
    Progress,
)
from dlclive_core.testing import SinkContract, estimates, run_info


class TestWebDisplay(SinkContract):
    @pytest.fixture
    def sink(self) -> WebDisplay:
        return WebDisplay(port=0)


def ask(display: WebDisplay, after: int = -1) -> tuple[dict[str, Any], bytes]:
    """The numbers and the JPEG, as the page gets them."""
    with urlopen(urljoin(display.url, f"/next?after={after}"), timeout=20) as answer:
        body = answer.read()
    (length,) = struct.unpack_from("<I", body)
    return json.loads(body[4 : 4 + length]), body[4 + length :]


def ask_until(display: WebDisplay, true: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], bytes]:
    """The first answer of which something is true."""
    until = time.monotonic() + 20
    numbers: dict[str, Any] = {}
    while time.monotonic() < until:
        numbers, picture = ask(display, numbers.get("sequence", -1))
        if true(numbers):
            return numbers, picture
    raise AssertionError(f"never came: {numbers}")


def shown(display: WebDisplay, index: int) -> tuple[dict[str, Any], bytes]:
    return ask_until(display, lambda numbers: numbers["frame"] is not None and numbers["frame"]["index"] == index)


def now(estimate: Estimate, latency: float = 0.004) -> Estimate:
    """The same, taken just now."""
    ready = time.perf_counter()
    frame = Frame(estimate.frame.image, estimate.frame.index, ready - latency)
    return Estimate(frame, estimate.pose, ready - latency, ready, ready)


def test_the_page_shows_the_picture_with_its_own_keypoints(display: WebDisplay) -> None:
    assert ask(display)[0]["state"] == "waiting"
    for estimate in estimates(5, missing=(4,)):
        display.write(now(estimate))
        numbers, jpeg = shown(display, estimate.frame.index)
        picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert np.abs(picture.astype(int) - estimate.frame.image).mean() < 6
        points = [[np.nan if value is None else value for value in point] for point in numbers["frame"]["keypoints"][0]]
        np.testing.assert_allclose(points, estimate.pose.keypoints[0], atol=1e-3)
    assert numbers["frame"]["size"] == [160, 120]
    assert (numbers["names"], numbers["pcutoff"]) == (["k0", "k1", "k2"], 0.4)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in numbers["colours"])


def test_rate_latency_age_and_drops_are_shown(display: WebDisplay) -> None:
    ask(display)
    pace, last = 0.01, 0
    for estimate in estimates(200):
        index = estimate.frame.index
        if index % 10 != 9:  # each tenth is lost on the way
            display.write(now(estimate, latency=0.050 if index % 15 == 0 else 0.020))
            last = index
        time.sleep(pace)
    numbers, _ = shown(display, last)
    assert (numbers["processed"], numbers["missed"], numbers["dropped"]) == (180, 19, 0)
    p50, p95, p99 = numbers["latency_ms"]
    assert (p50, p95, p99) == (pytest.approx(20, abs=0.1), pytest.approx(50, abs=0.1), pytest.approx(50, abs=0.1))
    assert 5 < numbers["rate"] < 95
    assert 20 <= numbers["frame"]["age_ms"] < 20_000
    assert ask(display)[0]["frame"]["age_ms"] > numbers["frame"]["age_ms"]


def test_dropped_frames_are_those_of_the_session() -> None:
    progress = Progress("running", missed=2, processed=90, dropped=3, not_written=7)
    with WebDisplay(port=0) as display:
        display.open(replace(run_info(), name="left", progress=lambda: progress))
        for estimate in list(estimates(30))[::7]:
            display.write(now(estimate))
        numbers, _ = shown(display, 28)
    counts = {name: numbers[name] for name in ("name", "missed", "processed", "dropped", "not_written")}
    assert counts == {"name": "left", "missed": 2, "processed": 90, "dropped": 3, "not_written": 7}


def test_the_state_is_stale_without_frames_and_live_again_with_them(display: WebDisplay) -> None:
    first, second = estimates(2)
    display.write(now(first))
    assert shown(display, 0)[0]["state"] == "live"
    numbers, _ = ask_until(display, lambda numbers: numbers["state"] == "stale")
    assert numbers["frame"]["age_ms"] > 1000
    display.write(now(second))
    assert shown(display, 1)[0]["state"] == "live"


def test_pictures_are_shrunk_and_grey_ones_stay_grey() -> None:
    with WebDisplay(port=0, width=64) as display:
        display.open(run_info())
        estimate = next(estimates(1))
        grey = np.full((100, 200), 77, np.uint8)[:, ::2]  # not in one piece, as a cropped camera image is
        display.write(Estimate(Frame(grey, 7, time.perf_counter()), estimate.pose, 0, 0, 0))
        numbers, jpeg = shown(display, 7)
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
        assert (picture.shape, numbers["frame"]["size"]) == ((64, 64), [100, 100])
        assert abs(int(picture.mean()) - 77) <= 2


@pytest.mark.parametrize("size", [(1024, 1280), (2048, 2448), (100, 961), (1, 4000)])
def test_a_picture_that_is_shrunk_shows_the_same(size: tuple[int, int]) -> None:
    height, width = size
    ramp = np.broadcast_to(np.linspace(0, 255, width)[None, :, None], (height, width, 3)).astype(np.uint8)
    small = shrink(ramp, 960)
    assert small.shape == (max(1, round(height * 960 / width)), 960, 3)
    assert np.abs(small[0, :, 0].astype(float) - np.linspace(0, 255, 960)).max() < 1.5


def test_poses_with_infinity_or_without_animals_are_shown(display: WebDisplay) -> None:
    estimate = next(estimates(1))
    skeleton = estimate.pose.skeleton
    wild = np.full((2, 3, 3), [np.inf, -np.inf, np.nan], np.float32)
    for index, points in enumerate((wild, np.zeros((0, 3, 3), np.float32))):
        pose = Pose(points, skeleton, unique=np.full((1, 3), np.nan, np.float32))
        display.write(Estimate(Frame(estimate.frame.image, index, time.perf_counter()), pose, 0, 0, 0))
        assert shown(display, index)[0]["frame"]["keypoints"] == [[[None] * 3] * 3] * len(points)


def test_at_most_thirty_pictures_a_second_and_the_newest_wins(display: WebDisplay) -> None:
    ask(display)
    indices, began = [], time.monotonic()
    feed = estimates(1000)
    number = -1
    while time.monotonic() < began + 1.5:
        for _ in range(5):
            display.write(now(next(feed)))
        numbers, _ = ask(display, number)
        number = numbers["sequence"]
        if numbers["frame"]:
            indices.append(numbers["frame"]["index"])
    assert len(set(indices)) <= 30 * (time.monotonic() - began) + 2
    assert indices == sorted(indices)


def test_no_pictures_are_encoded_while_no_page_is_open(display: WebDisplay) -> None:
    for estimate in estimates(100):
        display.write(now(estimate))
        time.sleep(0.01)
    numbers, _ = shown(display, 99)
    assert numbers["sequence"] <= 3  # not one for each thirtieth of a second
    assert numbers["processed"] == 100


def test_several_pages_are_served_at_once(display: WebDisplay) -> None:
    for estimate in estimates(3):
        display.write(now(estimate))
        first, second = shown(display, estimate.frame.index), shown(display, estimate.frame.index)
        assert first[1] == second[1]


def test_pages_that_do_not_read_fill_no_memory(display: WebDisplay) -> None:
    address = urlsplit(display.url)
    image = np.random.default_rng(0).integers(0, 255, (700, 900, 3), np.uint8)  # noise: large as JPEG
    pose = next(estimates(1)).pose
    server = psutil.Process(display._viewer.process_id)

    def feed(first: int) -> None:
        for index in range(first, first + 80):
            frame = Frame(image, index, time.perf_counter())
            display.write(Estimate(frame, pose, 0, 0, time.perf_counter()))
            time.sleep(0.01)

    with contextlib.ExitStack() as stack:
        for _ in range(4):
            lazy = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            lazy.settimeout(1)
            with contextlib.suppress(TimeoutError):  # asks for as many pictures as the sockets take, and reads none
                lazy.sendall(b"GET /next?after=-1 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20_000)
        feed(0)
        ask(display)
        before = server.memory_info().rss
        feed(80)
        feed(160)
        assert server.memory_info().rss - before < 30e6
        assert shown(display, 239)[0]["state"] == "live"  # and the others see on


def test_the_address_is_printed_once_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with WebDisplay(port=0) as display:
        display.open(run_info())
        for estimate in estimates(3):
            display.write(estimate)
        shown(display, 2)
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"display: {display.url}\n")


def test_closing_ends_the_server_within_a_second_and_pages_are_told(display: WebDisplay) -> None:
    display.write(now(next(estimates(1))))
    numbers, _ = shown(display, 0)
    server = psutil.Process(display._viewer.process_id)
    address = urlsplit(display.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as waiting:
        waiting.sendall(b"GET /next?after=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % numbers["sequence"])
        display.close()
        assert b'"state": "ended"' in waiting.recv(100_000)
    assert not server.is_running()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=10)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="there is no SIGSTOP")
def test_a_server_that_hangs_blocks_nothing(display: WebDisplay) -> None:
    server = psutil.Process(display._viewer.process_id)
    server.suspend()
    image = np.zeros((1000, 1000, 3), np.uint8)
    pose = next(estimates(1)).pose
    began = time.perf_counter()
    for index in range(1000):
        display.write(Estimate(Frame(image, index, 0.0), pose, 0, 0, 0))
    display.close()
    assert time.perf_counter() - began < 30  # a fault would be for ever
    assert not server.is_running()


def test_a_server_that_was_killed_detaches_the_sink(display: WebDisplay) -> None:
    psutil.Process(display._viewer.process_id).kill()
    display._viewer._thread.join(10)
    with pytest.raises(DataError, match=r"the display's process has ended \(exit code -9\)"):
        display.write(next(estimates(1)))


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_the_server_ends_with_a_session_that_is_killed() -> None:
    script = (
        "import os, time\nfrom dlclive_io import WebDisplay\nfrom dlclive_core.testing import run_info\n"
        "display = WebDisplay(port=0); display.open(run_info())\n"
        "if os.fork() == 0: time.sleep(60); os._exit(0)\n"  # a fork holds the pipe, too
        "print(display._viewer.process_id, flush=True); time.sleep(60)"
    )
    session = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert session.stdout is not None
    server = psutil.Process(int(session.stdout.readline()))
    children = psutil.Process(session.pid).children()
    session.kill()
    session.wait()
    psutil.wait_procs([server], timeout=10)
    for child in children:
        if child.pid != server.pid:
            child.kill()
    session.stdout.close()
    assert not server.is_running()
