"""Who may import whom, and what is public."""

import ast
import importlib
from pathlib import Path

import pytest

import dlclive_core

ROOT = Path(__file__).parent.parent.parent
CORE = sorted((ROOT / "dlclive_core").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*/**/*.py"))
PLUGIN_NAMES = {path.name for path in (ROOT / "plugins").glob("*/src/*")}
PUBLIC_MODULES = ("dlclive_core", "dlclive_core.runtimes")
"""What plugins import from; their tests import from `dlclive_core.testing`, too."""
DATA = ("data.frame", "data.pose", "data.skeleton", "errors")


def imports(path: Path) -> list[str]:
    """The modules that a file imports, in full."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.append(node.module or "")
    return found


def test_the_core_imports_no_plugin() -> None:
    for path in CORE:
        for name in imports(path):
            assert name.partition(".")[0] not in PLUGIN_NAMES, f"{path.name} imports {name}"


def test_plugins_do_not_import_each_other() -> None:
    assert PLUGINS
    for path in PLUGINS:
        own = path.relative_to(ROOT / "plugins").parts[2]
        for name in imports(path):
            assert name.partition(".")[0] not in PLUGIN_NAMES - {own}, f"{path} imports {name}"


def exported_names(module: str) -> list[str]:
    """`__all__` of a module of the core, read without importing it; empty where it has none."""
    path = ROOT.joinpath(*module.split("."))
    stem = path / "__init__" if path.is_dir() else path
    for file in filter(Path.is_file, (stem.with_suffix(".pyi"), stem.with_suffix(".py"))):  # lazy names are in a stub
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return list(ast.literal_eval(node.value))
    return []


def private_imports(source: str) -> list[str]:
    """What a plugin's source imports from the core that is not public: another module, or a name not in `__all__`."""
    private = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            private += [alias.name for alias in node.names if alias.name.startswith("dlclive_core.")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dlclive_core":
            exported = exported_names(str(node.module)) if node.module in PUBLIC_MODULES else []
            private += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in exported]
    return private


@pytest.mark.parametrize("plugin", sorted(PLUGIN_NAMES))
def test_plugins_import_public_names_only(plugin: str) -> None:
    files = [path for path in PLUGINS if path.relative_to(ROOT / "plugins").parts[2] == plugin]
    assert files
    private = {path.name: names for path in files if (names := private_imports(path.read_text(encoding="utf-8")))}
    assert not private


@pytest.mark.parametrize(
    ("source", "private"),
    [
        ("from dlclive_core import Pose, hookimpl\nfrom dlclive_core.runtimes import sha256", []),
        ("from dlclive_core import Pose, warmest_pose", ["dlclive_core.warmest_pose"]),
        ("from dlclive_core.machine.system import sha256", ["dlclive_core.machine.system.sha256"]),
        ("from dlclive_core.runtimes import find_detector, np", ["dlclive_core.runtimes.np"]),
        ("from dlclive_core.runtimes import *", ["dlclive_core.runtimes.*"]),
        ("def load():\n    from dlclive_core import models", ["dlclive_core.models"]),
        ("import dlclive_core\nimport dlclive_core.machine.system", ["dlclive_core.machine.system"]),
        ("from dlclive_core_lab import anything", []),
    ],
)
def test_an_import_that_is_not_public_is_found_wherever_it_stands(source: str, private: list[str]) -> None:
    assert private_imports(source) == private


def test_no_code_that_runs_imports_the_test_kit() -> None:
    allowed = {"cli/doctor.py"}  # it runs a model with known answers, which is what the kit has
    for path in [*CORE, *PLUGINS]:
        relative = path.relative_to(ROOT).as_posix()
        if "/testing/" in relative or any(relative.endswith(name) for name in allowed):
            continue
        assert not any(name.startswith("dlclive_core.testing") for name in imports(path)), relative


@pytest.mark.parametrize("name", DATA)
def test_data_types_need_numpy_only(name: str) -> None:
    for module in imports(ROOT / "dlclive_core" / f"{name.replace('.', '/')}.py"):
        first = module.partition(".")[0]
        assert first in {"__future__", "numpy", "dataclasses", "functools", "collections", "difflib", "dlclive_core"}
        if first == "dlclive_core":
            assert module.removeprefix("dlclive_core.") in DATA


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_the_public_names_are_sorted_and_exist(module: str) -> None:
    names = exported_names(module)
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    for name in names:
        assert hasattr(importlib.import_module(module), name)


def test_the_names_that_scripts_rely_on_are_public() -> None:
    promised = "DLCLive Processor Session load_model Frame Pose FrameSource Sink Exporter PoseModel Skeleton hookimpl"
    assert set(promised.split()) <= set(dlclive_core.__all__)


def test_files_stay_small() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*CORE, *PLUGINS]}
    too_long = {path.name: length for path, length in lengths.items() if length > 400}
    assert not too_long


def test_all_versions_are_the_same() -> None:
    versions = set()
    for path in [ROOT / "dlclive_core" / "__init__.py", *(ROOT / "plugins").glob("*/src/*/__init__.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("__version__"):
                versions.add(line)
    assert len(versions) == 1
