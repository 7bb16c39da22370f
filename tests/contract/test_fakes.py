"""The test kit's own components pass the contracts that they serve."""

import pytest

from dlclive_core import FrameSource, PoseModel, Processor, Sink
from dlclive_core.builtin.memory import MemorySink
from dlclive_core.demo.source import MouseSource
from dlclive_core.processor_adapter import ArrayProcessor
from dlclive_core.testing import (
    BlobModel,
    BlobSource,
    FrameSourceContract,
    LiveBlobSource,
    PoseModelContract,
    ProcessorContract,
    SinkContract,
)
from dlclive_core.testing.contracts.base import Contract


class TestBlobModel(PoseModelContract):
    @pytest.fixture
    def model(self) -> PoseModel:
        return BlobModel()


class TestBlobSource(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return BlobSource(frames=5)


class TestMouseSource(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return MouseSource(seed=3, frames=6)


class TestLiveBlobSource(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return LiveBlobSource(frames=20, interval=0.01)


class TestMemorySink(SinkContract):
    @pytest.fixture
    def sink(self) -> Sink:
        return MemorySink()


class TestArrayProcessor(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        class Old:
            def process(self, pose, **kwargs):
                pose += 0
                return pose

        return ArrayProcessor(Old())


def test_a_contract_cannot_be_weakened() -> None:
    class Weak(SinkContract):
        def test_takes_a_run(self) -> None:
            pass

    with pytest.raises(AssertionError, match="Weak overrides test_takes_a_run"):
        Contract.test_the_contract_is_whole(Weak())
