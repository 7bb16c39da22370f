"""What every Exporter does."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlclive_core.components import Exporter, PoseModel
from dlclive_core.export.parity import compare_models
from dlclive_core.testing.blobs import BlobSource
from dlclive_core.testing.contracts.base import Contract


class ExporterContract(Contract):
    """Override `exporter`, `source`, `target_name` and `load`."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        """Must be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> Path:
        """Must be overridden: a model file that the exporter reads."""
        raise NotImplementedError

    @pytest.fixture
    def target_name(self) -> str:
        """Must be overridden: a file name with the suffix that the exporter writes."""
        raise NotImplementedError

    @pytest.fixture
    def written(self, target_name: str) -> list[str]:
        """May be overridden: all files that a format which keeps its weights apart consists of, sorted by name."""
        return [target_name]

    def load(self, path: Path) -> PoseModel:
        """Must be overridden: load the source, or what was exported."""
        raise NotImplementedError

    def test_checks_before_it_begins(self, exporter: Exporter, source: Path, tmp_path: Path) -> None:
        """Troubleshooting: `check` refuses what `export` does, or writes a file."""
        with self.load(source) as model:
            exporter.check(model.card)
        assert not list(tmp_path.iterdir())

    def test_gives_the_same_pose(self, exporter: Exporter, source: Path, target_name: str, tmp_path: Path) -> None:
        """Troubleshooting: padding, the half cell, the order of the location refinement's channels."""
        target = tmp_path / target_name
        card = exporter.export(source, target)
        blobs = BlobSource(size=(128, 96))
        with self.load(source) as before, self.load(target) as after:
            parity = compare_models(before, after, [blobs.draw(index) for index in range(3)])
            assert after.card.skeleton == card.skeleton == before.card.skeleton
        assert parity.max_px <= 0.05

    def test_writes_its_files(
        self, exporter: Exporter, source: Path, target_name: str, written: list[str], tmp_path: Path
    ) -> None:
        """Troubleshooting: weights beside the file get lost when the file is moved; keep them inside where the format can."""
        exporter.export(source, tmp_path / target_name)
        assert sorted(item.name for item in tmp_path.iterdir()) == written
