"""How a model is best run on one machine, and how that was found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlclive_core.profiles.machine import Machine
from dlclive_core.regions import FollowingCropSpec, Region, Resize

PROFILE_VERSION = 2
"""Version 1 said `turns` for `rotates`."""
SUFFIX = ".profile.json"


@dataclass(frozen=True, slots=True)
class Variant:
    """An exported file that is loaded in place of the model.

    Attributes:
        file: its path from the folder of the profile, with forward slashes.
        sha256: of it.
        others: (path, sha256) of files that belong to it: weights, a detector.
    """

    file: str
    sha256: str
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of the table that the choice was made from.

    Attributes:
        label: the candidate, as tables call it.
        p50_ms, p99_ms: of a call, frame in and pose out; None if it did not run.
        p95_px: what 95 of 100 keypoints keep, of those that the reference is confident of; None if it is not known, and
            infinite where more than 5 of 100 were not found.
        lost: frames in which it does not find the animal, and the reference does.
        frames: how many frames that was measured on.
        why: why it was not taken further, in one line; empty if nothing was wrong.
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
    """How a model is best run on one machine, for one user's pictures.

    Attributes:
        model: name of its file, `sha256` of it.
        machine: where it was found out.
        runtime, device, precision: as `load_model` takes them.
        options: further options of the runtime, for example {"threads": 2}.
        variant: an exported file that is loaded in place of the model.
        resize: factor of the picture that the network sees.
        follow: a window that follows the animal, cut out before.
        clip: name of the recording, `max_error` in pixels, and `goal` "p50" or "p99": what was asked for.
        created: date and time, with the zone.
        versions: of the packages, by name.
        table: what was measured; the first line is the choice.
        path: the file that it was read from; None for one that was not.
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
    table: tuple[Measured, ...] = ()
    path: Path | None = None

    def regions(self) -> tuple[Region, ...]:
        """What the network sees of a frame: new regions, for one source. Empty: the whole frame."""
        window: list[Region] = [] if self.follow is None else [self.follow.region()]
        return (*window, Resize(self.resize)) if self.resize != 1.0 else tuple(window)

    @property
    def label(self) -> str:
        """In one line: "openvino:int8:cpu at 0.5, following 256x192"; sizes are WIDTHxHEIGHT."""
        more = [f"at {self.resize:g}"] if self.resize != 1.0 else []
        if self.follow is not None:
            more.append(self.follow.label)
        more += [f"{name}={value}" for name, value in self.options.items()]
        setting = f"{self.runtime}:{self.precision}:{self.device}"
        return setting + (" " + ", ".join(more) if more else "")


def profile_path(model: Path) -> Path:
    """Where the profile of a model's file lies: mouse.onnx, mouse.profile.json."""
    return model.with_name(model.stem + SUFFIX)
