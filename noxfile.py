"""The tasks of the repository: `python -m nox -l` lists them, `python -m nox -s demo` runs one."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import nox

nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PLUGINS = [
    f"plugins/dlclive-{name}"
    for name in ("torch", "onnx", "openvino", "tensorrt", "io", "processors", "cameras", "streams")
]
EXTRAS = {"openvino": "int8", "cameras": "basler,genicam", "streams": "sound"}
"""The extras that the tests need."""
TENSORRT = "plugins/dlclive-tensorrt"
"""Installed without its dependencies where there is no NVIDIA GPU: they are several gigabytes, from NVIDIA's own index."""
LIGHT = [".", "plugins/dlclive-onnx", "plugins/dlclive-io"]
TEST_TOOLS = [
    "pytest",
    "pytest-timeout",
    "hypothesis",
    "psutil",
    "pandas",
    "tables",
    "hatchling",
    "build",
    "onnx",
    "mypy",
    "types-PyYAML",
    "OneEuroFilter",  # the authors' own, which ours is compared with
    "amqtt",
]

REFERENCE = ["deeplabcut==3.0.2", "deeplabcut-live==1.1.0", "torch==2.14.1", "torchvision==0.29.1", "numpy<2"]
REFERENCE += ["lazy-loader>=0.4", "pluggy>=1.5"]  # for our core, which runs deeplabcut-live's processors there


def install(session: nox.Session, *packages: str) -> None:
    """Install packages in the tested versions."""
    session.install("--quiet", "-c", "constraints.txt", *packages)


def everything(session: nox.Session) -> str:
    """The Python of an environment with the core and all plugins, installed editable, and the test tools.

    The sessions that need torch share it, because torch is large.
    """
    venv = ROOT / ".nox" / "everything"
    python = program_in(venv, "python")
    if not python.exists():
        session.run(sys.executable, "-m", "venv", str(venv))
    plugins = [
        f"{folder}[{extra}]" if (extra := EXTRAS.get(folder.rpartition("-")[2])) else folder for folder in PLUGINS
    ]
    alone = [] if shutil.which("nvidia-smi") else [TENSORRT]
    packages = [argument for folder in [".", *plugins] if folder not in alone for argument in ("-e", folder)]
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt")
    session.run(*pip, *packages, *TEST_TOOLS)
    if alone:
        session.run(*pip, "--no-deps", "-e", TENSORRT)
    return str(python)


def program_in(venv: Path, name: str) -> Path:
    """A program of an environment."""
    return venv / "Scripts" / f"{name}.exe" if sys.platform == "win32" else venv / "bin" / name


@nox.session
def demo(session: nox.Session) -> None:
    """Track a rendered mouse from frame to table, and compare with the truth. Needs no torch, download or camera."""
    install(session, *LIGHT)
    session.run("dlclive", "demo", "--out", "demo", "--overwrite", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run all tests. Tests whose reference data or hardware is missing are skipped, with the reason."""
    session.run(everything(session), "-m", "pytest", *session.posargs)


@nox.session(venv_backend="none")
def faults(session: nox.Session) -> None:
    """Inject faults into live sessions and kill real processes. Writes benchmarks/faults.md; takes two hours.

    Names, such as `-- laser stop`, measure only these and keep the other rows. `-- --short` takes three to four minutes, also
    on a busy machine, and writes nothing.
    """
    session.run(everything(session), "-m", "tools.faults", *session.posargs, env={"PYTHONPATH": str(ROOT)})


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Damaged and hostile files for every reader. Writes benchmarks/fuzz.md; `-- NAME --count N --seed S` tries others.

    `-- --no-table` writes nothing. Inputs that fail are kept in .fuzz.
    """
    session.run(everything(session), "-m", "tools.fuzz", *session.posargs, env={"PYTHONPATH": str(ROOT)})


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style and the import rules."""
    install(session, "ruff", "import-linter")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    sources = [
        str(ROOT),
        *(str(ROOT / folder / "src") for folder in PLUGINS),
    ]  # lint-imports reads the sources; nothing is imported or installed
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": os.pathsep.join(sources)})


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check the types of the core and of every plugin, as on Linux, on Windows and on macOS."""
    python = everything(session)
    for system in ("linux", "win32", "darwin"):
        checked = ("--platform", system, "--cache-dir", f".mypy_cache/{system}")
        session.run(python, "-m", "mypy", *checked, "dlclive_core", *(f"{folder}/src" for folder in PLUGINS))


@nox.session
def packages(session: nox.Session) -> None:
    """Build all wheels and source distributions, install those without torch into empty environments, and run the programs."""
    install(session, "build", "hatchling")
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for folder in [".", *PLUGINS]:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist), folder, silent=True)
    wheels, sources = sorted(dist.glob("*.whl")), sorted(dist.glob("*.tar.gz"))
    if len(wheels) != len(PLUGINS) + 1 or len(sources) != len(PLUGINS) + 1:
        session.error(f"expected {len(PLUGINS) + 1} wheels and source distributions, got {wheels + sources}")
    for name, archives in (("wheels", wheels), ("sources", sources)):
        alone = [str(path) for path in archives if "tensorrt" in path.name]
        light = [str(path) for path in archives if "torch" not in path.name and str(path) not in alone]
        venv = Path(session.create_tmp()) / name
        shutil.rmtree(venv, ignore_errors=True)
        session.run("python", "-m", "venv", str(venv), silent=True)
        python, dlclive = str(program_in(venv, "python")), str(program_in(venv, "dlclive"))
        session.run(python, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", *light, external=True)
        session.run(python, "-m", "pip", "install", "--quiet", "--no-deps", *alone, external=True)
        session.run(dlclive, "plugins", "check", external=True)
        session.run(dlclive, "doctor", external=True)
        session.run(dlclive, "demo", "--out", str(venv / "demo"), "--max-frames", "60", external=True)


@nox.session(venv_backend="none")
def parity(session: nox.Session) -> None:
    """Compare every network with DeepLabCut itself; names of networks select some. Without names, writes benchmarks/parity.md.

    The name "processors" selects those of deeplabcut-live, which are run by themselves and by a session of ours. The reference
    is installed once, into its own environment (6 GB).
    """
    ours = everything(session)
    venv = ROOT / ".nox" / "parity"
    python = program_in(venv, "python")
    installed = venv / "installed.json"
    if not installed.exists() or json.loads(installed.read_text()) != REFERENCE:
        session.run(sys.executable, "-m", "venv", "--clear", str(venv))
        session.run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REFERENCE)
        installed.write_text(json.dumps(REFERENCE))
    session.run(ours, "-m", "tools.parity.compare", str(python), *session.posargs, env={"PYTHONPATH": str(ROOT)})


@nox.session
@nox.parametrize("reader", ["pandas==2.2.*", "pandas==2.3.*", "pandas==3.*", "movement"])
def readers(session: nox.Session, reader: str) -> None:
    """Read dlclive's tables with other programs and other versions of pandas, without dlclive."""
    if reader == "movement" and sys.version_info < (3, 12):
        session.skip("movement needs Python 3.12 or newer")
    hdf5, csv = ROOT / "demo" / "mouse.h5", ROOT / "demo" / "mouse.csv"
    if not hdf5.exists():
        session.error("there is no demo/mouse.h5; run: python -m nox -s demo")
    session.install("--quiet", reader, "tables")
    output = session.run("python", "tests/readers/read_tables.py", str(hdf5), str(csv), silent=True)
    report = json.loads(str(output))
    rows = [line.split(",")[1:] for line in csv.read_text(encoding="utf-8").splitlines()[3:]]
    expected = [[float(cell) if cell else None for cell in row] for row in rows]
    for name, tables in report["files"].items():
        for program, table in tables.items():
            if "error" in table:
                session.error(f"{program} cannot open {name}: {table['error']}")
        if not equal(tables["pandas"]["values"], expected):
            session.error(f"pandas {report['pandas']} reads different numbers from {name}")
    session.log(f"{', '.join(tables)} with pandas {report['pandas']}: {len(expected)} equal rows")


def equal(values: list[list[float | None]], expected: list[list[float | None]]) -> bool:
    """Whether the same cells are empty and the numbers are equal to the precision of float32."""
    cells = [(a, b) for row, other in zip(values, expected, strict=False) for a, b in zip(row, other, strict=False)]
    same_shape = [len(row) for row in values] == [len(row) for row in expected]
    return same_shape and all(a == b or (None not in (a, b) and abs(a - b) <= 1e-6 * max(1, abs(b))) for a, b in cells)
