"""What every FrameSource does."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame, check_image
from dlclive_core.errors import EndOfStream
from dlclive_core.testing.contracts.base import Contract

_PATIENCE = 10.0  # seconds for a source to give a frame


class FrameSourceContract(Contract):
    """Override `source` with a fresh one that has at least three frames."""

    @pytest.fixture
    def source(self) -> FrameSource:
        """Must be overridden: a fresh source, not opened."""
        raise NotImplementedError

    def test_frames_are_images_in_order(self, source: FrameSource) -> None:
        """Troubleshooting: uint8 RGB or grey; `index` grows; `captured_at` is perf_counter and does not go back."""
        with source:
            source.open()
            frames = [_read(source) for _ in range(3)]
        for frame in frames:
            assert isinstance(frame, Frame)
            check_image(frame.image)
            assert abs(time.perf_counter() - frame.captured_at) < 60
        assert all(before.index < after.index for before, after in pairwise(frames))
        assert all(a.captured_at <= b.captured_at for a, b in pairwise(frames))

    def test_declares_its_size(self, source: FrameSource) -> None:
        """Troubleshooting: frame_size is (width, height), numpy shapes are (height, width)."""
        with source:
            source.open()
            frame = _read(source)
            if source.frame_size is not None:
                assert frame.image.shape[:2] == source.frame_size[::-1]

    def test_never_writes_into_a_frame_it_gave(self, source: FrameSource) -> None:
        """Troubleshooting: a buffer is used again; give a copy."""
        with source:
            source.open()
            frame = _read(source)
            kept = frame.image.copy()
            _read(source)
            _read(source)
            np.testing.assert_array_equal(frame.image, kept)

    def test_a_recording_ends_and_stays_at_its_end(self, source: FrameSource) -> None:
        """Troubleshooting: raise EndOfStream after the last frame, again and again."""
        if source.is_live:
            pytest.skip("a live source has no end")
        with source:
            source.open()
            count = 0
            with pytest.raises(EndOfStream):
                while True:
                    _read(source)
                    count += 1
            with pytest.raises(EndOfStream):
                source.read(0.1)
            if source.frame_count is not None:
                assert count + source.corrupt >= source.frame_count

    def test_closes_twice_and_unopened(self, source: FrameSource) -> None:
        """Troubleshooting: `close` is called whatever happened before."""
        source.close()
        source.close()


def _read(source: FrameSource) -> Frame:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return source.read(0.5)
        except TimeoutError:
            assert time.monotonic() < until, f"no frame in {_PATIENCE} s"
