"""The tasks of the repository: `python -m nox -l` lists them, `python -m nox -s demo` runs one."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nox

nox.options.sessions = ["tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PLUGINS = [
    f"plugins/dlclive-{name}"
    for name in (
        "torch",
        "onnx",
        "openvino",
        "tensorrt",
        "io",
        "processors",
        "cameras",
        "streams",
        "formats",
        "distill",
        "compat",
    )
]
EXTRAS = {"openvino": "int8", "cameras": "basler,genicam", "streams": "sound"}
"""The extras that the tests need."""
TENSORRT = "plugins/dlclive-tensorrt"
"""Installed without its dependencies where there is no NVIDIA GPU: they are several gigabytes, from NVIDIA's own index."""
LIGHT = [".", "plugins/dlclive-onnx", "plugins/dlclive-io"]
TEST_TOOLS = [
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "pytest-rerunfailures",
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

GUI_PACKAGES = ["PySide6-Essentials", "pydantic>=2", "matplotlib", "qdarkstyle", "cv2-enumerate-cameras", "vidgear"]
GUI_PACKAGES += ["pytest-qt", "pytest-mock"]
"""What the tests of deeplabcut-live-gui need beside ours: its own requirements, without deeplabcut-live and a second OpenCV."""
GUI_TESTS = ["tests/compat", "tests/services/test_dlc_processor.py", "tests/services/test_pose_contract.py"]
GUI_TESTS += ["tests/custom_processors"]
LIVE_TESTS = [
    f"tests/test_{name}.py"
    for name in ("dlclive", "engine", "factory", "config", "display", "exceptions", "processor", "utils")
]


def install(session: nox.Session, *packages: str) -> None:
    """Install packages in the tested versions."""
    session.install("--quiet", "-c", "constraints.txt", *packages)


def everything(session: nox.Session) -> str:
    """The Python of an environment with the core and all plugins, installed editable, and the test tools.

    The sessions that need torch share it, because torch is large. Nothing is installed again while the list of packages, the
    constraints and every pyproject.toml are unchanged.
    """
    venv = ROOT / ".nox" / "everything"
    python = program_in(venv, "python")
    plugins = [
        f"{folder}[{extra}]" if (extra := EXTRAS.get(folder.rpartition("-")[2])) else folder for folder in PLUGINS
    ]
    alone = [] if shutil.which("nvidia-smi") else [TENSORRT]
    packages = [argument for folder in [".", *plugins] if folder not in alone for argument in ("-e", folder)]
    files = [ROOT / "constraints.txt", *(ROOT / folder / "pyproject.toml" for folder in [".", *PLUGINS])]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    wanted, installed = [*packages, *TEST_TOOLS, *alone, *digests, *versions()], venv / "installed.json"
    if python.exists() and installed.exists() and json.loads(installed.read_text()) == wanted:
        return str(python)
    installed.unlink(missing_ok=True)
    if not python.exists():
        session.run(sys.executable, "-m", "venv", str(venv))
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt")
    session.run(*pip, *packages, *TEST_TOOLS)
    if alone:
        session.run(*pip, "--no-deps", "-e", TENSORRT)
    installed.write_text(json.dumps(wanted))
    return str(python)


def versions() -> list[str]:
    """The versions of the core and of all plugins, which an editable install keeps a copy of."""
    files = [ROOT / "dlclive_core" / "__init__.py", *sorted(ROOT.glob("plugins/*/src/*/*.py"))]
    return re.findall(
        r"^__version__ = .*$", "\n".join(file.read_text(encoding="utf-8") for file in files), re.MULTILINE
    )


def run_together(session: nox.Session, *commands: Sequence[str]) -> None:
    """Run commands at the same time. The output of each is printed when all have ended; one that fails fails the session."""
    started = []
    for command in commands:
        session.log(" ".join(command))
        output = tempfile.TemporaryFile()  # noqa: SIM115 - open until the command has ended
        started.append((command, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT), output))
    failed = []
    for command, process, output in started:
        if process.wait():
            failed.append(" ".join(command))
        with output:
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


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
    """Run all tests, on up to four cores. Tests whose reference data or hardware is missing are skipped, with the reason.

    `-- PATH -n 0` runs some of them in one process. Up to five that fail are run once more, because a few of 7,500 need a
    moment that a full machine may not have; those that then pass are listed as RERUN, with their tracebacks, and are to be
    mended all the same.
    """
    workers = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")  # fixtures of a file are made once
    again = ("--reruns", "1", "--max-suite-reruns", "5", "--rerun-show-tracebacks")
    session.run(everything(session), "-m", "pytest", *workers, *again, *session.posargs)


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
    sources = ("dlclive_core", *(f"{folder}/src" for folder in PLUGINS))
    run_together(
        session,
        *(
            (python, "-m", "mypy", "--platform", system, "--cache-dir", f".mypy_cache/{system}", *sources)
            for system in ("linux", "win32", "darwin")
        ),
    )


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
        heavy = ("torch", "distill")  # the second needs the first
        light = [str(path) for path in archives if not any(it in path.name for it in heavy) and str(path) not in alone]
        venv = Path(session.create_tmp()) / name
        shutil.rmtree(venv, ignore_errors=True)
        session.run("python", "-m", "venv", str(venv), silent=True)
        python, dlclive = str(program_in(venv, "python")), str(program_in(venv, "dlclive"))
        session.run(python, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", *light, external=True)
        session.run(python, "-m", "pip", "install", "--quiet", "--no-deps", *alone, external=True)
        session.run(dlclive, "plugins", "check", external=True)
        session.run(dlclive, "doctor", external=True)
        session.run(dlclive, "demo", "--out", str(venv / "demo"), "--max-frames", "60", external=True)
        session.run(str(program_in(venv, "dlc-live-test")), external=True)


@nox.session(venv_backend="none")
def parity(session: nox.Session) -> None:
    """Compare every network with DeepLabCut itself; names of networks select some. Without names, writes benchmarks/parity.md.

    The name "processors" selects those of deeplabcut-live, which are run by themselves and by a session of ours. The reference
    is installed once, into its own environment (6 GB).
    """
    ours, theirs = everything(session), reference(session)
    session.run(ours, "-m", "tools.parity.compare", theirs, *session.posargs, env={"PYTHONPATH": str(ROOT)})


@nox.session(venv_backend="none")
def compat(session: nox.Session) -> None:
    """Run other projects' tests on dlclive-compat, and compare it with deeplabcut-live 1.1.0.

    The tests are those of deeplabcut-live-gui 2.0.0, from its source distribution, and of deeplabcut-live, from its repository
    on GitHub, or from `-- --live-tests FOLDER`, a clone, or the variable DLCLIVE_LIVE_TESTS. Where GitHub cannot be reached,
    one line says so. `-- --table` takes more frames, and writes benchmarks/compat.md. It needs the environment of parity.
    """
    arguments = list(session.posargs)
    live_tests = []
    if "--live-tests" in arguments:
        place = arguments.index("--live-tests")
        live_tests = ["--from", *arguments[place + 1 : place + 2]]
        del arguments[place : place + 2]
    short = [] if "--table" in arguments else ["--short"]
    arguments = [argument for argument in arguments if argument != "--table"]
    ours, theirs = everything(session), reference(session)
    qt = qt_environment(session, ours)
    env = {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    gui, live = ROOT / ".nox" / "compat-gui", ROOT / ".nox" / "compat-live"
    session.run(ours, "-m", "tools.compat.sources", "gui", str(gui), env=env)
    model = {"DLCLIVE_TEST_MODEL_PATH": str(ROOT / "dlclive_core" / "demo" / "mouse.onnx")}
    session.run(qt, "-m", "tools.compat.foreign_tests", "gui", str(gui), *GUI_TESTS, env={**env, **model})
    session.run(ours, "-m", "tools.compat.sources", "live", str(live), *live_tests, env=env, success_codes=[0, 3])
    if (live / ".complete").exists():
        session.run(qt, "-m", "tools.compat.foreign_tests", "live", str(live), *LIVE_TESTS, env=env)
    session.run(ours, "-m", "tools.compat.compare", theirs, qt, str(gui), *short, *arguments, env=env)


def reference(session: nox.Session) -> str:
    """The Python of the environment with DeepLabCut and deeplabcut-live."""
    venv = ROOT / ".nox" / "parity"
    python = program_in(venv, "python")
    installed = venv / "installed.json"
    if not installed.exists() or json.loads(installed.read_text()) != REFERENCE:
        session.run(sys.executable, "-m", "venv", "--clear", str(venv))
        session.run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REFERENCE)
        installed.write_text(json.dumps(REFERENCE))
    return str(python)


def qt_environment(session: nox.Session, ours: str) -> str:
    """The Python of an environment with what deeplabcut-live-gui needs, which also sees all that `ours` has."""
    venv = ROOT / ".nox" / "compat"
    python = program_in(venv, "python")
    folder = "import sysconfig; print(sysconfig.get_path('purelib'))"
    shared = str(session.run(ours, "-c", folder, silent=True)).strip()
    wanted, installed = [*GUI_PACKAGES, shared], venv / "installed.json"
    if not installed.exists() or json.loads(installed.read_text()) != wanted:
        session.run(sys.executable, "-m", "venv", "--clear", str(venv))
        own = str(session.run(str(python), "-c", folder, silent=True)).strip()
        Path(own, "dlclive_shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt")
        session.run(*pip, *GUI_PACKAGES)
        installed.write_text(json.dumps(wanted))
    # The GUI requires the distribution deeplabcut-live; this one has no files of its own. Only here: it would be in the way of
    # tests in the shared environment.
    for old in venv.glob("*.whl"):
        old.unlink()
    session.run(str(python), "-m", "dlclive.deeplabcut_live", str(venv), silent=True)
    (wheel,) = venv.glob("*.whl")
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    session.run(*pip, "--force-reinstall", str(wheel))
    return str(python)


READER_FILES = ROOT / ".nox" / "files_for_readers"  # not the name of a session, whose environment would be there
PANDAS = ("pandas==2.2.*", "pandas==2.3.*", "pandas==3.*")
# The last movement for Python 3.11 names its dimensions otherwise than 0.17, which needs 3.12.
MOVEMENT = "movement==0.15.*" if sys.version_info < (3, 12) else "movement"
WITH_MOVEMENT = ["neuroconv[deeplabcut]", "pycocotools", "nwbinspector", "sleap-io", "opencv-python-headless", "toml"]
NAPARI = [
    "napari",
    "pyside6-essentials",
    "pandas",
    "tables",
    "opencv-python-headless",
    "dask-image",
    "natsort",
    "pydantic",
]
NAPARI += ["qtpy", "scikit-image", "matplotlib"]


@nox.session
def reader_files(session: nox.Session) -> None:
    """Write a file of every kind that dlclive has, for `readers`."""
    install(session, ".", "plugins/dlclive-io", "plugins/dlclive-formats", "pandas")
    shutil.rmtree(READER_FILES, ignore_errors=True)
    session.run("python", "tests/readers/write_files.py", str(READER_FILES))
    folder = READER_FILES / "nwb_and_sleap"
    session.run("python", "tests/readers/write_poses.py", str(folder), env={"PYTHONPATH": str(ROOT)})


@nox.session
@nox.parametrize("reader", [*PANDAS, "movement", "napari"])
def readers(session: nox.Session, reader: str) -> None:
    """Read dlclive's files with other programs and other versions of pandas, without dlclive."""
    if reader == "movement" and sys.version_info < (3, 11):
        session.skip("movement needs Python 3.11 or newer")
    if reader in PANDAS:
        session.install("--quiet", reader, "tables")
        read_demo(session)
        read_files(session, "read_pandas.py")
    elif reader == "movement":
        session.install("--quiet", MOVEMENT, "tables", *WITH_MOVEMENT)
        # jax, which aniposelib's triangulation needs and its reader does not, is large
        session.install("--quiet", "--no-deps", "aniposelib==0.8.0")
        read_demo(session)
        read_files(session, "read_movement.py", "read_neuroconv.py", "read_coco.py", "read_aniposelib.py")
        read_nwb_and_sleap(session)
    else:  # what its reader imports, without Qt's browser
        session.install("--quiet", "--no-deps", "napari-deeplabcut==0.4.0")
        session.install("--quiet", *NAPARI)
        read_files(session, "read_napari.py")


@nox.session(venv_backend="none")
def deeplabcut_reader(session: nox.Session) -> None:
    """Read dlclive's tables with DeepLabCut itself, in the environment of `parity`."""
    python = ROOT / ".nox" / "parity"
    if not (python / "installed.json").exists():
        session.skip("DeepLabCut is not installed; run: python -m nox -s parity")
    read_files(session, "read_deeplabcut.py", python=str(program_in(python, "python")))


def read_files(session: nox.Session, *scripts: str, python: str = "python") -> None:
    """Run scripts of tests/readers, which compare what they read with the CSV tables."""
    if not READER_FILES.exists():
        session.error("there are no files to read; run: python -m nox -s reader_files")
    for script in scripts:
        session.run(python, f"tests/readers/{script}", str(READER_FILES))


def read_demo(session: nox.Session) -> None:
    """Read the table of the demo."""
    hdf5, csv = ROOT / "demo" / "mouse.h5", ROOT / "demo" / "mouse.csv"
    if not hdf5.exists():
        session.error("there is no demo/mouse.h5; run: python -m nox -s demo")
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


def read_nwb_and_sleap(session: nox.Session) -> None:
    """Read NWB and SLEAP files with the programs that movement brings with it, and have NWB Inspector look at them."""
    folder = READER_FILES / "nwb_and_sleap"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    count = 0
    for script, suffix in (("read_nwb.py", "nwb"), ("read_sleap.py", "analysis.*")):
        files = [str(path) for path in sorted(folder.glob(f"*.{suffix}"))]
        report = json.loads(str(session.run("python", f"tests/readers/{script}", *files, silent=True)))
        for name, found in report.items():
            for program, contents in found.items():
                compare = nwb_faults if script == "read_nwb.py" else sleap_faults
                for fault in compare(contents, expected[name]):
                    session.error(f"{program} and {name}: {fault}")
                count += 1
    session.log(f"pynwb, NWB Inspector, sleap-io, movement: {count} readings without a fault")


def nwb_faults(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What a program says against an NWB file, or reads otherwise than it was written."""
    if "error" in found:
        return [found["error"]]
    faults = [*found.get("errors", ()), *found.get("messages", ())]
    for name, rows in expected["keypoints"].items() if "position" in found else ():
        read = [[*xy, c] for xy, c in zip(found["position"][name], found["confidence"][name], strict=True)]
        if not equal(read, rows):
            faults.append(f"the numbers of {name} differ")
    if "times" in found:
        times = [found["times"][number] for number in expected["numbers"]]
        if not equal([times], [expected["times"]]) or found["rate"] != expected["rate"]:
            faults.append("the times differ")
    return faults


def sleap_faults(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What a program reads of a SLEAP file otherwise than it was written: half a pixel lower, and without empty rows."""
    if "error" in found:
        return [found["error"]]
    faults = []
    for track, nodes in expected["tracks"].items():
        for node, rows in nodes.items():
            shifted = [[None if x is None else x - 0.5, None if y is None else y - 0.5, c] for x, y, c in rows]
            there = {str(frame): row for frame, row in enumerate(shifted) if row[0] is not None}
            read = found["tracks"].get(track, {}).get(node, {})
            if not equal([row for row in read.values() if row[0] is not None], list(there.values())):
                faults.append(f"the numbers of {track}, {node} differ")
            if [frame for frame, row in read.items() if row[0] is not None] != list(there):
                faults.append(f"the frames of {track}, {node} differ")
    return faults


def equal(values: list[list[float | None]], expected: list[list[float | None]]) -> bool:
    """Whether the same cells are empty and the numbers are equal to the precision of float32."""
    cells = [(a, b) for row, other in zip(values, expected, strict=False) for a, b in zip(row, other, strict=False)]
    same_shape = [len(row) for row in values] == [len(row) for row in expected]
    return same_shape and all(a == b or (None not in (a, b) and abs(a - b) <= 1e-6 * max(1, abs(b))) for a, b in cells)
