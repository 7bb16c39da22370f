"""The results so far: benchmarks/faults.json, and the table generated from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from dlclive_core.machine.system import system_info
from tools.faults.row import Row, table

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"

_HEAD = """# Faults

Made with `python -m nox -s faults`. Processes and kills are real; devices are simulated. `-- NAME` measures the rows of that
name again and keeps the others. The numbers are in faults.json. The load is the average number of processes that were ready to
run in the minute of the measurement, including its own.
"""


def machine() -> str:
    """The machine that rows are measured on now."""
    info = system_info()
    return f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}"


def merge(results: Mapping[str, Sequence[Row]], order: Iterable[str], folder: Path = FOLDER) -> None:
    """Replace the rows of these names, and write both files.

    Args:
        results: the rows by the name of their measurement.
        order: all names in order; rows of other names are obsolete and removed.
        folder: the folder of faults.json and faults.md.
    """
    file = folder / "faults.json"
    measured = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    here = machine()
    for name, rows in results.items():
        measured[name] = [{**asdict(row), "machine": here} for row in rows]
    measured = {name: measured[name] for name in order if name in measured}
    file.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (folder / "faults.md").write_text(_page(measured), encoding="utf-8")


def _page(measured: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    every = [row for rows in measured.values() for row in rows]
    machines = dict.fromkeys(str(row["machine"]) for row in every)
    rows = [Row(**{key: value for key, value in row.items() if key != "machine"}) for row in every]  # type: ignore[arg-type]
    return f"{_HEAD}\n{'; '.join(machines)}\n\n{table(rows)}\n"
