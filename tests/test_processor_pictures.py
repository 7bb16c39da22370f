"""The pictures on the pages of processors are those that the script draws, and can be read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs_blocks import ROOT
from tests.svg_checks import check_picture

pytest.importorskip("dlclive_processors", reason="the pictures show its processors")

PAGES = ROOT / "docs" / "processors"
NAMES = sorted(path.stem.replace("_", "-") for path in (ROOT / "scripts" / "pictures").glob("[!_]*.py"))
NUMBER = re.compile(r"-?\d+\.\d+")
NEAR = 0.2
"""How far a point may move, in pixels of the picture: processors round differently."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    script = ROOT / "scripts" / "processor_pictures.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_module_has_its_picture_and_page(drawn: Path) -> None:
    assert NAMES
    assert sorted(path.stem for path in drawn.glob("*.svg")) == NAMES
    assert {path.stem for path in PAGES.glob("*.svg")} == set(NAMES)
    for name in NAMES:
        pages = [*PAGES.glob("*.md"), *PAGES.parent.glob("*.md")]
        assert any(f"{name}.svg)" in page.read_text(encoding="utf-8") for page in pages), f"a page shows {name}.svg"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_the_one_on_its_page(name: str, drawn: Path) -> None:
    kept, new = ((folder / f"{name}.svg").read_text(encoding="utf-8") for folder in (PAGES, drawn))
    advice = f"run: python scripts/processor_pictures.py {name}"
    assert NUMBER.sub("0", new) == NUMBER.sub("0", kept), advice
    differences = [abs(float(a) - float(b)) for a, b in zip(NUMBER.findall(new), NUMBER.findall(kept), strict=True)]
    assert max(differences) <= NEAR, advice


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_can_be_read(name: str) -> None:
    check_picture((PAGES / f"{name}.svg").read_text(encoding="utf-8"))


def test_a_name_without_a_picture_is_refused(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "processor_pictures.py"
    done = subprocess.run(
        [sys.executable, str(script), "one-dollar", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no picture of one-dollar; there are" in done.stderr
    assert list(tmp_path.iterdir()) == []
