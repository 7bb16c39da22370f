"""The names of the files that commands make, from sources whose own names Windows would refuse."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from dlclive_core.cli.live.plan import name_of
from dlclive_core.cli.specs import PartSpec

REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
"""As in Microsoft's "Naming Files, Paths, and Namespaces"."""

AWKWARD = [
    "camera:0",
    "nul",
    "aux.csv",
    "12:30:00.mp4",
    "what?.avi",
    "con .mp4",
    "rtsp://host:554/a?b=<c>|d*",
    "com1:x=1",
]
LINUX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no files of these names")


def made_in(folder: Path) -> list[str]:
    return [name for _, folders, files in os.walk(folder) for name in (*folders, *files)]


def refused(names: list[str]) -> list[str]:
    return [name for name in names if REFUSED.search(name)]


def test_what_windows_refuses_is_recognised() -> None:
    names = ["a:b", "a?", "a.", "a ", "CON", "aux.csv", "Lpt1.x.y", "tab\t"]
    assert refused(names) == names
    assert refused(["a.b", "console", "aux-1.csv", "12-30.h5", "auxDLC.csv"]) == []


@pytest.mark.parametrize("source", AWKWARD)
def test_a_name_made_of_a_source_is_a_file_name_on_windows(source: str) -> None:
    name = name_of(PartSpec.parse(source))
    assert name
    assert refused([f"{name}.csv", f"mouse_{name}.csv", f"latency_{name}.svg"]) == []


@LINUX
def test_analyze_makes_names_that_windows_takes(dlclive, model, clip, tmp_path) -> None:
    for name in ("12:30:00.mp4", "what?.mp4"):
        shutil.copy(clip, tmp_path / name)
    out = tmp_path / "out"
    done = dlclive("analyze", model, "12:30:00.mp4", "what?.mp4", "--out", out, "--save-video", "--max-frames", 2)
    assert done.code == 0, done.err
    made = made_in(out)
    assert len(made) == 9  # four files of each video, and run.json
    assert refused(made) == []


@LINUX
def test_run_makes_names_that_windows_takes(dlclive, model, clip, tmp_path) -> None:
    for name in ("nul.mp4", "12:30:00.mp4"):
        shutil.copy(clip, tmp_path / name)
    sources = ("--source", "nul.mp4", "--source", "video:12:30:00.mp4")
    out = tmp_path / "out"
    sinks = ("--sink", "timestamps:{source}.csv", "--sink", "tables:t.csv", "--sink", "recording:m.mkv")
    done = dlclive("run", *sources, "--model", model, *sinks, "--out", out)
    assert done.code == 0, done.err
    made = made_in(out)
    assert "_nul.csv" in made
    assert refused(made) == []


@pytest.mark.parametrize("name", ["con", "LPT1"])
def test_a_given_name_that_windows_refuses_is_an_error(dlclive, model, tmp_path, name) -> None:
    done = dlclive("run", "--source", f"{name}=mouse", "--model", model, "--out", tmp_path / "out", "--seconds", 1)
    assert done.code == 2
    assert f"invalid source name '{name}'" in done.error
