"""Paths named on the repository's pages exist, and nothing in it depends on one machine."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs_blocks import ROOT, documents

NAMED_PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|pyi|md|toml)|(?:[\w.-]+/)+[\w-]*)`")
"""A path in backticks: a file with a suffix, or a folder with a slash."""

OF_ANOTHER = {"mouse.dlclive/"}
"""Folders that a command creates for its user."""

ONE_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|Users)/[\w.-]+/\w|[a-z]:\\Users\\|https?://[\w.-]*(?:/simple\b|pypi-|nexus|artifactory)",
    re.IGNORECASE,
)
"""Absolute paths below somebody's folder, and hosts of a package index."""

TEXT = {".py", ".pyi", ".md", ".toml", ".txt", ".yaml", ".yml", ".html", ".svg", ".json", ".csv", ".c", ".ino", ""}


def tracked_files() -> list[Path]:
    """The files tracked by git; all files in a copy without git."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this copy of the sources is not a git checkout")
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def missing_paths(text: str, existing: set[str]) -> list[str]:
    """Paths in backticks that match no path, or end of a path, in the repository."""
    named = {match[1] for match in NAMED_PATH.finditer(text)} - OF_ANOTHER
    ends = {"/".join(path.split("/")[start:]) for path in existing for start in range(path.count("/") + 1)}
    return sorted(path for path in named if path.rstrip("/") not in ends)


def existing_paths() -> set[str]:
    files = [path.relative_to(ROOT) for path in tracked_files()]
    return {path.as_posix() for file in files for path in (file, *file.parents) if path != Path()}


def test_every_path_named_on_a_page_exists() -> None:
    existing = existing_paths()
    missing = {page.relative_to(ROOT).as_posix(): missing_paths(_prose(page), existing) for page in documents()}
    assert {page: paths for page, paths in missing.items() if paths} == {}


def test_a_path_that_does_not_exist_is_noticed() -> None:
    existing = {"dlclive_core", "dlclive_core/session", "dlclive_core/session/loop.py"}
    text = "`dlclive_core/session/loop.py`, `session/`, `loop.py`, `attic/`, `dlclive_core/loop.py`, `mouse.dlclive/`"
    assert missing_paths(text, existing) == ["attic/", "dlclive_core/loop.py"]


def test_nothing_depends_on_one_machine() -> None:
    hits = {}
    for path in tracked_files():
        if path.suffix in TEXT and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            if match := ONE_MACHINE.search(text):
                hits[path.relative_to(ROOT).as_posix()] = match[0]
            elif len(ROOT.parts) > 2 and f"{ROOT.as_posix()}/" in text:  # this checkout, wherever it lies
                hits[path.relative_to(ROOT).as_posix()] = ROOT.as_posix()
    assert hits == {}


@pytest.mark.parametrize(
    "text", ["/root/data/a", "/home/ada/data", r"C:\Users\ada", "https://pypi-mirror.example/simple/"]
)
def test_a_path_of_one_machine_is_noticed(text: str) -> None:
    assert ONE_MACHINE.search(text)


def _prose(page: Path) -> str:
    """A page without code blocks; the change log without earlier versions, because files move between versions."""
    text = re.sub(r"^```.*?^```\s*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return text if page.name != "CHANGELOG.md" else text.split("\n## ")[1]
