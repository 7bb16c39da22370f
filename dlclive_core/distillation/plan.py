"""What a distillation is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dlclive_core.data.option_checks import check_number, check_whole
from dlclive_core.errors import DataError, UsageError
from dlclive_core.machine.files import exists_error

SUFFIX = ".onnx"
LEAST_FRAMES = 100
"""A network that has learnt from fewer frames does not hold on others."""
MOST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillPlan:
    """The options of a distillation. Wrong ones are a UsageError.

    Attributes:
        model: the teacher: a `.pt` file, a training folder, or a DeepLabCut project with one model.
        videos: of the rig for which the network is meant; all have frames of one size.
        out: the file to write, `.onnx`.
        minutes: how long to train, preparation and judging not counted.
        max_error: largest distance to the teacher at the 95th percentile, in pixels, on frames that the network has not seen.
        seed: of the choice of frames and of the training.
        steps: of the training; None: as many as `minutes` allow.
        student: name of the small network; None: the distiller's choice.
        animals: how many animals it finds; None: as many as the teacher. Fewer make it faster.
        project: folder of the DeepLabCut project whose labelled frames judge the network, too; None: that around the model, if
            there is one.
        training_frames: how many frames to learn from.
        device: "auto", "cpu", "cuda", "cuda:1", ..., for the teacher and the training.
        threads: CPU threads of the training; None: all that this process may use.
        overwrite: whether `out` may be replaced.
    """

    model: Path
    videos: tuple[Path, ...]
    out: Path
    minutes: float = 30.0
    max_error: float = 2.0
    seed: int = 0
    steps: int | None = None
    student: str | None = None
    animals: int | None = None
    project: Path | None = None
    training_frames: int = 1500
    device: str = "auto"
    threads: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_number("minutes", self.minutes, above=0)
        check_number("max_error", self.max_error, above=0)
        check_whole("seed", self.seed, least=0, most=MOST_SEED)
        check_whole("training_frames", self.training_frames, least=LEAST_FRAMES)
        if self.steps is not None:
            check_whole("steps", self.steps, least=1)
        if self.animals is not None:
            check_whole("animals", self.animals, least=1)
        if self.threads is not None:
            check_whole("threads", self.threads, least=1)
        if self.student is not None and not self.student.strip():
            raise UsageError("student is empty; give the name of a network, or leave it out")
        if not self.videos:
            raise UsageError("no video to learn from: give those of the rig for which the network is meant")
        resolved = [video.expanduser().resolve() for video in self.videos]
        twice = next((video for place, video in enumerate(resolved) if video in resolved[:place]), None)
        if twice is not None:
            raise UsageError(
                f"{twice} is given twice: frames to learn from would be frames to judge by; give each video once"
            )

    @property
    def folder(self) -> Path:
        """Where frames, labels and the training's state are kept, so that a second call continues: `OUT.onnx.distill`."""
        return self.out.with_name(f"{self.out.name}.distill")

    def check_target(self) -> None:
        """Refuse a target before any work.

        Raises:
            UsageError: it has another suffix, or exists and may not be replaced (OutputExistsError).
            DataError: its folder does not exist.
        """
        if self.out.suffix.lower() != SUFFIX:
            raise UsageError(f"{self.out} must end in {SUFFIX}: the network is written as ONNX")
        if not self.out.parent.is_dir():
            raise DataError(f"no such folder: {self.out.parent}")
        if self.out.is_dir():
            raise UsageError(f"{self.out} is a folder: give the file to write")
        if os.path.lexists(self.out) and not self.overwrite:
            raise exists_error(self.out)
