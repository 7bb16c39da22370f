"""`dlclive recover`: finishes the files of a killed run."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.cli.output import complain, print_json, print_table, stderr
from dlclive_core.data.recovery import RecoveryReport
from dlclive_core.errors import DataError, DependencyError, PluginError, UsageError
from dlclive_core.hookspecs import RecoveryInfo
from dlclive_core.machine.known_packages import FILES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct


def run_recover(folder: Path, *, json: bool) -> int:
    """Run the recovery of every plugin and return the exit code: 5 if a file could not be finished."""
    _check(folder)
    catalog = PluginCatalog.installed()
    infos = catalog.components(RecoveryInfo)
    if not infos:
        raise DependencyError(f"no installed plugin recovers files; run: {install_command(FILES)}")
    reports: list[RecoveryReport] = []
    broken: list[PluginError] = []
    for info in infos:
        try:
            reports.append(construct(catalog.factory(info), f"recovery {info.name!r}", folder))
        except PluginError as error:  # the files of the other plugins are finished all the same
            broken.append(error)
    files = [file for report in reports for file in report.files]
    if json:
        print_json(
            {
                "folder": str(folder),
                "complete": not broken and all(report.complete for report in reports),
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
        print_table(str(folder), ("file", "kind", "frames", "until s", "result"), rows)
    else:
        stderr().print(f"nothing to recover in {folder}", markup=False)
    failed = [file for file in files if file.error]
    for file in failed:
        complain(f"{file.path}: {file.error}" if str(file.path) not in file.error else file.error)
    for failure in broken:
        complain(failure)
    return DataError.exit_code if failed else PluginError.exit_code if broken else 0


def _check(folder: Path) -> None:
    """Raise UsageError unless it is a folder: a file's own folder is named, in which all files of the run are finished."""
    if folder.is_dir():
        return
    where = folder.parent
    if folder.exists():
        raise UsageError(f"{folder} is a file: give the folder that the run wrote to, as in dlclive recover {where}")
    hint = f", as in dlclive recover {where}" if folder.suffix and where.is_dir() else ""
    raise UsageError(f"there is no {folder}: give the folder that the run wrote to{hint}")
