"""Files that once made a reader fail, cut down to what mattered. Each is refused with one short line."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from dlclive_core import DLCLiveError
from tools.fuzz import seeds
from tools.fuzz.targets import target


def changed(values: Any, path: str, value: Any) -> bytes:
    """The first valid file with one value changed, as JSON, which YAML is, too."""
    values = json.loads(json.dumps(values[0]))
    inner = values
    *parents, last = path.split(".")
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return json.dumps(values).encode()


def session(path: str, value: Any) -> bytes:
    return changed(seeds.sessions(), path, value)


def config(path: str, value: Any) -> bytes:
    return changed(seeds.configurations(), path, value)


def card(path: str, value: Any) -> bytes:
    return changed(seeds.cards(), path, value)


def profile(path: str, value: Any) -> bytes:
    return changed(seeds.profiles(), path, value)


HEAD = "model.heads.bodypart.predictor.locref_std"
FILES = {
    "an integer larger than any float": ("session", lambda: session("limits.seconds", 10**400), "seconds takes"),
    "the same in a crop": ("session", lambda: b"regions: {cropping: [0, " + b"9" * 400 + b", 0, 9]}", "pixels of the frame"),
    "a long list for a number": ("session", lambda: session("limits.seconds", [65536] * 5000), "seconds takes"),
    "a long list in a crop": ("session", lambda: session("regions.cropping", [0] * 5000), "cropping takes"),
    "a long key": ("session", lambda: session("y" * 1000, 1), "has no 'yyyy"),
    "a list for a scale": ("model-config", lambda: config(HEAD, [7.2]), "locref_std is"),
    "text for a scale": ("model-config", lambda: config(HEAD, "snout"), "locref_std is 'snout'"),
    "no number for a scale": ("model-config", lambda: config(HEAD, {"a": 1}), "locref_std is"),
    "a key of two lines": ("model-config", lambda: config("data.a\nb", 1), r"data\.a\\nb is not supported"),
    "long text for a name": ("model-config", lambda: config("data.colormode", "y" * 100_000), "colormode"),
    "a number for the name of a head": ("model-config", lambda: _with_a_numbered_head(), "no head 'bodypart'; it has .1.5"),
    "an edge of two lines": ("card", lambda: card("skeleton.edges", ["a\nb"]), r"edge 'a\\nb' is not a pair"),
    "an option of two lines": ("profile", lambda: profile("options.a\nb", 1), r"options\.a\\nb is not a valid option"),
    "a long option": ("profile", lambda: profile("options." + "9" * 5000, 1), r"options\.9999.* is not a valid option"),
    "an unknown field of two lines": ("profile", lambda: profile("a\nb", 1), r"unknown field a\\nb"),
    "an unknown rule": ("card", lambda: card("assembly." + "9" * 5000, 1), "unknown field '9999"),
    "a rule of two lines": ("card", lambda: card("assembly.min_affinity", "a\nb"), r"got 'a\\nb'"),
}  # fmt: skip


def _with_a_numbered_head() -> bytes:
    values = seeds.configurations()[0]
    values["model"]["heads"] = {}
    return json.dumps(values).replace('"heads": {}', '"heads": {1.5: {}}').encode()  # YAML, and not JSON


@pytest.mark.parametrize("name", FILES)
def test_what_once_failed_is_refused_with_one_line(name: str, tmp_path: Path) -> None:
    kind, make, message = FILES[name]
    with pytest.raises(DLCLiveError, match=message) as refused:
        target(kind).read(make(), tmp_path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 1000


DAMAGED = sorted((Path(__file__).parent / "fuzzed").glob("*.journal.zlib"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("file", DAMAGED, ids=lambda file: file.name.split(".")[0])
def test_damaged_journals_are_read_to_an_end(file: Path, tmp_path: Path) -> None:
    """Pages that lead back to earlier ones gave rows without end; SQLite's messages quote what is damaged."""
    message = ""
    try:
        target("journal").read(zlib.decompress(file.read_bytes()), tmp_path)
    except DLCLiveError as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) < 1000


def test_there_are_damaged_journals() -> None:
    assert len(DAMAGED) == 4
