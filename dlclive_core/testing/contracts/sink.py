"""The contract of sinks."""

from __future__ import annotations

import pytest

from dlclive_core.components import Sink
from dlclive_core.data.estimate import RunInfo
from dlclive_core.testing.blobs import BlobModel
from dlclive_core.testing.contracts.base import Contract
from dlclive_core.testing.fakes import estimates, run_info


class SinkContract(Contract):
    """Override `sink`; a sink that writes files must write into `tmp_path`."""

    @pytest.fixture
    def sink(self) -> Sink:
        """Must be overridden: a new sink, not opened."""
        raise NotImplementedError

    @pytest.fixture
    def run(self, sink: Sink) -> RunInfo:
        """May be overridden: the run that the sink is opened with."""
        return run_info(BlobModel().card, dimensions=min(sink.dimensions))

    def test_writes_a_run(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: poses may be missing (NaN, NaN, 0)."""
        with sink:
            sink.open(run)
            for estimate in estimates(6, missing=(2,), dimensions=run.dimensions):
                sink.write(estimate)
            sink.finish()
        assert all(path.exists() for path in sink.outputs)

    def test_writes_an_empty_run(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: write a valid file even if it has no rows."""
        with sink:
            sink.open(run)
            sink.finish()
        assert all(path.exists() for path in sink.outputs)

    def test_final_files_appear_only_after_finish(self, sink: Sink, run: RunInfo) -> None:
        """Troubleshooting: write under a temporary name and rename in `finish`."""
        with sink:
            finals = sink.outputs
            sink.open(run)
            for estimate in estimates(3, dimensions=run.dimensions):
                sink.write(estimate)
            assert not any(path.exists() for path in finals)
        assert not any(path.exists() for path in finals)

    def test_can_be_closed_twice_and_without_open(self, sink: Sink) -> None:
        """Troubleshooting: `close` is called in every case, even if `open` failed or was not called."""
        sink.close()
        sink.close()
