"""Programs that ask for deeplabcut-live are content, each in a fresh environment; the original beside ours is refused."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from dlclive import _installed, deeplabcut_live

from dlclive_core import DataError, OutputExistsError

ROOT = Path(__file__).parents[3]
HERE = ROOT / "plugins" / "dlclive-compat"

PROGRAM = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "some-gui"
version = "1.0"
dependencies = ["deeplabcut-live{extra}>=1.1"]
[tool.hatch.build.targets.wheel]
bypass-selection = true
"""
ASK = "import dlclive, importlib.metadata as m; print(m.version('deeplabcut-live'), dlclive.DLCLive.__module__)"


def test_the_original_beside_ours_is_one_line(tmp_path: Path) -> None:
    info = tmp_path / "deeplabcut_live-1.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: deeplabcut-live\nVersion: 1.1.0\n")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    code = "try:\n import dlclive\nexcept ImportError as error:\n print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == (
        "deeplabcut-live 1.1.0 is installed beside dlclive-compat, and both own the package dlclive; run: pip uninstall -y "
        "deeplabcut-live dlclive-compat, and then pip install './plugins/dlclive-compat[pytorch]' in dlclive's folder\n"
    )


@pytest.mark.parametrize("version", ["1.1.0+dlclive", None])
def test_ours_is_not_refused(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    def installed(name: str) -> str:
        if version is None:
            raise _installed.PackageNotFoundError
        return version

    monkeypatch.setattr(_installed, "version", installed)
    _installed.refuse_deeplabcut_live()


def test_the_wheel_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = deeplabcut_live.write_wheel(tmp_path)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        deeplabcut_live.write_wheel(tmp_path)
    assert deeplabcut_live.main([str(tmp_path), "--overwrite"]) == 0
    assert path.read_bytes() == before
    printed = capsys.readouterr()
    assert printed.out == f"{path}\n"
    assert "-m pip install --no-deps" in printed.err
    with pytest.raises(DataError):
        deeplabcut_live.write_wheel(tmp_path / "nowhere")
    assert deeplabcut_live.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dlclive-compat, the distribution in `deeplabcut-live/`, and two programs that require deeplabcut-live.

    In the folder `original` there is a package that stands for the original: its name, its version, a file of its.
    """
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheels")
    sources = [HERE, HERE / "deeplabcut-live"]
    for name, extra in (("plain", ""), ("extra", "[pytorch]")):
        program = tmp_path_factory.mktemp(name)
        (program / "pyproject.toml").write_text(PROGRAM.replace("some-gui", f"{name}-gui").format(extra=extra))
        sources.append(program)
    original = folder / "original" / "deeplabcut_live-1.1.0-py3-none-any.whl"
    original.parent.mkdir()
    with zipfile.ZipFile(original, "w") as wheel:
        info = "deeplabcut_live-1.1.0.dist-info"
        files = {
            "dlclive/__init__.py": "",
            f"{info}/METADATA": "Metadata-Version: 2.4\nName: deeplabcut-live\nVersion: 1.1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    for source in sources:
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)], check=True)
    return folder


class Environment:
    """A fresh virtual environment that sees the packages of this one, among them pip, through a path file."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        packages = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
        Path(packages, "seen.pth").write_text("\n".join(lines), encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """What Python prints; its error, if it fails."""
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        done = subprocess.run([str(self.python), *arguments], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, *what: str) -> str:
        """Without an index, and with pip's own check of the requirements unless `--no-deps` is among the arguments."""
        return self.run("-m", "pip", "install", "--no-index", "--disable-pip-version-check", *what)


@pytest.fixture
def environment(tmp_path: Path, wheels: Path) -> Environment:
    made = Environment(tmp_path / "env")
    made.install("--no-deps", *(str(path) for path in wheels.glob("dlclive_compat-*.whl")))
    return made


def check(environment: Environment, wheels: Path) -> None:
    """A program that requires deeplabcut-live, with and without an extra, installs and finds our package and the version."""
    for program in ("plain", "extra"):
        found = [str(path) for path in wheels.glob(f"{program}_gui-*.whl")]
        environment.install(
            "--find-links", str(wheels / "original"), *found
        )  # pip could take the original, and does not
    assert environment.run("-c", ASK).split() == ["1.1.0+dlclive", "dlclive.dlclive"]
    home = environment.run("-c", "import dlclive; print(dlclive.__file__)").strip()
    assert Path(home).is_relative_to(environment.python.parents[1])


@pytest.mark.slow
def test_the_distribution_of_the_clone(environment: Environment, wheels: Path) -> None:
    environment.install(*(str(path) for path in wheels.glob("deeplabcut_live-*.whl")))
    check(environment, wheels)


@pytest.mark.slow
def test_the_command_that_writes_one(environment: Environment, wheels: Path, tmp_path: Path) -> None:
    path = environment.run("-m", "dlclive.deeplabcut_live", str(tmp_path)).strip()
    environment.install("--no-deps", path)
    check(environment, wheels)


@pytest.mark.slow
def test_a_program_without_its_requirements(environment: Environment, wheels: Path) -> None:
    environment.install("--no-deps", *(str(path) for path in wheels.glob("plain_gui-*.whl")))
    assert environment.run("-c", "import dlclive; print(dlclive.DLCLive.__module__)").strip() == "dlclive.dlclive"


@pytest.mark.slow
def test_over_the_original_it_is_refused_until_both_are_uninstalled(tmp_path: Path, wheels: Path) -> None:
    environment = Environment(tmp_path / "env")
    environment.install(*(str(path) for path in (wheels / "original").glob("*.whl")))
    ours = [str(path) for path in wheels.glob("dlclive_compat-*.whl")]
    environment.install("--no-deps", *ours)
    ask = "try:\n import dlclive\nexcept ImportError as error:\n print(error)"
    message = environment.run("-c", ask)
    assert message.startswith(
        "deeplabcut-live 1.1.0 is installed beside dlclive-compat, and both own the package dlclive; run: "
    )
    environment.run("-m", "pip", "uninstall", "-y", "deeplabcut-live", "dlclive-compat")
    environment.install("--no-deps", *ours)
    assert environment.run("-c", "import dlclive; print(dlclive.DLCLive.__module__)").strip() == "dlclive.dlclive"


@pytest.mark.slow
def test_both_distributions_say_the_same(wheels: Path, tmp_path: Path) -> None:
    written = deeplabcut_live.write_wheel(tmp_path)
    (built,) = wheels.glob("deeplabcut_live-*.whl")
    assert built.name == written.name
    for name in (
        "Name",
        "Version",
        "Summary",
        "License-Expression",
        "Requires-Python",
        "Requires-Dist",
        "Provides-Extra",
    ):
        texts = [metadata(path).get_all(name) for path in (built, written)]
        assert texts[0] == texts[1], name


def metadata(wheel: Path):  # type: ignore[no-untyped-def]
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return message_from_string(archive.read(name).decode())
