"""The contract of frame sources."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from dlclive_core.components import FrameSource
from dlclive_core.data.frame import Frame, check_image
from dlclive_core.errors import EndOfStream
from dlclive_core.testing.contracts.base import Contract

_PATIENCE = 10.0  # seconds to wait for a frame


class FrameSourceContract(Contract):
    """Override `source` with one that has at least three frames."""

    @pytest.fixture
    def source(self) -> FrameSource:
        """Must be overridden: a new source, not opened."""
        raise NotImplementedError

    def test_frames_are_valid_images_in_order(self, source: FrameSource) -> None:
        """Troubleshooting: images are uint8 RGB or grey, `index` increases, and `captured_at` is perf_counter and monotonic."""
        with source:
            source.open()
            frames = [_read(source) for _ in range(3)]
        for frame in frames:
            assert isinstance(frame, Frame)
            check_image(frame.image)
            assert abs(time.perf_counter() - frame.captured_at) < 60
        assert all(before.index < after.index for before, after in pairwise(frames))
        assert all(a.captured_at <= b.captured_at for a, b in pairwise(frames))

    def test_declared_frame_size_is_correct(self, source: FrameSource) -> None:
        """Troubleshooting: frame_size is (width, height), numpy shapes are (height, width)."""
        with source:
            source.open()
            frame = _read(source)
            if source.frame_size is not None:
                assert frame.image.shape[:2] == source.frame_size[::-1]

    def test_reading_does_not_modify_earlier_frames(self, source: FrameSource) -> None:
        """Troubleshooting: the image is a view of a reused buffer; copy it."""
        with source:
            source.open()
            frame = _read(source)
            kept = frame.image.copy()
            _read(source)
            _read(source)
            np.testing.assert_array_equal(frame.image, kept)

    def test_a_recording_raises_end_of_stream_repeatedly(self, source: FrameSource) -> None:
        """Troubleshooting: raise EndOfStream at every read after the last frame."""
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

    def test_can_be_closed_twice_and_without_open(self, source: FrameSource) -> None:
        """Troubleshooting: `close` is called in every case, even if `open` failed or was not called."""
        source.close()
        source.close()


def _read(source: FrameSource) -> Frame:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return source.read(0.5)
        except TimeoutError:
            assert time.monotonic() < until, f"no frame in {_PATIENCE} s"
