"""What a distillation reports while it runs, and at its end."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.distillation.judgement import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillProgress:
    """How far a distillation is.

    Attributes:
        stage: what it does, for example "labelling mouse.mp4".
        done, total: of `unit`; total is None if it is not known.
        unit: what is counted: "frames", "steps".
        p50_px, p95_px: the present distance to the teacher on frames that are kept back from training; NaN outside training.
    """

    stage: str
    done: int = 0
    total: int | None = None
    unit: str = "frames"
    p50_px: float = math.nan
    p95_px: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """What came of a distillation.

    Attributes:
        target: the file that was written; None: the student did not keep within the bound, and there is none.
        folder: where frames, labels and the training's state remain.
        student: the network's name.
        frames: how many it has learnt from.
        steps: of its training.
        seconds: that its training took.
        interrupted: whether the user stopped the training; what was best until then was judged.
        max_error: the bound, in pixels.
        unseen_from: for each video, the number (`Frame.index`) of a frame from which on nothing was learnt from; None for a
            video without such frames.
        judgement: on frames that the student has not seen.
        notices: what the user should know, one line each: damaged videos, fewer frames than were asked for.
        advice: what helps if the bound was not kept, in one line; else empty.
    """

    target: Path | None
    folder: Path
    student: str
    frames: int
    steps: int
    seconds: float
    interrupted: bool
    max_error: float
    unseen_from: tuple[int | None, ...]
    judgement: Judgement
    notices: tuple[str, ...] = ()
    advice: str = ""

    @property
    def kept(self) -> bool:
        """Whether the student keeps within the bound, and was written."""
        return self.target is not None

    def to_dict(self) -> dict[str, Any]:
        """The result as values for JSON."""
        target = None if self.target is None else str(self.target)
        return {**asdict(self), "target": target, "folder": str(self.folder), "kept": self.kept}
