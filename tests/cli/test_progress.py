"""The progress of a recording: lines where there is no terminal."""

from __future__ import annotations

import pytest

from dlclive_core import Session
from dlclive_core.cli import progress_bar
from dlclive_core.cli.progress_bar import progress_line, show_progress
from dlclive_core.testing import BlobModel, BlobSource


def test_without_a_terminal_a_line_is_printed_every_period(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress_bar, "LINE_PERIOD", 0.05)
    session = Session(source=BlobSource(frames=60), model=BlobModel(delay=0.01))
    with show_progress(session, "mouse.mp4", limit=50):
        session.run()
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("mouse.mp4: ") and " of 50 frames, " in line for line in lines)


def test_a_short_run_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(source=BlobSource(frames=3), model=BlobModel())
    with show_progress(session, "mouse.mp4", limit=None):
        session.run()
    assert capsys.readouterr().err == ""


def test_the_line_has_units_and_the_remaining_time() -> None:
    assert progress_line("a.mp4", 1200, 36000, 30.0) == "a.mp4: 1200 of 36000 frames, 40.0 frames/s, 870 s left"
    assert progress_line("a.mp4", 0, 36000, 30.0) == "a.mp4: 0 of 36000 frames, 0.0 frames/s"
    assert progress_line("a.mp4", 60, None, 30.0) == "a.mp4: 60 frames, 2.0 frames/s"
