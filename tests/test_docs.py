"""Every code block in the documentation is executed, in the order of its page, in a folder where the demo has been run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from tests.docs_blocks import ROOT, Block, blocks, documents

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

MODELS = ROOT.parent / "shared" / "models"

# Commands that set up environments: not run here, but by .ci/run, which is checked to do so.
SETS_UP = re.compile(r"(python -m )?pip install|python -m nox")

TOO_SLOW = "the sink was too slow"
"""What a live session rightly reports, with exit code 5, on a machine that is busy with other things."""

PAGES = [page for page in documents() if blocks(page)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has after the first commands: the demo's outputs, a model, and tables."""
    pytest.importorskip("dlclive_onnx", reason="the documentation's examples need dlclive-onnx")
    pytest.importorskip("dlclive_io", reason="the documentation's examples need dlclive-io")
    folder = tmp_path_factory.mktemp("reader")
    _run("dlclive demo --out demo --max-frames 60", folder)
    shutil.copy(folder / "demo" / "mouse.h5", folder / "poses.h5")
    return folder


@pytest.mark.timeout(1500)  # a page may run a dozen commands, each of which takes half a minute on a busy machine
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_run(page: Path, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    shutil.copytree(demo, folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    for block in blocks(page):
        if block.language == "python":
            _run_python(block)
        elif block.language == "bash":
            for command in _commands(block):
                _run_command(command, block, folder)
        elif block.language == "toml":
            if tomllib is not None:
                tomllib.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)
            _save_named(block)
        else:
            assert block.language == "text", f"{block.name}: write python, bash, toml, yaml or text after the fence"


def _run_python(block: Block) -> None:
    """In the page's folder; a block that begins with a file's name is also saved under it, for the blocks after it."""
    _save_named(block)
    exec(compile(block.text, block.name, "exec"), {"__name__": "docs"})


def _save_named(block: Block) -> None:
    named = re.match(r"# (\S+\.(py|yaml))\n", block.text)
    if named:
        path = Path(named[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")


def _commands(block: Block) -> list[str]:
    text = block.text.replace("\\\n", " ")
    return [line.partition(" #")[0].strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _run_command(command: str, block: Block, folder: Path) -> None:
    if SETS_UP.match(command):
        return
    assert command.startswith("dlclive "), f"{block.name}: {command!r} is neither run here nor by .ci/run"
    if "openfield.pt" in command:
        if not MODELS.is_dir():
            pytest.skip(f"{block.name}: the trained model is not here")
        pytest.importorskip("dlclive_torch", reason="exporting needs dlclive-torch")
        shutil.copy(MODELS / "openfield_cspnext_s.pt", folder / "openfield.pt")
    if "--out demo" in command:
        shutil.rmtree(folder / "demo")
    _run(command, folder)


def _run(command: str, folder: Path) -> None:
    arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, "-m", "dlclive_core", *arguments[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    busy = done.returncode == 5 and TOO_SLOW in done.stderr + done.stdout
    assert done.returncode == 0 or busy, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_setting_up_commands_are_run_by_ci() -> None:
    """The README's two commands, and the installs, stay true because .ci/run does the same."""
    ci = (ROOT / ".ci" / "run").read_text()
    nox = (ROOT / "noxfile.py").read_text()
    readme = (ROOT / "README.md").read_text()
    assert "python -m pip install nox && python -m nox -s demo" in readme
    assert "python -m pip install nox && python -m nox -s tests" in readme
    assert "nox -s demo" in ci
    assert "nox -s tests" in ci
    for folder in re.findall(r"pip install .*?\./(plugins/[\w-]+)", readme):
        assert folder.split("/")[-1].removeprefix("dlclive-") in nox


def test_every_link_leads_somewhere() -> None:
    for page in documents():
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_hook_is_documented() -> None:
    from dlclive_core import hookspecs

    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in vars(hookspecs):
        if name.startswith("dlclive_register_"):
            assert name in text or name.replace("dlclive_register", "..") in text, f"{name} is not in CONTRIBUTING.md"


def test_what_a_processor_gets_at_the_beginning_is_documented() -> None:
    from dlclive_core import RunInfo

    table = (ROOT / "CONTRIBUTING.md").read_text().partition("gets a `RunInfo`")[2].partition("\n## ")[0]
    missing = [
        field.name for field in fields(RunInfo) if not re.search(rf"^\|.*`{field.name}`.*\|.+\|$", table, re.MULTILINE)
    ]
    assert missing == []


def test_the_first_install_brings_what_the_examples_of_the_readme_import() -> None:
    readme = ROOT / "README.md"
    install = re.search(r"^pip install .*$", readme.read_text(), re.MULTILINE)
    assert install
    folders = [ROOT / folder for folder in re.findall(r"\./(\S*)", install[0].partition("#")[0])]
    text = "\n".join((folder / "pyproject.toml").read_text() for folder in folders)
    provided = {path.name for folder in folders for path in (*folder.glob("src/*"), *folder.glob("dlclive_core"))}
    libraries = {"cv2": "opencv-python-headless"}
    used = set()
    for block in blocks(readme):
        if block.language == "python":
            used |= set(re.findall(r"^(?:from|import) (\w+)", block.text, re.MULTILINE))
    assert used >= {"dlclive_core", "cv2"}
    needed = used - set(sys.stdlib_module_names) - provided
    assert {name for name in needed if f'"{libraries.get(name, name)}>=' not in text.partition("[tool.")[0]} == set()
