"""A plugin that raises when it is imported: the others load, and it is named."""

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
    """What pip leaves of a wheel: a module, and a folder with metadata and entry points."""
    (folder / "lab_broken.py").write_text('raise RuntimeError("no such camera driver")\n')
    info = folder / "lab_broken-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[dlclive]\nlab-broken = lab_broken\n")
    (info / "RECORD").write_text("lab_broken.py,,\n")


def listed(*path: str) -> tuple[list[dict], float]:
    """`dlclive plugins list --json`, and how long it took."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    words = [sys.executable, "-m", "dlclive_core", "plugins", "list", "--json"]
    answer = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(answer.stdout), time.perf_counter() - began


def broken_plugin(runs: int) -> Row:
    """Beside the installed ones."""
    more, good, told = [], True, ""
    with tempfile.TemporaryDirectory() as name:
        install_broken(Path(name))
        for _ in range(runs):
            (without, before), (within, after) = listed(), listed(name)
            more.append(after - before)
            (bad,) = [plugin for plugin in within if plugin["name"] == "lab-broken"]
            others = [plugin for plugin in within if plugin is not bad]
            told = f"{bad['status']}: {bad['error']}".replace(name, "...")
            good &= others == without and bad["status"] == "broken" and bad["version"] == "1.2"
            good &= "no such camera driver" in told and "lab_broken.py" in json.dumps(bad)
    measured = f'all others as before: {"yes" if good else "no"}; start-up {max(more):+.2f} s at most; it is listed as "{told}"'
    return Row(
        "plugin raises on import",
        "an installed distribution",
        "others load; names distribution, version, file; start-up < 1 s more",
        measured,
        runs,
        good,
        max(more) < 1,
    )
