"""The test kit's own components pass their contracts."""

import time

import numpy as np
import pytest

from dlclive_core import FrameSource, PoseModel, Processor, Sink
from dlclive_core.demo.live import LiveMouse
from dlclive_core.demo.source import MouseSource
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.session.array_processor import ArrayProcessor
from dlclive_core.testing import (
    BlobModel,
    BlobSource,
    FrameSourceContract,
    LiveBlobSource,
    PoseModelContract,
    ProcessorContract,
    SinkContract,
    StallingSource,
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


class TestLiveMouse(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return LiveMouse(seed=3, fps=50, path=4)

    def test_walks_back_and_forth_and_counts_skipped_frames(self, source: LiveMouse) -> None:
        with source:
            source.open()
            numbers = [source.read(1.0).index for _ in range(9)]
            assert numbers[-1] + 1 == len(numbers) + source.skipped
            time.sleep(0.2)
            later = source.read(1.0).index
            assert later + 1 == len(numbers) + 1 + source.skipped
            assert later - numbers[-1] >= 9
            images = [source.render(index) for index in range(8)]
        for forth, back in ((2, 4), (1, 5), (0, 6), (1, 7)):
            np.testing.assert_array_equal(images[forth], images[back])
            np.testing.assert_array_equal(source.truth(forth), source.truth(back))
        assert not np.array_equal(images[2], images[3])


class TestLiveBlobSource(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return LiveBlobSource(frames=20, interval=0.01)


class TestStallingSource(FrameSourceContract):
    @pytest.fixture
    def source(self) -> FrameSource:
        return StallingSource(at=2, seconds=0.3)

    def test_stalls_and_recovers(self, source: FrameSource) -> None:
        with source:
            source.open()
            numbers = [source.read(0.1).index, source.read(0.1).index]
            with pytest.raises(TimeoutError):
                source.read(0.1)
            assert "no frame for" in source.trouble
            with pytest.raises(TimeoutError):
                source.read(0.1)
            while len(numbers) < 4:
                try:
                    numbers.append(source.read(0.1).index)
                except TimeoutError:
                    continue
            assert (source.trouble, source.reconnects, source.lost) == ("", 1, 30)
            assert numbers == [0, 1, 32, 33]


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


def test_overriding_an_inherited_contract_test_fails() -> None:
    class Weak(SinkContract):
        def test_writes_a_run(self) -> None:
            pass

    with pytest.raises(AssertionError, match="Weak overrides test_writes_a_run"):
        Contract.test_no_inherited_test_is_overridden(Weak())
