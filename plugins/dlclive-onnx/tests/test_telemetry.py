"""ONNX Runtime reports nothing, and leaves nothing in the user's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dlclive_core.demo

MODEL = Path(dlclive_core.demo.__file__).with_name("mouse.onnx")
QUIET = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "GITHUB_ACTIONS", "XDG_CACHE_HOME")
"""What would keep it quiet anyway, or put its files elsewhere."""


@pytest.mark.skipif(sys.platform == "win32", reason="its files are in HOME on POSIX")
def test_a_model_leaves_no_file_in_the_home_folder(tmp_path: Path) -> None:
    code = f"from dlclive_core import load_model\nload_model({str(MODEL)!r}, 'onnx', device='cpu').close()"
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    environment["HOME"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
