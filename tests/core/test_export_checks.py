"""What an exporter refuses is known before the first step of several begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlclive_core import (
    DependencyError,
    Exporter,
    ExporterInfo,
    ModelCard,
    PluginCatalog,
    RuntimeInfo,
    UsageError,
    export_model,
)
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel

DONE: list[str] = []
ASKED: list[tuple[str, str, tuple[int, int] | None, tuple[int, int] | None]] = []
"""Precision of the source, precision, fixed size of the source, and size, as `check` was asked."""


class Slow(Exporter):
    """Knows nothing before."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        DONE.append(target.suffix)
        target.write_text("a network")
        return BlobModel().card


class Choosy(Slow):
    """Takes one size, and needs a GPU."""

    def __init__(self, *, gpu: bool = True) -> None:
        self._gpu = gpu

    def check(self, card: ModelCard, *, precision="fp32", size=None) -> None:
        ASKED.append((card.precision, precision, card.input_size, size))
        if card.input_size is None and size is None:
            raise UsageError("give a size with --size")
        if not self._gpu:
            raise DependencyError("there is no GPU")


@pytest.fixture
def catalog() -> PluginCatalog:
    DONE.clear()
    ASKED.clear()

    def exporter(name: str, reads: str, writes: str, factory: type) -> ExporterInfo:
        return ExporterInfo(
            name=name, summary="", factory=f"{__name__}:{factory.__name__}", reads=reads, writes=writes,
            precisions=("fp32", "fp16"), converts=False,
        )  # fmt: skip

    parts = (
        RuntimeInfo(name="blobs", summary="", factory="dlclive_core.testing:BlobNetwork", reads=(".a", ".b", ".c")),
        exporter("one", ".a", ".b", Slow),
        exporter("two", ".b", ".c", Choosy),
    )
    return PluginCatalog([Plugin(name="lab", distribution="lab", version="1", status="ready", components=parts)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "m.a"
    path.write_text("a network")
    return path


def test_the_second_step_refuses_before_the_first_begins(catalog, source: Path) -> None:
    with pytest.raises(UsageError, match="give a size with --size"):
        export_model(source, source.with_suffix(".c"), catalog=catalog)
    with pytest.raises(DependencyError, match="there is no GPU"):
        export_model(source, source.with_suffix(".c"), size=(64, 64), options={"gpu": False}, catalog=catalog)
    assert DONE == []
    assert [item.name for item in source.parent.iterdir()] == ["m.a"]


def test_a_step_is_asked_about_what_the_one_before_makes(catalog, source: Path) -> None:
    export = export_model(source, source.with_suffix(".c"), precision="fp16", size=(160, 120), catalog=catalog)
    assert export.target.is_file()
    assert ASKED == [("fp16", "fp16", (120, 160), (160, 120))]
    assert DONE == [".b", ".c"]


def test_who_has_nothing_to_check_refuses_nothing(catalog, source: Path) -> None:
    export_model(source, source.with_suffix(".b"), catalog=catalog)
    assert (DONE, ASKED) == ([".b"], [])
