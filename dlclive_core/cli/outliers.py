"""`dlclive outliers`: puts the frames that a run has kept into a project, to be labelled."""

from __future__ import annotations

import math
from pathlib import Path

from dlclive_core.cli.output import print_json, print_table, stderr
from dlclive_core.data.annotation import AnnotatedFrame, AnnotationReport
from dlclive_core.errors import DataError, DependencyError, UsageError
from dlclive_core.hookspecs import AnnotationInfo
from dlclive_core.machine.known_packages import FILES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct


def run_outliers(folder: Path, project: Path, *, video: str | None, add_video: bool, dry_run: bool, json: bool) -> int:
    """Have the first plugin that knows the project put the frames into it; exit code 5 if some are damaged."""
    report = _add(folder, project, video=video, add_video=add_video, dry_run=dry_run)
    damaged = report.counts.get("damaged", 0)
    if json:
        print_json({"dry_run": dry_run, **report.to_dict()})
    else:
        _print(report, dry_run=dry_run)
    return DataError.exit_code if damaged else 0


def _add(folder: Path, project: Path, *, video: str | None, add_video: bool, dry_run: bool) -> AnnotationReport:
    catalog = PluginCatalog.installed()
    infos = catalog.components(AnnotationInfo)
    if not infos:
        raise DependencyError(f"no installed plugin adds frames to a project; run: {install_command(FILES)}")
    if not project.exists():
        raise UsageError(f"no project {project}: give the folder of a DeepLabCut project, or its config.yaml")
    for info in infos:
        label, factory = f"annotation {info.name!r}", catalog.factory(info)
        report = construct(factory, label, folder, project, video=video, add_video=add_video, dry_run=dry_run)
        if report is not None:
            assert isinstance(report, AnnotationReport)
            return report
    names = ", ".join(info.name for info in infos)
    raise UsageError(f"{project} is not a project of {names}: give the folder that holds its config.yaml")


def _print(report: AnnotationReport, *, dry_run: bool) -> None:
    def said(result: str) -> str:
        return "would be added" if dry_run and result == "added" else result

    if report.frames:
        rows = [(str(it.frame), *_facts(it), it.image or "-", said(it.result)) for it in report.frames]
        print_table(str(report.folder), ("frame", "s", "reason", "score", "image", "result"), rows)
    counts = ", ".join(f"{count} {said(result)}" for result, count in report.counts.items())
    ending = "; nothing was written (--dry-run)" if dry_run else ""
    damaged = [f"frame {it.frame} is damaged: {it.fault}" for it in report.frames if it.fault]
    for text in ([f"{report.folder}: {counts}{ending}"] if counts else []) + damaged + list(report.notices):
        stderr().print(text, markup=False)


def _facts(frame: AnnotatedFrame) -> tuple[str, str, str]:
    """Time, reason and score; of a frame whose facts cannot be read, there are none."""
    if math.isnan(frame.seconds):
        return "-", "-", "-"
    return f"{frame.seconds:.2f}", frame.reason, f"{frame.score:.2f}"
