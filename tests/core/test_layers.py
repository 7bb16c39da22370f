"""Who may import whom, and what is public."""

import ast
from pathlib import Path

import pytest

import dlclive_core
import dlclive_core.runtimes

ROOT = Path(__file__).parent.parent.parent
CORE = sorted((ROOT / "dlclive_core").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*/**/*.py"))
PLUGIN_NAMES = {path.name for path in (ROOT / "plugins").glob("*/src/*")}
DATA = (
    "data.frame",
    "data.frame_set",
    "data.pose",
    "data.pose_3d",
    "data.skeleton",
    "data.name_checks",
    "data.renamed",
    "errors",
)


def imports(path: Path) -> list[str]:
    """The modules that a file imports, in full."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.append(node.module or "")
    return names


def test_the_core_imports_no_plugin() -> None:
    assert CORE
    for path in CORE:
        for name in imports(path):
            assert name.partition(".")[0] not in PLUGIN_NAMES, f"{path.name} imports {name}"


PUBLIC_MODULES = {
    "dlclive_core": ROOT / "dlclive_core" / "__init__.pyi",
    "dlclive_core.runtimes": ROOT / "dlclive_core" / "runtimes.py",
}
"""What plugins may import from, and the file that lists its names."""


def public_names(path: Path) -> set[str]:
    """The names in a file's `__all__`, which is a list of strings."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return set(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no __all__")


def private_imports(source: str) -> list[str]:
    """Each thing that a plugin's source takes from the core without its being public."""
    private = []
    public = {module: public_names(path) for module, path in PUBLIC_MODULES.items()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            private += [
                alias.name
                for alias in node.names
                if alias.name.startswith("dlclive_core.") and alias.name not in public
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dlclive_core":
            module = str(node.module)
            private += [f"{module}.{alias.name}" for alias in node.names if alias.name not in public.get(module, set())]
    return private


BUILDS_ON = {
    "dlclive_formats": {"dlclive_io"},
    "dlclive": {"dlclive_processors"},
    "dlclive_distill": {"dlclive_io", "dlclive_torch"},
}
"""Plugins that import public names of another one, which they depend on: decisions 0042 and 0043."""


def test_plugins_import_public_names_of_the_core_alone_and_not_each_other() -> None:
    assert PLUGINS
    for path in PLUGINS:
        own = path.relative_to(ROOT / "plugins").parts[2]
        for name in imports(path):
            other = name.partition(".")[0]
            assert other not in PLUGIN_NAMES - {own} or other in BUILDS_ON.get(own, ()), f"{path} imports {name}"
            assert other == own or not name.startswith(("dlclive_io.", "dlclive_processors.")), f"{path} imports {name}"
        assert private_imports(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    ("source", "private"),
    [
        ("from dlclive_core import Pose, UsageError", []),
        ("from dlclive_core.runtimes import sha256", []),
        ("import dlclive_core.runtimes", []),
        ("from dlclive_core.errors import UsageError", ["dlclive_core.errors.UsageError"]),
        ("from dlclive_core.runtimes import missing_requirements", ["dlclive_core.runtimes.missing_requirements"]),
        ("from dlclive_core import session", ["dlclive_core.session"]),
        ("import dlclive_core.session.loop", ["dlclive_core.session.loop"]),
        ("def f():\n    from dlclive_core.machine.system import sha256", ["dlclive_core.machine.system.sha256"]),
    ],
)
def test_an_import_of_what_is_not_public_is_noticed(source: str, private: list[str]) -> None:
    assert private_imports(source) == private


def test_the_names_of_the_kit_are_sorted_and_there() -> None:
    names = dlclive_core.runtimes.__all__
    assert set(names) == public_names(PUBLIC_MODULES["dlclive_core.runtimes"])
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(dlclive_core.runtimes, name)


def test_the_core_names_its_plugins_in_one_file_only() -> None:
    for path in CORE:
        if path.name == "known_packages.py":
            continue
        source = path.read_text(encoding="utf-8")
        strings = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
        named = [text for text in strings if isinstance(text, str) and "pip install dlclive-" in text]
        assert named == [] or path.name == "hookspecs.py", f"{path} names packages: {named}"


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
        assert first in {
            "__future__",
            "numpy",
            "dataclasses",
            "functools",
            "collections",
            "difflib",
            "typing",
            "unicodedata",
            "dlclive_core",
        }
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
