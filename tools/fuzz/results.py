"""What was found so far: benchmarks/fuzz.json, and the table that is made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from dlclive_core.machine.system import system_info
from tools.fuzz.run import Result
from tools.fuzz.targets import target

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"

_HEAD = """# Hostile files

Made with `python -m nox -s fuzz`, which damages valid files of each kind at random, as bytes and as values, and gives them
to the function that reads them. An input is read, or refused with one line that says why. A failure is any other exception,
more than 10 s, or 500 MB more memory. Rows of the same name are replaced; the numbers are in fuzz.json.

| file | read by | inputs | read | refused | failed | slowest | memory | seed | day |
|---|---|---|---|---|---|---|---|---|---|
"""


def merge(name: str, found: Result, seed: int, order: Iterable[str], folder: Path = FOLDER) -> None:
    """Put a target's row in the place of the one that it had, and write both files."""
    file = folder / "fuzz.json"
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    info = system_info()
    rows[name] = {
        "reader": target(name).reader,
        "inputs": found.inputs,
        "read": found.read,
        "refused": found.refused,
        "failed": len(found.failures),
        "slowest_ms": round(found.slowest * 1000),
        "grown_mb": found.grown >> 10,
        "seed": seed,
        "day": datetime.now(timezone.utc).astimezone().strftime("%Y-%m-%d"),
        "machine": f"{info['processor']}, Python {info['python']}",
    }
    rows = {name: rows[name] for name in order if name in rows}
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (folder / "fuzz.md").write_text(_HEAD + "".join(_line(*item) for item in rows.items()), encoding="utf-8")


def _line(name: str, row: dict[str, object]) -> str:
    cells = (
        name, row["reader"], row["inputs"], row["read"], row["refused"], row["failed"], f"{row['slowest_ms']} ms",
        f"+{row['grown_mb']} MB", row["seed"], row["day"],
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"
