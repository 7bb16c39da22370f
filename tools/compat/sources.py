"""The sources of other projects, which tests are run from. Nothing of them is kept in the repository.

    python -m tools.compat.sources gui FOLDER
    python -m tools.compat.sources live FOLDER [--from FOLDER OR GIT REPOSITORY]

The first downloads the source distribution of deeplabcut-live-gui from the package index; the second takes deeplabcut-live's
tests, which no distribution has, from its repository at one commit. `--from`, or DLCLIVE_LIVE_TESTS, names a clone, a bare
repository, or a folder with the tests instead. Each writes into an empty FOLDER, and does nothing if it is complete.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

GUI = "deeplabcut-live-gui"
GUI_VERSION = "2.0.0"
GUI_SHA256 = "c740ee2be59a36870662ac86d796596ab2a500d9c12244b5b181453cb7fbdaa0"
LIVE = "https://github.com/DeepLabCut/DeepLabCut-live"
LIVE_COMMIT = "e61f726731825993933b0cd43e27ce019741a618"
LIVE_PARTS = ("tests", "pytest.ini")
VARIABLE = "DLCLIVE_LIVE_TESTS"
_DONE = ".complete"
_CLONE_SECONDS = 60


def fetch_gui(folder: Path) -> None:
    """Download and unpack the GUI's source distribution; pip checks its hash."""
    mark = f"{GUI} {GUI_VERSION} {GUI_SHA256}"
    if _is_complete(folder, mark):
        return
    with tempfile.TemporaryDirectory() as name:
        requirements = Path(name) / "requirements.txt"
        requirements.write_text(f"{GUI}=={GUI_VERSION} --hash=sha256:{GUI_SHA256}\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--no-binary", GUI, "--dest", name, "-r", str(requirements)], check=True)
        (archive,) = Path(name).glob("*.tar.gz")
        _empty(folder)
        with tarfile.open(archive) as packed:
            packed.extractall(name, filter="data")
        (unpacked,) = (path for path in Path(name).iterdir() if path.is_dir())
        for part in unpacked.iterdir():
            shutil.move(str(part), folder / part.name)
    _complete(folder, mark)


def fetch_live(folder: Path, origin: str) -> bool:
    """Take deeplabcut-live's tests; False, and a line, if its repository cannot be reached."""
    mark = f"{LIVE_COMMIT} {origin or LIVE}"
    if _is_complete(folder, mark):
        return True
    if origin and (Path(origin) / "tests").is_dir() and not (Path(origin) / ".git").exists():
        _empty(folder)
        for part in LIVE_PARTS:
            source = Path(origin) / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
        _complete(folder, mark)
        return True
    with tempfile.TemporaryDirectory() as name:
        repository = origin
        if not origin:
            clone = ["git", "clone", "--quiet", "--bare", "--filter=blob:none", LIVE, name]
            try:
                subprocess.run(
                    clone, check=True, timeout=_CLONE_SECONDS, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired, FileNotFoundError) as error:
                (folder / _DONE).unlink(missing_ok=True)  # of another origin: what is said now must be true
                print(f"deeplabcut-live's own tests were NOT run: {LIVE} cannot be cloned ({type(error).__name__})")
                return False
            repository = name
        archive = subprocess.run(
            ["git", "-C", repository, "archive", LIVE_COMMIT, *LIVE_PARTS], check=True, stdout=subprocess.PIPE
        ).stdout
    _empty(folder)
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    _complete(folder, mark)
    return True


def _is_complete(folder: Path, mark: str) -> bool:
    done = folder / _DONE
    return done.is_file() and done.read_text(encoding="utf-8") == mark


def _complete(folder: Path, mark: str) -> None:
    (folder / _DONE).write_text(mark, encoding="utf-8")


def _empty(folder: Path) -> None:
    """Create the folder; one that was left incomplete is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def main() -> int:
    """See the module; the exit code is 3 if the tests of deeplabcut-live cannot be had."""
    parser = argparse.ArgumentParser(description="Fetch the sources of other projects")
    parser.add_argument("project", choices=("gui", "live"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="origin", default=os.environ.get(VARIABLE, ""), help=f"default: {VARIABLE}")
    options = parser.parse_args()
    if options.project == "gui":
        fetch_gui(options.folder)
        return 0
    return 0 if fetch_live(options.folder, options.origin) else 3


if __name__ == "__main__":
    raise SystemExit(main())
