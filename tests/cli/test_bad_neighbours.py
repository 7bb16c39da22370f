"""One damaged or hostile package among the installed ones: it is one line in the list, and everything else works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlclive_core.plugins import registration

EXITS = "import sys\nsys.exit(0)\n"
RAISES_NO_EXCEPTION = "class Panic(BaseException):\n    pass\n\nraise Panic('in Rust')\n"
HOOK = "from dlclive_core import ProcessorInfo, hookimpl\n\n@hookimpl\ndef dlclive_register_processors():\n    "


def package(
    folder: Path,
    name: str,
    code: str,
    *,
    metadata: bytes | None = b"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
    points: bytes = b"[dlclive]\n{name} = {module}\n",
) -> None:
    """An installed distribution, as pip leaves it: a module, and a .dist-info."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    for file, content in (("METADATA", metadata), ("entry_points.txt", points)):
        if content is not None:
            content = content.replace(b"{name}", name.encode()).replace(b"{module}", module.encode())
            (info / file).write_bytes(content)


def dlclive(folder: Path, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line where the packages in `folder` are installed; `code` runs first in its process."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    run = f"import sys; sys.argv[0] = 'dlclive'\n{code}\nfrom dlclive_core.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", run, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1"},
    )


def listed(folder: Path, code: str = "") -> dict[str, dict[str, str]]:
    done = dlclive(folder, "plugins", "list", "--json", code=code)
    assert done.returncode == 0, done.stderr
    plugins = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}
    assert plugins["builtin"]["status"] == "ready"
    return plugins


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (EXITS, "raised SystemExit(0)"),
        (RAISES_NO_EXCEPTION, "raised Panic(in Rust)"),
        ("raise KeyboardInterrupt\n", "raised KeyboardInterrupt()"),
        (HOOK + "raise SystemExit('no licence')\n", "raised SystemExit(no licence)"),
        (HOOK + "return [ProcessorInfo(name=3, summary='s', factory='a:B')]\n", "ProcessorInfo.name is 3, not str"),
        (
            HOOK + "return [ProcessorInfo(name='x', summary='s', factory='a:B', requires='numpy')]\n",
            "ProcessorInfo.requires is 'numpy', not tuple[str, ...]; write ('numpy',)",
        ),
        (HOOK + "return [ProcessorInfo(name='x', summary='s', factory='a.B')]\n", "not 'package.module:Class'"),
        (
            HOOK
            + "import itertools\n    return itertools.repeat(ProcessorInfo(name='x', summary='s', factory='a:B'))\n",
            "more than 1000",
        ),
        (HOOK + "return 5\n", "TypeError"),
    ],
)
def test_a_plugin_that_does_not_load_is_one_line(tmp_path: Path, code: str, reason: str) -> None:
    package(tmp_path, "lab-bad", code)
    plugin = listed(tmp_path)["lab-bad"]
    assert plugin["status"] == "broken"
    assert reason in plugin["error"]
    assert "pip uninstall lab-bad" in plugin["error"]


def test_a_plugin_that_hangs_is_left_behind(tmp_path: Path) -> None:
    package(tmp_path, "lab-hangs", "import threading\nthreading.Event().wait()\n")
    code = "from dlclive_core.plugins import registration as r; r.load_components.__defaults__ = (0.2,)"
    plugin = listed(tmp_path, code)["lab-hangs"]
    assert plugin["status"] == "broken"
    assert "importing lab_hangs did not end within 0.2 s" in plugin["error"]
    assert registration.load_components.__defaults__ == (registration.DEADLINE,)


def test_standard_output_is_json_whatever_a_plugin_prints(tmp_path: Path) -> None:
    package(
        tmp_path,
        "lab-prints",
        "import os, sys\nprint('from Python')\nos.write(1, b'from C\\n')\nsys.__stdout__.write('past us\\n')\n"
        "import atexit\natexit.register(print, 'at the end')\n",
    )
    done = dlclive(tmp_path, "plugins", "list", "--json")
    assert [plugin["status"] for plugin in json.loads(done.stdout) if plugin["name"] == "lab-prints"] == ["ready"]
    for line in ("from Python", "from C", "at the end"):
        assert line in done.stderr


@pytest.mark.parametrize(
    "points",
    [
        b"[dlclive]\nlab-bad\n",
        b"[dlclive]\nlab-bad = not a module!\n",
        b"[dlclive]\nlab-bad =\n",
        b"[dlclive]\nlab-bad = \xff\xfe\n",
        b"lab-bad = lab_bad\n",
        b"[console_scripts]\nbroken\n",
    ],
)
def test_broken_entry_points_disturb_nobody(tmp_path: Path, points: bytes) -> None:
    package(tmp_path, "lab-bad", "", points=points)
    package(tmp_path, "lab-good", HOOK + "return [ProcessorInfo(name='x', summary='s', factory='a:B')]\n")
    plugins = listed(tmp_path)
    assert plugins["lab-good"]["status"] == "ready"
    if b"dlclive" in points:
        assert plugins["lab-bad"]["status"] == "broken"
        assert "pip uninstall lab-bad" in plugins["lab-bad"]["error"]


@pytest.mark.parametrize("metadata", [None, b"", b"Metadata-Version: 2.1\n", b"Name: \xff\xfe\n"])
def test_a_package_without_metadata_is_named_by_its_folder(tmp_path: Path, metadata: bytes | None) -> None:
    package(tmp_path, "lab-bare", "", metadata=metadata)
    plugin = listed(tmp_path)["lab-bare"]
    assert plugin["status"] == "ready"
    if not metadata or b"\xff" not in metadata:
        assert (plugin["distribution"], plugin["version"]) == ("lab-bare", "1.0")


@pytest.mark.parametrize("command", [["doctor", "--json"], ["devices", "--json"], ["info", "--json", "MODEL"]])
def test_other_commands_work_beside_a_plugin_that_exits(tmp_path: Path, command: list[str]) -> None:
    from dlclive_core.demo import MODEL

    pytest.importorskip("dlclive_onnx", reason="the demo's model needs dlclive-onnx")
    package(tmp_path, "lab-exits", EXITS)
    done = dlclive(tmp_path, *(str(MODEL) if argument == "MODEL" else argument for argument in command))
    assert json.loads(done.stdout)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("body", "exit_code", "message"),
    [
        ("raise SystemExit(0)", 3, "processor 'x' raised SystemExit: 0"),
        (
            "raise ValueError('line is -1; write a number above 0')",
            2,
            "processor 'x': line is -1; write a number above 0",
        ),
        ("1 / 0", 3, "processor 'x' raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_component_that_cannot_be_made_is_named(tmp_path: Path, body: str, exit_code: int, message: str) -> None:
    pytest.importorskip("dlclive_onnx", reason="the demo's model needs dlclive-onnx")
    from dlclive_core.demo import MODEL

    package(
        tmp_path,
        "lab-bad",
        HOOK + "return [ProcessorInfo(name='x', summary='s', factory='lab_bad:Bad')]\n\n"
        f"class Bad:\n    def __init__(self):\n        {body}\n",
    )
    run = ["run", "--source", "mouse", "--model", str(MODEL), "--processor", "x", "--out", str(tmp_path / "out")]
    done = dlclive(tmp_path, *run)
    assert done.returncode == exit_code
    assert f"error: {message}" in done.stderr
    assert "Traceback" not in done.stderr
