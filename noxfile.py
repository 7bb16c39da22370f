"""What can be done with the repository: `python -m nox -l` lists it, `python -m nox -s demo` does it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PLUGINS = [f"plugins/dlclive-{name}" for name in ("torch", "onnx", "io", "processors")]
LIGHT = [".", "plugins/dlclive-onnx", "plugins/dlclive-io"]
TEST_TOOLS = ["pytest", "pytest-timeout", "hypothesis", "psutil", "hatchling", "build", "onnx"]


def install(session: nox.Session, *what: str) -> None:
    """Install with the tested versions."""
    session.install("--quiet", "-c", "constraints.txt", *what)


@nox.session
def demo(session: nox.Session) -> None:
    """Find a rendered mouse, the whole way, and compare with the truth. Needs no torch, no download, no camera."""
    install(session, *LIGHT)
    session.run("dlclive", "demo", "--out", "demo", "--overwrite", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests. Those that need reference data or hardware that is not here say so and are skipped."""
    install(session, *(word for folder in [".", *PLUGINS] for word in ("-e", folder)), *TEST_TOOLS)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style."""
    install(session, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, of the core and of every plugin. Libraries that are not installed here count as untyped."""
    install(session, "mypy", "types-PyYAML", "numpy", "pluggy", "typer", "rich", "typing-extensions")
    session.run("mypy", "dlclive_core", *(f"{folder}/src" for folder in PLUGINS))


@nox.session
def packages(session: nox.Session) -> None:
    """Build every wheel and source distribution, install the wheels of a small set-up into an empty environment, use it."""
    install(session, "build", "hatchling")
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for folder in [".", *PLUGINS]:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist), folder, silent=True)
    wheels, sources = sorted(dist.glob("*.whl")), sorted(dist.glob("*.tar.gz"))
    if len(wheels) != len(PLUGINS) + 1 or len(sources) != len(PLUGINS) + 1:
        session.error(f"expected {len(PLUGINS) + 1} wheels and source distributions, got {wheels + sources}")
    for name, archives in (("wheels", wheels), ("sources", sources)):
        light = [str(path) for path in archives if "torch" not in path.name]
        venv = Path(session.create_tmp()) / name
        shutil.rmtree(venv, ignore_errors=True)
        session.run("python", "-m", "venv", str(venv), silent=True)
        scripts = venv / ("Scripts" if sys.platform == "win32" else "bin")
        python, dlclive = str(scripts / "python"), str(scripts / "dlclive")
        session.run(python, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", *light, external=True)
        session.run(dlclive, "plugins", "check", external=True)
        session.run(dlclive, "doctor", external=True)
        session.run(dlclive, "demo", "--out", str(venv / "demo"), "--frames", "60", external=True)


@nox.session
@nox.parametrize("pandas", ["2.2", "2.3", "3"])
def readers(session: nox.Session, pandas: str) -> None:
    """The tables that dlclive writes, opened by other versions of pandas, without dlclive."""
    folder = ROOT / "demo"
    if not (folder / "mouse.h5").exists():
        session.error("there is no demo/mouse.h5; run: python -m nox -s demo")
    session.install("--quiet", f"pandas=={pandas}.*", "tables")
    session.run("python", "tests/readers/read_tables.py", str(folder / "mouse.h5"), str(folder / "mouse.csv"))
