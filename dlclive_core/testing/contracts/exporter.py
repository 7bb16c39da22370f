"""The contract of exporters."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlclive_core.components import PoseModel
from dlclive_core.components.exporter import Exporter
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
        """May be overridden: all files of the export, sorted by name, for a format with separate weights."""
        return [target_name]

    def load(self, path: Path) -> PoseModel:
        """Must be overridden: load the source or the exported model."""
        raise NotImplementedError

    def test_check_accepts_the_source_and_writes_nothing(
        self, exporter: Exporter, source: Path, tmp_path: Path
    ) -> None:
        """Troubleshooting: `check` must accept what `export` can convert, and must not write files."""
        with self.load(source) as model:
            exporter.check(model.card)
        assert not list(tmp_path.iterdir())

    def test_exported_model_returns_the_same_poses(
        self, exporter: Exporter, source: Path, target_name: str, tmp_path: Path
    ) -> None:
        """Troubleshooting: check the padding, the half-cell offset, and the channel order of the location refinement."""
        target = tmp_path / target_name
        card = exporter.export(source, target)
        blobs = BlobSource(size=(128, 96))
        with self.load(source) as before, self.load(target) as after:
            parity = compare_models(before, after, [blobs.draw(index) for index in range(3)])
            assert after.card.skeleton == card.skeleton == before.card.skeleton
        assert parity.max_px <= 0.05

    def test_writes_the_expected_files(
        self, exporter: Exporter, source: Path, target_name: str, written: list[str], tmp_path: Path
    ) -> None:
        """Troubleshooting: separate weights get lost when the file is moved; embed them if the format allows it."""
        exporter.export(source, tmp_path / target_name)
        assert sorted(item.name for item in tmp_path.iterdir()) == written
