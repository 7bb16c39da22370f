"""Devices of processors are switched off whenever their processor goes, and nothing stays open because of them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from dlclive import DLCLive

import dlclive_core
from dlclive_core import RunInfo
from dlclive_core.testing import BlobSource

from .conftest import bgr


class Valve(dlclive_core.Processor):
    """A device that is on while it is open."""

    def __init__(self, log: list[str], name: str = "valve", *, jammed: bool = False) -> None:
        self.log, self.name, self.jammed = log, name, jammed

    def open(self, run: RunInfo) -> None:
        self.log.append(f"{self.name} on")

    def process(self, pose: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return pose

    def close(self) -> None:
        self.log.append(f"{self.name} off")
        if self.jammed:
            raise dlclive_core.OutputError("the valve could not be closed")


def test_a_device_is_switched_off_when_its_processor_is_replaced(blobs: Path, source: BlobSource) -> None:
    log: list[str] = []
    live = DLCLive(blobs, "pytorch", processor=Valve(log, "first"))
    live.get_pose(bgr(source.draw(0)))
    live.processor = live.processor  # the same one stays open
    assert log == ["first on"]
    live.processor = Valve(log, "second")
    live.get_pose(bgr(source.draw(1)))
    live.processor = None
    assert log == ["first on", "first off", "second on", "second off"]


def test_a_dropped_object_switches_its_device_off(blobs: Path, source: BlobSource) -> None:
    """Also where `init_inference` was never called."""
    log: list[str] = []
    live = DLCLive(blobs, "pytorch", processor=Valve(log))
    live.get_pose(bgr(source.draw(0)))
    model = weakref.ref(live.runner.model)
    gc.disable()
    try:
        del live
        assert model() is None
    finally:
        gc.enable()
    assert log == ["valve on", "valve off"]


def test_a_device_that_cannot_be_switched_off_keeps_nothing_else_open(blobs: Path, source: BlobSource) -> None:
    class Window:
        closed = 0

        def display_frame(self, image: Any, pose: Any) -> None:
            pass

        def destroy(self) -> None:
            self.closed += 1
            raise RuntimeError("somebody has closed it")

    window = Window()
    live = DLCLive(blobs, "pytorch", processor=Valve([], jammed=True), display=window)  # type: ignore[arg-type]
    live.init_inference(bgr(source.draw(0)))
    with pytest.raises(dlclive_core.OutputError, match="could not be closed"):
        live.close()
    assert live.runner.model is None
    assert window.closed == 1
    live.processor.jammed = False
    live.close()


def test_a_device_that_cannot_be_opened_is_tried_again_with_the_next_frame(blobs: Path, source: BlobSource) -> None:
    class Busy(Valve):
        is_busy = True

        def open(self, run: RunInfo) -> None:
            if self.is_busy:
                raise dlclive_core.OutputError("the port is busy")
            super().open(run)

    busy = Busy([])
    live = DLCLive(blobs, "pytorch", processor=busy)
    for _ in range(2):
        with pytest.raises(dlclive_core.OutputError, match="busy"):
            live.get_pose(bgr(source.draw(0)))
    busy.is_busy = False
    live.get_pose(bgr(source.draw(0)))
    assert busy.log == ["valve on"]
