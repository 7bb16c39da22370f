"""A new virtual environment with a third-party package, created without a network.

The packages are built as wheels and installed. Only the libraries that they declare are linked in from the environment
that runs the tests, so an undeclared dependency is missing here, as it is for a user.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

collect_ignore = ["lab-reward"]  # its tests run in the environment where it is installed, see test_thirdparty.py


class Environment:
    """A virtual environment whose programs run outside the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
        self.programs = folder / ("Scripts" if os.name == "nt" else "bin")
        bases = {"base": str(folder), "platbase": str(folder)}
        self.packages = Path(sysconfig.get_path("purelib", "venv" if sys.version_info >= (3, 11) else None, bases))

    def run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, isolated from the outer environment's Python."""
        hidden = ("PYTHONPATH", "PYTHONHOME", "DLCLIVE_DISABLE_PLUGINS")
        return subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def install(self, wheels: list[Path], extras: tuple[str, ...] = ()) -> None:
        """Install these wheels, and link the libraries that they require."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.programs / "python"), "install"]
        call([*pip, "--no-deps", "--no-index", "--quiet", *map(str, wheels)])
        for installed in list(distributions(path=[str(self.packages)])):
            self._link_requirements(installed, ("", *extras))

    def _link_requirements(self, owner: Distribution, extras: tuple[str, ...]) -> None:
        present = {normal(other.metadata["Name"]) for other in distributions(path=[str(self.packages)])}
        for text in owner.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            applies = marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
            if not applies or normal(requirement.name) in present:
                continue
            try:
                library = distribution(requirement.name)
            except PackageNotFoundError:
                pytest.skip(f"{owner.metadata['Name']} needs {requirement.name}, which is not installed here")
            for top in sorted({path.parts[0] for path in library.files or ()} - {"..", "__pycache__"}):
                if not (self.packages / top).exists():
                    (self.packages / top).symlink_to(Path(str(library.locate_file(top))))
            self._link_requirements(library, ("", *requirement.extras))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def call(command: list[str]) -> None:
    """Run a command; show its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build the wheel of a package in the repository, once per folder."""
    for name in ("pip", "hatchling"):
        try:
            distribution(name)  # not find_spec: for pip, setuptools answers, and warns if distutils was imported
        except PackageNotFoundError:
            pytest.skip(f"building a wheel without a network needs {name}, which is not installed here")
    if os.name == "nt":
        pytest.skip("symbolic links need privileges that Windows users do not have")
    built: dict[str, Path] = {}

    def build(folder: str) -> Path:
        if folder not in built:
            target = tmp_path_factory.mktemp("wheel")
            options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(target)]
            call([sys.executable, "-m", "pip", "wheel", *options, str(ROOT / folder)])
            (built[folder],) = target.glob("*.whl")
        return built[folder]

    return build


@pytest.fixture(scope="session")
def full_environment(tmp_path_factory: pytest.TempPathFactory, wheel: Callable[[str], Path]) -> Environment:
    """An environment that also has a runtime and the file formats."""
    environment = Environment(tmp_path_factory.mktemp("venv"))
    folders = (".", "plugins/dlclive-onnx", "plugins/dlclive-io", "tests/thirdparty/lab-reward")
    environment.install([wheel(folder) for folder in folders])
    return environment


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Callable[[str], Path]) -> Environment:
    """The environment after `pip install dlclive-core lab-reward[test]`."""
    environment = Environment(tmp_path_factory.mktemp("venv"))
    environment.install([wheel("."), wheel("tests/thirdparty/lab-reward")], extras=("test",))
    return environment
