"""The fastest way to run a model on one machine, and the measurements behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlclive_core.profiles.machine import Machine
from dlclive_core.regions import FollowingCropSpec, Region, Resize

PROFILE_VERSION = 3
"""Version 1 had `turns` in place of `rotates`, and labels with sizes as HEIGHTxWIDTH; before 3 there were no students."""
SUFFIX = ".profile.json"


@dataclass(frozen=True, slots=True)
class Variant:
    """A file that is loaded in place of the model: the same network, exported, or a student that was trained for it.

    Attributes:
        file: path relative to the profile's folder, with forward slashes.
        sha256: hash of the file.
        others: (path, sha256) of the files that belong to it, such as weights or a detector.
        student: the name of the student's network; empty for the model's own, exported.
    """

    file: str
    sha256: str
    others: tuple[tuple[str, str], ...] = ()
    student: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row of the table of measurements.

    Attributes:
        label: the candidate, as in tables; sizes are WIDTHxHEIGHT.
        p50_ms, p99_ms: median and 99th percentile of a call, from frame to pose; None if it did not run.
        p95_px: 95th percentile of the error over the reference's confident keypoints; None if unknown, infinite if more than
            5 % of them are missing.
        lost: frames in which the reference finds the animal and this candidate does not.
        frames: number of frames measured.
        why: why it was rejected, in one line; empty if it was not.
    """

    label: str
    p50_ms: float | None = None
    p99_ms: float | None = None
    p95_px: float | None = None
    lost: int = 0
    frames: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The fastest way to run a model on one machine, for one user's recordings.

    Attributes:
        model: name of the model's file, `sha256` its hash.
        machine: the machine of the measurement.
        runtime, device, precision: as `load_model` takes them.
        options: further options of the runtime, for example {"threads": 2}.
        variant: an exported file, or a student's, that is loaded in place of the model.
        resize: scale factor of the network's input.
        follow: a window that follows the animal, applied before the resize.
        clip: name of the recording, `max_error` in pixels, and `goal` "p50" or "p99": the options of `dlclive tune`.
        created: date and time with the time zone.
        versions: package versions by name.
        table: the measurements; the first row is the winner.
        path: the file of the profile; None if it was not read from a file.
    """

    model: str
    sha256: str
    machine: Machine
    runtime: str
    device: str
    precision: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    variant: Variant | None = None
    resize: float = 1.0
    follow: FollowingCropSpec | None = None
    clip: str = ""
    max_error: float | None = None
    goal: str = "p50"
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    table: tuple[TableRow, ...] = ()
    path: Path | None = None

    def regions(self) -> tuple[Region, ...]:
        """New regions for one source: the network's view of a frame. Empty for the whole frame."""
        window: list[Region] = [] if self.follow is None else [self.follow.region()]
        return (*window, Resize(self.resize)) if self.resize != 1.0 else tuple(window)

    @property
    def student(self) -> str:
        """The name of the student that answers in place of the model; empty if the model answers itself."""
        return "" if self.variant is None else self.variant.student

    @property
    def label(self) -> str:
        """One line, for example "openvino:int8:cpu at 0.5, following 256x192"; sizes are WIDTHxHEIGHT.

        Of a student: "student window-128, onnx:fp32:cpu".
        """
        details = [f"at {self.resize:g}"] if self.resize != 1.0 else []
        if self.follow is not None:
            details.append(self.follow.label)
        details += [f"{name}={value}" for name, value in self.options.items()]
        student = f"student {self.student}, " if self.student else ""
        setting = f"{student}{self.runtime}:{self.precision}:{self.device}"
        return setting + (" " + ", ".join(details) if details else "")


def profile_path(model: Path) -> Path:
    """The path of a model's profile: mouse.profile.json beside mouse.onnx."""
    return model.with_name(model.stem + SUFFIX)
