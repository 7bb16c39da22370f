"""A plugin with components that fail, stall and hang: what `dlclive run` has to live with. Found by its entry point."""

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
    """A camera that is pulled off at a frame."""

    def __init__(self, at: int = 10) -> None:
        super().__init__()
        self.at = at

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        if frame.index >= self.at:
            raise SourceError(f"{self.name}: the cable was pulled at frame {frame.index}")
        return frame


class Unreachable(LiveMouse):
    """A camera whose driver does not come back from opening it; leaves a file before."""

    def open(self) -> None:
        Path("opening").touch()
        time.sleep(120)


class Canary(Sink):
    """Leaves a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, run) -> None:
        self.path.write_text("opened")

    def write(self, estimate) -> None:
        pass


class Full(Sink):
    """A disk that is full at the fifth frame."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, estimate) -> None:
        self.count += 1
        if self.count > 5:
            raise OSError(28, "No space left on device")


class Stuck(Sink):
    """Does not come back from finishing."""

    def write(self, estimate) -> None:
        pass

    def finish(self) -> None:
        time.sleep(120)


class Picky(Processor):
    """Raises at every second pose."""

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
    """Computes in C from the tenth pose on, where Python does not run signal handlers; leaves a file before."""

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
    """A model that follows an animal from image to image."""

    remembers = True

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()


class Quick(BlobModel):
    """A third party's model, read from a file of its own format."""

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
