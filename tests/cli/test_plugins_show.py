"""`dlclive plugins show`: options as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pytest

from dlclive_core import Output
from dlclive_core.cli.option_words import options_in_words


class Component:
    """With options of all kinds."""

    def __init__(
        self,
        first: str,
        *,
        number: float = 0.5,
        whole: int | None = None,
        choice: Literal["a", "b"] = "a",
        switch: bool = True,
        file: Path | None = None,
        names: Sequence[str] = (),
        corners: Sequence[Sequence[float]] = ((0, 0), (1, 1)),
        output: Output | None = None,
        outputs: Sequence[Output] = (),
        function: Callable[[], None] | None = None,
        text: str = "",
    ) -> None:
        pass


def test_options_are_described_as_they_are_typed() -> None:
    lines = [" ".join(str(option).split()) for option in options_in_words(Component)]
    assert lines == [
        "[first=] text, required",
        "number= a number, default 0.5",
        "whole= a whole number",
        "choice= 'a' or 'b', default a",
        "switch= true or false, default true",
        "file= a path",
        "names= a list such as [a,b]",
        "corners= a list such as [[1,2],[3,4]], default [[0,0],[1,1]]",
        "output= {name:option=value}",
        "outputs= [{name:option=value},...]",
        "text= text",
    ]


def test_no_python_is_shown(dlclive) -> None:
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    done = dlclive("plugins", "show", "processors")
    assert done.code == 0, done.err
    assert "[horizon=] a number, default 0" in " ".join(done.out.split())
    for word in ("None", "NoneType", "Optional", "Sequence[", " | ", "True", "False", "typing", "<"):
        assert word not in done.out, word
    shown = json.loads(dlclive("plugins", "show", "processors", "--json").out)
    assert shown["options"]["speed"][0] == {
        "name": "threshold", "type": "a number", "default": None, "required": False, "unnamed": True
    }  # fmt: skip


def test_the_geometry_of_cameras_is_imported_only_for_poses_in_space() -> None:
    script = (
        "import sys\n"
        "import dlclive_core.cli.live.run, dlclive_core.cli.live.session_problems, dlclive_core.cli.live.latency\n"
        "assert not [name for name in sys.modules if name.startswith('dlclive_core.views')]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
