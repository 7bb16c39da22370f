"""Who may import whom, and what is public."""

import ast
from pathlib import Path

import pytest

import dlclive_core

ROOT = Path(__file__).parent.parent.parent
CORE = sorted((ROOT / "dlclive_core").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*/**/*.py"))
PLUGIN_NAMES = {path.name for path in (ROOT / "plugins").glob("*/src/*")}
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


def test_plugins_do_not_import_each_other_nor_what_is_private() -> None:
    assert PLUGINS
    for path in PLUGINS:
        own = path.relative_to(ROOT / "plugins").parts[2]
        for name in imports(path):
            first, *rest = name.split(".")
            assert first not in PLUGIN_NAMES - {own}, f"{path} imports {name}"
            if first == "dlclive_core":
                assert not any(part.startswith("_") for part in rest), f"{path} imports {name}"


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


def test_the_public_names_are_sorted_and_there() -> None:
    names = dlclive_core.__all__
    assert names == sorted(names)
    for name in names:
        assert hasattr(dlclive_core, name)
    promised = "DLCLive Processor Session load_model Frame Pose FrameSource Sink Exporter PoseModel Skeleton hookimpl"
    assert set(promised.split()) <= set(names)


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
