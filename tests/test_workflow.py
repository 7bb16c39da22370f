"""The workflow runs what the README says, with sessions that there are, on every system that dlclive is written for."""

import ast
import re

import pytest

from tests.docs_blocks import ROOT

yaml = pytest.importorskip("yaml")

WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"
if not WORKFLOW.is_file():
    pytest.skip("this copy of the sources has no workflow", allow_module_level=True)

JOBS = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
COMMANDS = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in JOBS.items()}
NOX = re.compile(r"python -m nox -s ((?:[a-z_]+ ?)+)(?:-- .*)?")


def sessions() -> set[str]:
    """The functions of the noxfile that are sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if any("nox.session" in ast.unparse(mark) for mark in f.decorator_list)}


def test_every_command_installs_nox_or_runs_a_session_that_there_is() -> None:
    assert {"demo", "tests", "lint"} < sessions()
    for command in (command for commands in COMMANDS.values() for command in commands):
        if command != "python -m pip install nox":
            match = NOX.fullmatch(command)
            assert match, command
            assert set(match[1].split()) <= sessions(), command


def test_the_commands_of_the_readme_run_on_every_system() -> None:
    matrix = JOBS["tests"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.10", "3.12", "3.14"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    set_up = re.findall(r"^python -m pip install nox && python -m nox -s \w+$", readme, re.MULTILINE)
    assert len(set_up) == 2
    for line in set_up:
        assert set(line.split(" && ")) <= set(COMMANDS["tests"])


def test_what_needs_linux_runs_on_linux_only() -> None:
    assert JOBS["linux"]["runs-on"].startswith("ubuntu")
    everywhere = " ".join(COMMANDS["tests"])
    for name in ("faults", "types", "lint"):
        assert name in " ".join(COMMANDS["linux"])
        assert name not in everywhere
