"""The structure of the packages: no import cycles of any kind, and few modules at the root."""

import ast
import importlib
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = [ROOT / "dlclive_core", *sorted((ROOT / "plugins").glob("*/src/*"))]
MOST_ROOT_MODULES = 6
"""Besides `__init__` and `__main__`: the root holds what a newcomer reads first."""


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(tree: ast.Module, modules: set[str]) -> set[str]:
    """Modules of the package that a file imports anywhere: at the top, for typing, or in a function."""
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                imported.add(name if name in modules else node.module)
    return imported & modules


def import_graph(package: Path) -> dict[str, set[str]]:
    files = {module_name(path, package): path for path in package.rglob("*.py")}
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in files.items()}
    return {name: imported_modules(tree, set(files)) - {name} for name, tree in trees.items()}


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other: strongly connected components (Tarjan 1972), by Kosaraju's simpler method."""
    order: list[str] = []
    visited: set[str] = set()

    def visit(name: str, edges: dict[str, set[str]], out: list[str]) -> None:
        stack = [(name, iter(sorted(edges[name])))]
        visited.add(name)
        while stack:
            current, successors = stack[-1]
            for successor in successors:
                if successor not in visited:
                    visited.add(successor)
                    stack.append((successor, iter(sorted(edges[successor]))))
                    break
            else:
                out.append(current)
                stack.pop()

    for name in sorted(graph):
        if name not in visited:
            visit(name, graph, order)
    reverse: dict[str, set[str]] = defaultdict(set)
    for name, successors in graph.items():
        for successor in successors:
            reverse[successor].add(name)
    visited.clear()
    groups = []
    for name in reversed(order):
        if name not in visited:
            group: list[str] = []
            visit(name, reverse, group)
            groups.append(sorted(group))
    return [group for group in groups if len(group) > 1]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_there_are_no_import_cycles(package: Path) -> None:
    assert cycles(import_graph(package)) == []


def test_cycles_of_any_kind_of_import_are_detected() -> None:
    modules = {"a", "b", "c"}
    sources = {"a": "def f():\n    import b", "b": "if TYPE_CHECKING:\n    from c import x", "c": "from a import y"}
    graph = {name: imported_modules(ast.parse(source), modules) for name, source in sources.items()}
    assert cycles(graph) == [["a", "b", "c"]]
    assert cycles({**graph, "c": set()}) == []


def test_the_core_has_few_modules_at_its_root() -> None:
    modules = sorted(path.name for path in (ROOT / "dlclive_core").glob("*.py") if not path.stem.startswith("__"))
    assert len(modules) <= MOST_ROOT_MODULES, modules


@pytest.mark.parametrize("package", PACKAGES[1:], ids=lambda package: package.name)
def test_every_public_name_of_a_plugin_can_be_imported(package: Path) -> None:
    module = importlib.import_module(package.name)
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None


def test_imports_between_tools_resolve_to_files() -> None:
    """Some tools run in DeepLabCut's environment only, so not all of them can be imported here."""
    files = sorted((ROOT / "tools").rglob("*.py"))
    assert files
    for path in files:
        siblings = {sibling.stem for sibling in path.parent.glob("*.py")}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                parts = name.split(".")
                assert parts[0] != "tools" or any(
                    ROOT.joinpath(*parts[:length]).with_suffix(".py").is_file()
                    for length in (len(parts), len(parts) - 1)
                ), f"{path.name} imports {name}"
                assert parts[0] not in siblings, f"{path.name} imports {name} by its bare name"
