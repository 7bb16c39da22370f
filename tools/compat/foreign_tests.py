"""Run the tests of another project on our `dlclive`, and compare the failures with the list of those that are expected.

    python -m tools.compat.foreign_tests PROJECT FOLDER TEST ...

Run it with the Python of an environment that has dlclive-compat and what the tests need. PROJECT is "gui" or "live", FOLDER
holds the project's sources, and TEST is a file or folder in it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools.compat.expected_failures import EXPECTED_FAILURES

_LIMIT = 600  # seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one test: passed, failed or skipped; `text` is the first line of a failure or the reason of a skip."""

    test: str
    result: str
    text: str = ""


def run_tests(folder: Path, tests: list[str]) -> tuple[list[Outcome], str]:
    """Run pytest in a project's folder. Returns the outcomes, and what it printed.

    Raises:
        SystemExit: no test ran, or they did not end.
    """
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.xml"
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}"]
        try:
            done = subprocess.run(
                [*command, "-o", "junit_family=xunit1", *tests],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SystemExit(f"the tests in {folder} did not end within {_LIMIT} s: {error.stdout!r}") from None
        if not report.is_file():
            raise SystemExit(f"pytest ended with {done.returncode} and without a report:\n{done.stdout}")
        outcomes = [_outcome(case) for case in ElementTree.parse(report).iter("testcase")]
        if not outcomes or done.returncode not in (0, 1):
            raise SystemExit(f"pytest ended with {done.returncode}:\n{done.stdout}")
        return outcomes, done.stdout


def unexpected(project: str, outcomes: list[Outcome]) -> list[str]:
    """What contradicts the list of expected failures, one line each."""
    results = {f"{project} {outcome.test}": outcome for outcome in outcomes}
    lines = [
        f"{name} failed, and is not listed: {outcome.text}"
        for name, outcome in results.items()
        if outcome.result == "failed" and name not in EXPECTED_FAILURES
    ]
    for name in EXPECTED_FAILURES:
        if name.startswith(f"{project} ") and (name not in results or results[name].result != "failed"):
            got = results[name].result if name in results else "not found"
            lines.append(f"{name} is listed as a failure, but {got}: remove it from tools/compat/expected_failures.py")
    return lines


def _outcome(case: ElementTree.Element) -> Outcome:
    test = f"{case.get('file')}::{case.get('name')}"
    classes = (case.get("classname") or "").rpartition(".")[2]
    if classes.startswith("Test"):
        test = f"{case.get('file')}::{classes}::{case.get('name')}"
    for kind, result in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            return Outcome(test, result, " ".join((found.get("message") or "").split())[:200])
    return Outcome(test, "passed")


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="Run the tests of another project on our dlclive")
    parser.add_argument("project", choices=("gui", "live"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("tests", nargs="+")
    options = parser.parse_args()
    outcomes, printed = run_tests(options.folder, options.tests)
    problems = unexpected(options.project, outcomes)
    counts = Counter(outcome.result for outcome in outcomes)
    for outcome in outcomes:
        if outcome.result == "skipped":
            print(f"skipped: {outcome.test}: {outcome.text}")
    if problems:
        print(printed)
        print("\n".join(problems))
    print(f"{options.project}: " + ", ".join(f"{count} {result}" for result, count in sorted(counts.items())))
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
