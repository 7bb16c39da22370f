"""`dlclive recover`: finishes the files of a killed run."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.cli.output import complain, print_json, print_table, stderr
from dlclive_core.data.recovery import RecoveryReport
from dlclive_core.errors import DataError, DependencyError
from dlclive_core.hookspecs import RecoveryInfo
from dlclive_core.machine.known_packages import INSTALL_FILES
from dlclive_core.plugins.catalog import PluginCatalog


def run_recover(folder: Path, *, json: bool) -> int:
    """Run the recovery of every plugin and return the exit code: 5 if a file could not be finished."""
    catalog = PluginCatalog.installed()
    infos = catalog.components(RecoveryInfo)
    if not infos:
        raise DependencyError(f"no installed plugin recovers files; run: {INSTALL_FILES}")
    reports: list[RecoveryReport] = [catalog.factory(info)(folder) for info in infos]
    files = [file for report in reports for file in report.files]
    if json:
        print_json(
            {
                "folder": str(folder),
                "complete": all(report.complete for report in reports),
                "files": [file for report in reports for file in report.to_dict()["files"]],
            }
        )
    elif files:
        rows = [
            (
                file.path.name,
                file.kind,
                str(file.rows),
                "-" if file.seconds is None else f"{file.seconds:.2f}",
                file.error or file.note,
            )
            for file in files
        ]
        print_table(str(folder), ("file", "kind", "rows", "until s", "result"), rows)
    else:
        stderr().print(f"nothing to recover in {folder}", markup=False)
    failed = [file for file in files if file.error]
    for file in failed:
        complain(f"{file.path}: {file.error}" if str(file.path) not in file.error else file.error)
    return DataError.exit_code if failed else 0
