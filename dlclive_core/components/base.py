"""The base classes of the components that a plugin can provide.

A component's options are the keyword arguments of its constructor, with types, and with defaults where they make sense;
the command line and session files read them from the signature. The constructor validates its options and does nothing
else: `open` opens files and devices and starts threads. (A model is the exception: constructing it loads it, see
`load_model`.)

Whoever opens a component closes it. `close` is idempotent, is always called, even if `open` failed half way, and leaves
hardware in a safe state. A component is used by one thread at a time; each class below says which.
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
    """The lifecycle that all components share."""

    def close(self) -> None:
        """Release what `open` acquired. Safe to call twice, or without `open`."""

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
        source: the value for `--source`, for example "basler:serial=24060123" or "camera:0".
        name: its user-defined name, or else the manufacturer's.
        model: the manufacturer's model name.
        serial: its serial number; empty if it reports none.
    """

    source: str
    name: str
    model: str = ""
    serial: str = ""


class FrameSource(Component):
    """A source of frames. The session's capture thread calls `open`, `read` and `close`.

    Attributes:
        is_live: True for a camera or stream, whose frames arrive whether or not they are read; False for a recording,
            whose frames wait.
        name: for reports, for example the path of the file.
        frame_size: (width, height) in pixels; known after `open` if the source can tell, else None.
        fps: frames per second as the source declares them, or None.
        frame_count: total number of frames, or None if unknown.
        corrupt: damaged units of input so far (packets, images, camera buffers).
        skipped: frames so far that were overwritten by newer ones before `read` took them.
        lost: frames so far that never arrived: gaps in the camera's own frame numbers, and for an outage the number
            expected from the frame rate.
        reconnects: how often a live source disconnected and came back.
        trouble: why no frames arrive, in one line, while a live source is disconnected and reconnecting; else empty.
        notices: what is not as it was asked for or declared, one line each. The session says each once, as an event.

    `Frame.index` of a live source counts all earlier frames: read, corrupt, skipped and lost.
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
    notices: tuple[str, ...] = ()

    @classmethod
    def devices(cls) -> Sequence[Device]:
        """List the connected devices that this source can open; empty for sources without devices.

        Raises SourceError (the driver failed) or DependencyError (a library is not installed).
        """
        return ()

    def open(self) -> None:
        """Open the source. Raises SourceError (it cannot be opened) or DataError (its content is invalid)."""

    @abstractmethod
    def read(self, timeout: float) -> Frame:
        """Return the next frame. The source must not write to its image afterwards: a session copies the first frames, and all
        of a source that gives the same memory again.

        Args:
            timeout: maximum wait in seconds; a recording may ignore it.

        Raises:
            TimeoutError: no frame arrived in time; the caller may try again.
            EndOfStream: there are no more frames.
            SourceError: the source failed.
        """


class PoseModel(Component):
    """A loaded network: image in, pose out. Created by `load_model`; used by one thread at a time.

    Attributes:
        card: the facts about the model.
        runtime: the name of the runtime, for example "onnx".
        device: the device that actually runs it, checked after loading: "cpu" or "cuda:0 (NVIDIA RTX 4090)", for example.
        remembers: whether a pose depends on earlier images; if so, the images of two cameras must not be mixed.
        profile: the profile from which `load_model` took its settings and the regions of the frame; None without one.
        file: the model file that `load_model` found; None for a model that it did not load.
        loaded_file: the file that the runtime loaded: `file` itself, or the exported file that the profile names.
        dimensions: of its poses: 2; 3 for the one that a `MultiViewRig` makes of its calibration, whose poses are `Pose3D`.
        unit: of its positions.
        notices: what is not as it was asked for, one line each. A session says each once, as an event.
    """

    card: ModelCard
    runtime: str = ""
    device: str = "cpu"
    remembers: bool = False
    profile: Profile | None = None
    file: Path | None = None
    loaded_file: Path | None = None
    dimensions: int = 2
    unit: str = "px"
    notices: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """The cards of all models that may get an image of a frame, this one's first: regions must suit each."""
        return (self.card,)

    @property
    def statistics(self) -> Mapping[str, float]:
        """Counts and measurements since `reset` for the report, for example {"teacher_frames": 12}. Read after the run.

        Sessions that share a model share these: each reports those of all.
        """
        return {}

    @abstractmethod
    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """Estimate the poses of the animals in an image.

        Args:
            image: (H, W, 3) uint8 RGB or (H, W) uint8 grey.
            boxes: (N, 4) x1, y1, x2, y2 in pixels of the image: replaces the detector of a top-down model. A box exactly
                as large as the network's input is used without resampling.

        Returns:
            The pose, in pixels of the image.

        Raises:
            FrameError: the image has the wrong type or shape.
            UsageError: boxes were passed to a model that does not take them.
        """

    def predict_frame(self, frame: Frame, image: NDArray[np.uint8]) -> Pose:
        """Estimate the poses in `image`, the region of the frame that the model is to see, in pixels of the image.

        A session calls this for each single frame. By default, it is `predict`; a model that needs more of the frame than its
        image overrides it.
        """
        return self.predict(image)

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """Predict several images, in order. A runtime overrides this if a batch is faster."""
        return [self.predict(image) for image in images]

    def reset(self) -> None:
        """Forget earlier frames and counts, before images of another recording. Only some models keep any."""

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Run on a grey image of this shape, so that the first real frame is not slow."""
        image = np.full(shape, 127, dtype=np.uint8)
        for _ in range(2):
            self.predict(image)


class Processor(Component):
    """A step on the latency path between the model and the outputs: filter, predict, trigger.

    All methods are called by the thread that runs the model, which is not the one that calls `Session.run`. Only `close` may
    come from another one, after the loop's thread hung for two seconds. An exception, or a result that is not a Pose of the
    model's skeleton, stops the session.

    Attributes:
        replays: whether it may run in a replay: it takes the time from frames and from `RunInfo.clock`, and drives nothing
            where `RunInfo.is_replay`. `dlclive replay` refuses a processor that does not say so, because it might open a
            valve.
        dimensions: of the poses that it takes: (2,), pixels; (2, 3) for one that also works with `Pose3D`, because it uses
            `pose.positions` and `pose.confidence` for any number of coordinates; (3,) for one that needs them.
    """

    replays: bool = False
    dimensions: tuple[int, ...] = (2,)

    def check(self, card: ModelCard) -> None:
        """Raise what rules out a run with this model, such as a keypoint that it does not have, for `dlclive check`.

        Must be fast and open nothing. A run does not call it: `open` raises the same. By default, it accepts every model.
        """

    def open(self, run: RunInfo) -> None:
        """Open devices and files, before the first frame."""

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Return the pose for the next processor and the sinks; returning the same object is fine.

        Do not modify the arrays of `pose`, which are shared: create new ones. Every subclass has its own; `Processor()` itself
        returns the pose unchanged, as in DeepLabCut-live.
        """
        return pose

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that this processor writes, so that no two write the same one."""
        return ()

    @property
    def statistics(self) -> Mapping[str, float]:
        """Counts and measurements of this run for the report, for example {"pulses": 12}. Read after `close`."""
        return {}

    @property
    def close_limit(self) -> float:
        """Seconds that a session waits for `close`, after which it goes on without it. Longer if a file is written there."""
        return 2.0


class Sink(Component):
    """A consumer off the latency path: a file, a display, a stream. The sink's own thread calls all methods.

    A sink that raises is detached and reported; the session continues. Only `finish` gives an output file its final name, so
    a file with that name is complete.

    Attributes:
        dimensions: of the poses that it takes, as `Processor.dimensions`.
        writes_folders: whether its outputs are folders of files.
    """

    dimensions: tuple[int, ...] = (2,)
    writes_folders: bool = False

    def check(self, card: ModelCard) -> None:
        """Raise what rules out a run with this model, for `dlclive check`. As `Processor.check`."""

    def open(self, run: RunInfo) -> None:
        """Open devices and files, before the first frame. Raises OutputExistsError or DataError."""

    @abstractmethod
    def write(self, estimate: Estimate) -> None:
        """Consume one estimate. Estimates arrive in frame order."""

    def finish(self) -> None:
        """Complete the output. Called once, before `close`, if the run was complete and every estimate was handed over."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that this sink has written or is writing."""
        return ()

    @property
    def statistics(self) -> Mapping[str, float]:
        """Counts and measurements of this run for the report, for example {"messages_lost": 12}. Read after `close`."""
        return {}

    @property
    def finish_limit(self) -> float:
        """Seconds that a session waits at least for `finish`, which has half a minute. More if a long file is written there."""
        return 0.0
