"""What a plugin can offer: the base classes of the six kinds of component.

Options are the keyword arguments of a component's constructor, typed, each with a default where one makes sense; the
command line and session files read them from the signature. A constructor checks its options and touches nothing:
files, devices and threads begin in `open` (a model is the exception: it is loaded when it is made, see `load_model`).

Whoever opens a component closes it. `close` is idempotent, is called whatever happened, also when `open` failed half
way, and leaves hardware safe. One component is used by one thread at a time; each method below says which one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from dlclive_core.data.card import ModelCard
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose

if TYPE_CHECKING:
    from dlclive_core.profiles import Profile


class Component(ABC):
    """The life that all components share."""

    def close(self) -> None:
        """Give back what was opened. Safe to call twice, or without `open`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Device:
    """One connected device, as `dlclive devices` prints it.

    Attributes:
        source: what to write after `--source`, for example "basler:serial=24060123" or "camera:0".
        name: as people know it: its user-given name, or the maker's.
        model: the maker's word for this kind.
        serial: the number of this one, empty if it does not tell.
    """

    source: str
    name: str
    model: str = ""
    serial: str = ""


class FrameSource(Component):
    """Where frames come from. `open`, `read` and `close` are called by the capture thread of a session.

    Attributes:
        is_live: True for a camera or stream, whose frames pass whether somebody looks or not; False for a recording,
            whose frames wait.
        name: for reports, for example the file's path.
        frame_size: (width, height) in pixels; known after `open` where the source can tell, else None.
        fps: frames per second as the source declares them, or None.
        frame_count: how many frames will come, or None.
        corrupt: how many pieces of the input (packets, images, a camera's buffers) came damaged so far.
        skipped: how many frames came and were overwritten by newer ones before `read` took them, so far.
        lost: how many frames never came: gaps in the camera's own numbers, and for an outage as many as the rate says.
        reconnects: how often a live source vanished and came back.
        trouble: why no frames come, in one line, while a live source has vanished and is looked for; else empty.

    A live source's `Frame.index` counts them all: the frames before this one that were read, corrupt, skipped or lost.
    """

    is_live: bool = False
    name: str = ""
    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    frame_count: int | None = None
    corrupt: int = 0
    skipped: int = 0
    lost: int = 0
    reconnects: int = 0
    trouble: str = ""

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """The devices that are connected and that this source could open; empty for sources that open none.

        Raises SourceError (the driver does not work) or DependencyError (a library is not installed).
        """
        return ()

    def open(self) -> None:
        """Begin. Raises SourceError (it cannot be opened) or DataError (it is not what it should be)."""

    @abstractmethod
    def read(self, timeout: float) -> Frame:
        """Return the next frame, its image never written to again.

        Args:
            timeout: seconds to wait at most; a recording may ignore it.

        Raises:
            TimeoutError: nothing came in time; the caller may try again.
            EndOfStream: there is no more, ever.
            SourceError: the source is broken.
        """


class PoseModel(Component):
    """A loaded network: image in, Pose out. Used by one thread at a time; made by `load_model`.

    Attributes:
        card: the facts about the model.
        runtime: the name of the runtime, for example "onnx".
        device: what really runs it, as found out after loading, for example "cpu" or "cuda:0 (NVIDIA RTX 4090)".
        remembers: whether an answer depends on the images before, so that images of two cameras must not be mixed.
        profile: how it was loaded, and what it is to see of a frame, where `load_model` took that from a profile.
        file: the model file that `load_model` found; None for a model that it did not load.
        loaded_file: the file that the runtime loaded: `file` itself, or the exported file that the profile names.
    """

    card: ModelCard
    runtime: str = ""
    device: str = "cpu"
    remembers: bool = False
    profile: Profile | None = None
    file: Path | None = None
    loaded_file: Path | None = None

    @abstractmethod
    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """Find the animals in an image.

        Args:
            image: (H, W, 3) uint8 RGB or (H, W) uint8 grey.
            boxes: (N, 4) x1, y1, x2, y2 in pixels of the image, for a top-down model, in place of its detector; one that
                is exactly as large as the network's input is looked at pixel by pixel.

        Returns:
            A pose in pixels of the image.

        Raises:
            FrameError: the image is of another type or shape.
            UsageError: boxes were given to a model that takes none.
        """

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """Find the animals in several images, in order. A runtime overrides this where together is faster."""
        return [self.predict(image) for image in images]

    def reset(self) -> None:
        """Forget earlier frames, before images of another recording come. Only models that follow animals remember any."""

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Run on a grey image of this shape, so that the first real frame is not the slow one."""
        image = np.full(shape, 127, dtype=np.uint8)
        for _ in range(2):
            self.predict(image)


class Processor(Component):
    """A step between the model and the world, on the latency path: smooth, predict, trigger.

    All methods are called by the session's own thread, the caller of `Session.run`. An exception stops the session.
    """

    def open(self, run: RunInfo) -> None:
        """Begin, before the first frame."""

    @abstractmethod
    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Take a pose and return the pose that the next processor and the sinks see; the same one is fine.

        The arrays of the given pose belong to others: make new ones, do not write into them.
        """

    @property
    def statistics(self) -> Mapping[str, float]:
        """What it counted and measured in this run, for the report: {"pulses": 12}. Asked for after `close`."""
        return {}


class Sink(Component):
    """A consumer off the latency path: files, displays, streams. All methods are called by the sink's own thread.

    A sink that raises is detached and reported; the session goes on. What a sink writes to a file appears under its
    final name only in `finish`, so that a file with that name is a whole one.
    """

    def open(self, run: RunInfo) -> None:
        """Begin, before the first frame. Raises OutputExistsError, DataError."""

    @abstractmethod
    def write(self, estimate: Estimate) -> None:
        """Take one estimate. They come in the order of the frames."""

    def finish(self) -> None:
        """Called once, before `close`, if everything that was asked for has been written."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that this sink wrote, or is writing."""
        return ()


class Exporter(Component):
    """Turns a model file of one format into another format.

    Attributes:
        calibrates: whether it finds something out on `frames` for what it writes, with its options as they are. Then
            `export_model` asks for frames, gives it three quarters of them, judges on the others, and allows what int8 is
            allowed. Precisions that are always calibrated need no such word.
    """

    calibrates: bool = False

    def check(self, card: ModelCard, *, precision: str = "fp32", size: tuple[int, int] | None = None) -> None:
        """Raise what makes an export impossible and can be known before its source is there, such as a GPU that is missing.

        `dlclive_core.export_model` asks every exporter of a way before the first one begins, so that nobody waits for a step
        that leads nowhere. It takes no time, and writes nothing; by default there is nothing to refuse.

        Args:
            card: of the file that will be the source, as far as it is known.
            precision, size: as in `export`.
        """

    @abstractmethod
    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        """Write `target` and return its card.

        `dlclive_core.export_model` calls this with a temporary target, checks the result against the source in pixels,
        and moves it into place, so an exporter only writes.

        Args:
            precision: "fp32", "fp16", ... of the weights and the arithmetic.
            size: (width, height) to fix the input to, None to leave it free.
            frames: (H, W, 3) uint8 RGB images of what the network will see, for exporters that calibrate on them; empty
                where the user gave none.
        """
