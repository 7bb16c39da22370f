"""What the training is asked for, reports and returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How to train.

    Attributes:
        minutes: when to end.
        seed: of all that is random.
        keypoints: names, K of them.
        mirrored: whether frames may be mirrored; see `mirror_holds`.
        steps: how many; None: as many as `minutes` allow.
        student: name of the network; None: the default.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        max_error: the bound that the student is held to, in pixels at the 95th percentile.
        threads: CPU threads; None: all that this process may use.
    """

    minutes: float
    seed: int
    keypoints: tuple[str, ...]
    mirrored: bool
    steps: int | None
    student: str | None
    device: str
    max_error: float
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """How far the training is.

    Attributes:
        student: name of the network.
        step, steps: the number of the present step, and how many there will be; None: not yet known.
        seconds: since the training began.
        p50_px, p95_px: distances to the teacher on a part of the training frames that is kept back; NaN before the first
            measurement.
        is_trained: the training is over, and the guard is being fitted.
        is_interrupted: the user has ended the training; the best so far is finished.
    """

    student: str
    step: int
    steps: int | None
    seconds: float
    p50_px: float
    p95_px: float
    is_trained: bool = False
    is_interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedStudent:
    """A trained network.

    Attributes:
        graph: images (B, H, W, 3) uint8 RGB to {"keypoints": (B, N, K, 3), "unlike": (B,)}, with `outputs`, the names in order;
            in eval mode on the CPU.
        size: (height, width) of the images that it takes.
        student: its name.
        steps: how many it was trained for.
        seconds: that all training took, with that of other students, and of earlier calls.
        interrupted: whether the user ended the training early (Ctrl-C).
        notices: what the user should know, one line each.
    """

    graph: nn.Module
    size: tuple[int, int]
    student: str
    steps: int
    seconds: float
    interrupted: bool
    notices: tuple[str, ...] = ()
