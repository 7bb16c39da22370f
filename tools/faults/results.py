"""What was measured so far: benchmarks/faults.json, and the table that is made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from dlclive_core.machine.system import system_info
from tools.faults.row import Row, table

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"

_HEAD = """# Faults

Made with `python -m nox -s faults`: real processes and real kills; simulated are the devices. `-- NAME` measures again what has
that name and leaves the other rows as they are; the numbers are in faults.json. Load: processes that wanted a processor in the
minute in which the row was measured, those of the measurement among them.
"""


def machine() -> str:
    """What the rows of now are measured on."""
    info = system_info()
    return f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}"


def merge(found: Mapping[str, Sequence[Row]], order: Iterable[str], folder: Path = FOLDER) -> None:
    """Put the rows of these names in the place of those that had them, and write both files.

    Args:
        found: rows by the name of what measured them.
        order: of all names; rows under another name are of something that is not measured any more, and go.
        folder: where faults.json and faults.md are.
    """
    file = folder / "faults.json"
    measured = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    here = machine()
    for name, rows in found.items():
        measured[name] = [{**asdict(row), "machine": here} for row in rows]
    measured = {name: measured[name] for name in order if name in measured}
    file.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (folder / "faults.md").write_text(_page(measured), encoding="utf-8")


def _page(measured: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    every = [row for rows in measured.values() for row in rows]
    machines = dict.fromkeys(str(row["machine"]) for row in every)
    rows = [Row(**{key: value for key, value in row.items() if key != "machine"}) for row in every]  # type: ignore[arg-type]
    return f"{_HEAD}\n{'; '.join(machines)}\n\n{table(rows)}\n"
