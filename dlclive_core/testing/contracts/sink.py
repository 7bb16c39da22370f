"""What every Sink does."""

from __future__ import annotations

import pytest

from dlclive_core.components import Sink
from dlclive_core.data.estimate import RunInfo
from dlclive_core.testing.blobs import BlobModel
from dlclive_core.testing.contracts.base import Contract
from dlclive_core.testing.fakes import estimates, run_info


class SinkContract(Contract):
    """Override `sink` with a fresh one that writes into `tmp_path`, if it writes files."""

    @pytest.fixture
    def sink(self) -> Sink:
        """Must be overridden: a fresh sink, not opened."""
        raise NotImplementedError

    @pytest.fixture
    def run(self) -> RunInfo:
        """May be overridden."""
        return run_info(BlobModel().card)

    def test_takes_a_run(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: poses may be missing (NaN, NaN, 0)."""
        with sink:
            sink.open(run)
            for estimate in estimates(6, missing=(2,)):
                sink.write(estimate)
            sink.finish()
        assert all(path.is_file() for path in sink.outputs)

    def test_takes_an_empty_run(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: a file with no rows is still a file that opens."""
        with sink:
            sink.open(run)
            sink.finish()
        assert all(path.is_file() for path in sink.outputs)

    def test_shows_no_whole_file_before_finish(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: write under a temporary name and rename in `finish`."""
        with sink:
            finals = sink.outputs
            sink.open(run)
            for estimate in estimates(3):
                sink.write(estimate)
            assert not any(path.exists() for path in finals)
        assert not any(path.exists() for path in finals)

    def test_closes_twice_and_unopened(self, sink: Sink) -> None:
        """Troubleshooting: `close` is called whatever happened before."""
        sink.close()
        sink.close()
