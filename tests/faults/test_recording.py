"""A few killed recordings; `nox -s faults` kills fifty."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.faults.recording import KilledRecording, kill_recordings, kill_while_recording

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def test_recordings_killed_at_random_moments_are_readable(tmp_path: Path) -> None:
    figures = kill_recordings(tmp_path, 2, longest=2.5, seed=3)
    for name in ("tables open", "video opens", "every video frame has its row", "rows intact"):
        assert figures[name] == 2, figures
    lost = figures["seconds lost, at most"]
    assert isinstance(lost, dict)
    assert max(lost.values()) <= 2.0, figures  # `nox -s faults` measures the bound of 1 s
    assert figures["problems"] == []


@pytest.mark.parametrize("after", [0.0, 0.05])
def test_a_recording_killed_at_its_start_is_readable(tmp_path: Path, after: float) -> None:
    assert _is_good(kill_while_recording(tmp_path / "run", after))


def test_a_killed_mp4_recording_is_readable(tmp_path: Path) -> None:
    run = kill_while_recording(tmp_path / "run", 1.7, suffix=".mp4")
    assert _is_good(run)
    assert max(run.frames_lost.values()) <= 160  # some frames were written


def _is_good(run: KilledRecording) -> bool:
    return run.tables_open and run.video_opens and run.rows_match and run.rows_intact and not run.problem
