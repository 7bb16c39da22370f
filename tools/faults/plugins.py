"""A plugin that raises on import: the others load, and it is listed as broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.faults.row import Row


def install_broken(folder: Path) -> None:
    """Install a broken plugin as pip does: a module, and a folder with metadata and entry points."""
    (folder / "lab_broken.py").write_text('raise RuntimeError("no such camera driver")\n')
    info = folder / "lab_broken-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[dlclive]\nlab-broken = lab_broken\n")
    (info / "RECORD").write_text("lab_broken.py,,\n")


def listed(*path: str) -> tuple[list[dict], float]:
    """The output of `dlclive plugins list --json`, and its run time in seconds."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    command = [sys.executable, "-m", "dlclive_core", "plugins", "list", "--json"]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(process.stdout), time.perf_counter() - began


def broken_plugin(runs: int) -> Row:
    """A broken plugin beside the installed ones."""
    delays, good, message = [], True, ""
    with tempfile.TemporaryDirectory() as name:
        install_broken(Path(name))
        for _ in range(runs):
            (without, before), (with_broken, after) = listed(), listed(name)
            delays.append(after - before)
            (bad,) = [plugin for plugin in with_broken if plugin["name"] == "lab-broken"]
            others = [plugin for plugin in with_broken if plugin is not bad]
            message = f"{bad['status']}: {bad['error']}".replace(name, "...")
            good &= others == without and bad["status"] == "broken" and bad["version"] == "1.2"
            good &= "no such camera driver" in message and "lab_broken.py" in json.dumps(bad)
    measured = f"all others unchanged: {'yes' if good else 'no'}; start-up {max(delays):+.2f} s at most; "
    measured += f'listed as "{message}"'
    return Row(
        "plugin raises on import",
        "an installed distribution",
        "others load; distribution, version and file are named; start-up < 1 s slower",
        measured,
        runs,
        good,
        max(delays) < 1,
    )
