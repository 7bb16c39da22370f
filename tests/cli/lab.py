"""A plugin with components that fail, stall and hang, to test `dlclive run`. Discovered through its entry point."""

import hashlib
import time
from pathlib import Path

from dlclive_core import (
    Frame,
    Pose,
    Processor,
    ProcessorInfo,
    RuntimeInfo,
    Sink,
    SinkInfo,
    SourceError,
    SourceInfo,
    hookimpl,
)
from dlclive_core.demo.live import LiveMouse
from dlclive_core.testing import BlobModel

NAME = "lab"


class Breaking(LiveMouse):
    """A camera that is unplugged at frame `at`."""

    def __init__(self, at: int = 10) -> None:
        super().__init__()
        self.at = at

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        if frame.index >= self.at:
            raise SourceError(f"{self.name}: the cable was pulled at frame {frame.index}")
        return frame


class Unreachable(LiveMouse):
    """A camera that hangs in open; creates a file first."""

    def open(self) -> None:
        Path("opening").touch()
        time.sleep(120)


class Canary(Sink):
    """Creates a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, run) -> None:
        self.path.write_text("opened")

    def write(self, estimate) -> None:
        pass


class Full(Sink):
    """A disk that is full after five frames."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, estimate) -> None:
        self.count += 1
        if self.count > 5:
            raise OSError(28, "No space left on device")


class Stuck(Sink):
    """Hangs in finish."""

    def write(self, estimate) -> None:
        pass

    def finish(self) -> None:
        time.sleep(120)


class Picky(Processor):
    """Raises on every second pose."""

    count = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.count += 1
        if self.count % 2:
            raise ValueError("no such pose")
        return pose

    @property
    def statistics(self) -> dict[str, float]:
        return {"poses_seen": self.count}


class Computing(Processor):
    """At the tenth pose, creates a file and then computes in C, where Python runs no signal handlers."""

    count = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.count += 1
        if self.count == 10:
            Path("computing").touch()
            hashlib.pbkdf2_hmac("sha256", b"a", b"b", 200_000_000)
        return pose


@hookimpl
def dlclive_register_sources():
    return [
        SourceInfo(name="breaking", summary="", factory="lab:Breaking"),
        SourceInfo(name="unreachable", summary="", factory="lab:Unreachable"),
    ]


class Remembering(BlobModel):
    """A model that tracks an animal between images."""

    remembers = True

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()


class Quick(BlobModel):
    """A third-party model with its own file format."""

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()


@hookimpl
def dlclive_register_runtimes():
    return [
        RuntimeInfo(name="remembering", summary="", factory="lab:Remembering", reads=(".mem",)),
        RuntimeInfo(name="quick", summary="", factory="lab:Quick", reads=(".quick",)),
    ]


@hookimpl
def dlclive_register_processors():
    return [
        ProcessorInfo(name="picky", summary="", factory="lab:Picky"),
        ProcessorInfo(name="computing", summary="", factory="lab:Computing"),
    ]


@hookimpl
def dlclive_register_sinks():
    return [
        SinkInfo(name=cls.__name__.lower(), summary="", factory=f"lab:{cls.__name__}") for cls in (Canary, Full, Stuck)
    ]
