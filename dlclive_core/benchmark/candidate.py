"""One way to run a model: runtime, precision, device, and the network's view of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlclive_core.errors import UsageError
from dlclive_core.regions import Chain, Crop, FollowingCropSpec, Region, Resize, ResizeTo


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to run a model, as arguments for `load_model` and for regions. Loads nothing.

    Attributes:
        runtime, precision, device: arguments of `load_model`, explicit rather than "auto".
        path: the file that the runtime reads; candidates of one model may have files of different formats.
        resize: scale factor of the network's input.
        size: (width, height) of the network's input, in place of a factor.
        cropping: (x1, x2, y1, y2) in frame pixels, applied first.
        follow: a window that follows the animal, inside the crop.
        options: further options of `load_model`.
        student: if another network answers in place of the model, which was trained for it: its name; else empty.
    """

    runtime: str
    precision: str
    device: str
    path: Path
    resize: float = 1.0
    size: tuple[int, int] | None = None
    cropping: tuple[int, int, int, int] | None = None
    follow: FollowingCropSpec | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    student: str = ""

    def __post_init__(self) -> None:
        if self.size is not None and self.resize != 1.0:
            raise UsageError(
                f"pass a resize factor or a size, not both; got {self.resize:g} and {self.size[0]}x{self.size[1]}"
            )

    @property
    def setting(self) -> str:
        """Runtime, precision and device as on the command line: "onnx:fp32:cpu"."""
        return f"{self.runtime}:{self.precision}:{self.device}"

    @property
    def label(self) -> str:
        """The setting and all other non-default values, for tables: "onnx:fp32:cpu at 0.5"; sizes are WIDTHxHEIGHT.

        Of a student: "student window-128, onnx:fp32:cpu".
        """
        details = []
        if self.size is not None:
            details.append(f"at {self.size[0]}x{self.size[1]}")
        elif self.resize != 1.0:
            details.append(f"at {self.resize:g}")
        if self.cropping is not None:
            details.append("cropped " + ",".join(str(number) for number in self.cropping))
        if self.follow is not None:
            details.append(self.follow.label)
        details += [f"{name}={value}" for name, value in self.options.items()]
        student = f"student {self.student}, " if self.student else ""
        return student + self.setting + (" " + ", ".join(details) if details else "")

    @property
    def sees_whole_frame(self) -> bool:
        """Whether the network sees the unchanged frame."""
        return self.resize == 1.0 and self.size is None and self.cropping is None and self.follow is None

    def region(self) -> Chain:
        """New regions for the network's view: crop, window and resize, in this order."""
        regions: list[Region] = []
        if self.cropping is not None:
            regions.append(Crop(*self.cropping))
        if self.follow is not None:
            regions.append(self.follow.region())
        if self.size is not None:
            regions.append(ResizeTo(*self.size))
        elif self.resize != 1.0:
            regions.append(Resize(self.resize))
        return Chain(regions)
