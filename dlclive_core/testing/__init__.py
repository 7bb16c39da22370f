"""The test kit: components with known results, components that fail on purpose, and one contract per kind of component.

    from dlclive_core.testing import ProcessorContract

    class TestReward(ProcessorContract):
        @pytest.fixture
        def processor(self):
            return Reward(port=None)

The contracts need pytest; the rest needs numpy only, so scripts can use it, too.
"""

from typing import TYPE_CHECKING

from dlclive_core.testing.blobs import BlobModel, BlobNetwork, BlobSource, LiveBlobSource, blob_skeleton
from dlclive_core.testing.failing import FailingModel, FailingProcessor, FailingSink, FailingSource, StallingSource
from dlclive_core.testing.fakes import NullModel, estimates, run_info

if TYPE_CHECKING:
    from dlclive_core.testing.contracts import (
        ExporterContract,
        FrameSourceContract,
        PoseModelContract,
        ProcessorContract,
        SinkContract,
        TableFormatContract,
    )

__all__ = [
    "BlobModel",
    "BlobNetwork",
    "BlobSource",
    "ExporterContract",
    "FailingModel",
    "FailingProcessor",
    "FailingSink",
    "FailingSource",
    "FrameSourceContract",
    "LiveBlobSource",
    "NullModel",
    "PoseModelContract",
    "ProcessorContract",
    "SinkContract",
    "StallingSource",
    "TableFormatContract",
    "blob_skeleton",
    "estimates",
    "run_info",
]


def __getattr__(name: str) -> object:
    if name in __all__:  # a contract: imported on first use, because it needs pytest
        from dlclive_core.testing import contracts

        return getattr(contracts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
