"""A stream that stalls in a network, and a program that ends during a stream, with real streams and processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from dlclive_cameras import OpenCVCamera
from dlclive_processors import CallableOutput, Stimulate

from dlclive_core import Frame, Pose, Processor, Session
from dlclive_core.testing import NullModel

FPS = 30
HELD_FROM, HELD_FOR = 120, 60  # frames; see stream_server.py


def test_outputs_ignore_frames_delayed_by_the_network(server: Any, number_in: Callable[[Frame], int]) -> None:
    """A frame's number gives its send time; the first seconds give its transit time."""
    server.start("held", fps=FPS)
    sent: list[tuple[int, float]] = []
    acted: list[int] = []

    class See(Processor):
        def process(self, pose: Pose, frame: Frame) -> Pose:
            sent.append((number_in(frame), frame.captured_at))
            if sent[-1][0] > HELD_FROM + HELD_FOR + 60:
                session.stop()
            return pose

    def flicker(pose: Pose, frame: Frame) -> bool:
        return number_in(frame) % 4 < 2

    lamp = CallableOutput(lambda on: acted.append(sent[-1][0]) if on else None)
    stimulate = Stimulate(output=lamp, condition=flicker, max_age=0.3, max_rate=1000)
    session = Session(source=OpenCVCamera(server.url), model=NullModel(), processors=[See(), stimulate])
    timer = threading.Timer(60, session.stop)
    timer.start()
    report = session.run()
    timer.cancel()
    way = min(at - number / FPS for number, at in sent if number < HELD_FROM)
    assert sent[-1][0] > HELD_FROM + HELD_FOR + 60
    assert any(number > HELD_FROM + HELD_FOR for number in acted)
    for number, at in sent:
        if number >= HELD_FROM:
            assert at - number / FPS - way < 0.3, f"frame {number} passes as newer than it is"
    assert not [number for number in acted if HELD_FROM + 5 < number < HELD_FROM + HELD_FOR - 10]
    statistics = report.processors[-1].statistics
    assert statistics["gap"] + statistics["stale"] >= 1


SCRIPT = """
import sys, threading
from dlclive_cameras import OpenCVCamera
from dlclive_core import Session
from dlclive_core.testing import NullModel

session = Session(source=OpenCVCamera(sys.argv[1]), model=NullModel())
threading.Timer(1.0, session.stop).start()
print(session.run().ending)
"""

UNCLOSED = """
import sys
from dlclive_cameras import OpenCVCamera

camera = OpenCVCamera(sys.argv[1])
camera.open()
print(camera.frame_size)
"""


def ends(script: str, url: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip()


def test_a_program_exits_cleanly_after_a_session(server: Any) -> None:
    """A thread still inside OpenCV at exit would abort the process."""
    for _ in range(3):
        server.start("mpegts", fps=50)
        assert ends(SCRIPT, server.url) == (0, "stopped")
        server.kill()


def test_a_program_exits_cleanly_with_an_unclosed_camera(server: Any) -> None:
    for _ in range(3):
        server.start("mpegts", fps=50)
        assert ends(UNCLOSED, server.url) == (0, "(192, 96)")
        server.kill()


def test_closing_waits_for_the_thread(server: Any) -> None:
    server.start("mpegts", fps=50)
    before = threading.active_count()
    camera = OpenCVCamera(server.url)
    camera.open()
    camera.close()
    assert threading.active_count() <= before  # a slow thread of an earlier test may have ended
