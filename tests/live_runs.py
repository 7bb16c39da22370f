"""What tests of `dlclive run` share: waiting for it, its terminal, its record."""

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0


def wait_for(path: Path, process: subprocess.Popen, size: int = 0) -> None:
    """Until a file is there and at least so large."""
    until = time.monotonic() + PATIENCE
    while not (path.exists() and path.stat().st_size >= size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, f"no {path.name}"
        time.sleep(0.02)


def record(folder: Path, name: str = "run.json") -> dict:
    return json.loads((folder / name).read_text())


def counts_are_whole(values: dict) -> None:
    report = values["report"]
    assert report["frames_read"] == report["processed"] + report["dropped"]
    assert report["dropped"] == sum(report["drops"].values())


def on_a_terminal(start: Callable[..., subprocess.Popen], *words: object) -> tuple[str, str]:
    """What it writes on a terminal, and on standard output; it has to end with 0."""
    main, side = pty.openpty()
    process = start(*words, stderr=side)
    os.close(side)
    written = b""
    while select.select([main], [], [], PATIENCE)[0]:
        try:
            data = os.read(main, 65536)
        except OSError:
            break
        if not data:
            break
        written += data
    out, _ = process.communicate(timeout=PATIENCE)
    os.close(main)
    assert process.returncode == 0
    return written.decode(), out
