"""Exporters check their arguments before the first of several steps starts."""

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

EXPORTS: list[str] = []
CHECKS: list[tuple[str, str, tuple[int, int] | None, tuple[int, int] | None]] = []
"""Arguments of `check`: the source's precision, the precision, the source's `input_size` (height, width), `size`."""


class Slow(Exporter):
    """Checks nothing."""

    def export(self, source: Path, target: Path, *, precision="fp32", size=None, frames=()) -> ModelCard:
        EXPORTS.append(target.suffix)
        target.write_text("a network")
        return BlobModel().card


class Choosy(Slow):
    """Needs a size and a GPU."""

    def __init__(self, *, gpu: bool = True) -> None:
        self._gpu = gpu

    def check(self, card: ModelCard, *, precision="fp32", size=None) -> None:
        CHECKS.append((card.precision, precision, card.input_size, size))
        if card.input_size is None and size is None:
            raise UsageError("give a size with --size")
        if not self._gpu:
            raise DependencyError("there is no GPU")


@pytest.fixture
def catalog() -> PluginCatalog:
    EXPORTS.clear()
    CHECKS.clear()

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


def test_the_second_step_refuses_before_the_first_starts(catalog, source: Path) -> None:
    with pytest.raises(UsageError, match="give a size with --size"):
        export_model(source, source.with_suffix(".c"), catalog=catalog)
    with pytest.raises(DependencyError, match="there is no GPU"):
        export_model(source, source.with_suffix(".c"), size=(64, 64), options={"gpu": False}, catalog=catalog)
    assert EXPORTS == []
    assert [item.name for item in source.parent.iterdir()] == ["m.a"]


def test_a_step_is_checked_against_the_card_of_the_step_before(catalog, source: Path) -> None:
    export = export_model(source, source.with_suffix(".c"), precision="fp16", size=(160, 120), catalog=catalog)
    assert export.target.is_file()
    assert CHECKS == [("fp16", "fp16", (120, 160), (160, 120))]
    assert EXPORTS == [".b", ".c"]


def test_an_exporter_without_checks_refuses_nothing(catalog, source: Path) -> None:
    export_model(source, source.with_suffix(".b"), catalog=catalog)
    assert (EXPORTS, CHECKS) == ([".b"], [])
