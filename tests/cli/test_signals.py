"""Real processes that lose their terminal or their standard streams, or get a signal: files are whole, codes are right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("dlclive_onnx", reason="the demo's model needs dlclive-onnx")
pytest.importorskip("dlclive_io", reason="tables need dlclive-io")
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX"),
]


def command(out: Path, *more: str) -> list[str]:
    from dlclive_core.demo import MODEL

    run = ["run", "--source", "mouse", "--model", str(MODEL), "--sink", "tables:m.h5", "--sink", "tables:m.csv"]
    return [sys.executable, "-m", "dlclive_core", *run, "--out", str(out), *more]


def wait_until_it_runs(out: Path) -> None:
    """Until poses are being written."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if any(path.read_text().count("\n") > 10 for path in out.glob("m.csv*.part")):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing is written in {out}: {list(out.iterdir()) if out.exists() else 'no folder'}")


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_finishes_the_files(tmp_path: Path, name: str) -> None:
    process = subprocess.Popen(
        command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_until_it_runs(tmp_path)
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    assert (tmp_path / "m.h5").exists()
    assert not list(tmp_path.glob("*.part"))


def test_nohup_is_respected(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_until_it_runs(tmp_path)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    process.wait(60)
    assert (tmp_path / "m.h5").exists()


def test_the_terminal_goes_away(tmp_path: Path) -> None:
    """As when ssh breaks: SIGHUP, and every write to the terminal fails from then on."""
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command(tmp_path), stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    wait_until_it_runs(tmp_path)
    os.close(leader)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 128 + signal.SIGHUP
    assert (tmp_path / "m.h5").exists()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=["stdin", "stdout", "stderr", "all"])
def test_closed_streams_are_no_failure(tmp_path: Path, closed: tuple[int, ...]) -> None:
    def close() -> None:
        for number in closed:
            os.close(number)

    process = subprocess.Popen(command(tmp_path, "--seconds", "1"), preexec_fn=close, start_new_session=True)
    assert process.wait(120) == 0
    assert (tmp_path / "m.h5").exists()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["exit_code"] == 0


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1"])
def test_a_limit_is_a_number_of_seconds(tmp_path: Path, seconds: str) -> None:
    done = subprocess.run(
        command(tmp_path / "out", "--seconds", seconds), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "seconds" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
