"""What is known about a student: a small network that was trained for one rig, with a larger model as its teacher."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from dlclive_core.data.name_checks import check_name

MOST_VIDEOS = 1000
LONGEST_FILE_NAME = 255
MOST_COUNTED = 1 << 53
"""Frames, steps and seeds. Larger numbers do not survive readers of JSON that have floating-point numbers alone."""
MOST_PIXELS = 1 << 16

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentFacts:
    """How a student was trained, and how far its keypoints are from its teacher's. What cannot be true is a ValueError.

    A model whose card has these facts says of each frame how unlike its training the frame is (`Pose.unlike`).

    Attributes:
        teacher: the name of the teacher's file, without its folder.
        teacher_sha256: checksum of that file.
        videos: the names of the videos that it was trained on.
        student: the name of its architecture, for example "window-128".
        frames: how many frames it was trained on.
        steps: how many steps the training took.
        seed: of the training.
        median_px, p95_px, p99_px: distance [px] to the teacher's confident keypoints on frames that were held out.
        lost: share (0..1) of the teacher's confident keypoints there that the student does not find; of a student of several
            animals, of the teacher's animals.
        hallucinated: share (0..1) of the keypoints that the teacher does not find there and the student does; of a student
            of several animals, the share of its animals that are none of the teacher's.
        human_px, teacher_human_px: mean distance [px] of the student and of the teacher to keypoints that people labelled;
            None: there were none.
    """

    teacher: str
    teacher_sha256: str
    videos: tuple[str, ...]
    student: str
    frames: int
    steps: int
    seed: int
    median_px: float
    p95_px: float
    p99_px: float
    lost: float
    hallucinated: float
    human_px: float | None = None
    teacher_human_px: float | None = None

    def __post_init__(self) -> None:
        _check_file_name(self.teacher, "teacher")
        if not _DIGEST.fullmatch(self.teacher_sha256):
            raise ValueError(
                f"teacher_sha256 must be a SHA-256 in 64 hexadecimal digits, not {self.teacher_sha256[:80]!r}"
            )
        if len(self.videos) > MOST_VIDEOS:
            raise ValueError(f"videos: {len(self.videos)} names; {MOST_VIDEOS} is the most")
        for index, video in enumerate(self.videos):
            _check_file_name(video, f"videos[{index}]")
        check_name(self.student, "student")
        for name in ("frames", "steps", "seed"):
            if not 0 <= getattr(self, name) <= MOST_COUNTED:
                raise ValueError(f"{name} must be an integer from 0 to {MOST_COUNTED}, not {getattr(self, name)}")
        for name in ("median_px", "p95_px", "p99_px", "human_px", "teacher_human_px"):
            _check_number(getattr(self, name), name, MOST_PIXELS, optional=name.endswith("human_px"))
        for name in ("lost", "hallucinated"):
            _check_number(getattr(self, name), name, 1)


def _check_file_name(name: str, what: str) -> None:
    """A name alone: the folders of the computer on which a student was trained are nobody's business."""
    check_name(name, what, LONGEST_FILE_NAME)
    if "/" in name:
        raise ValueError(f"{what} must be the name of a file without its folder, not {name[:80]!r}")


def _check_number(value: float | None, name: str, most: float, *, optional: bool = False) -> None:
    if (value is None and optional) or (value is not None and math.isfinite(value) and 0 <= value <= most):
        return
    raise ValueError(f"{name} must be a number from 0 to {most}, not {value}")
