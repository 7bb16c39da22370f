"""How well a small network does a large one's job, in pixels, on frames that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

MOST_MISCOUNTED = 0.05
"""Share of animals that a student may lose, and of those it finds that may be none, where there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """Distances in pixels over `count` keypoints; NaN if there are none."""

    count: int
    median_px: float
    p95_px: float
    p99_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceBin:
    """Keypoints of which the student's confidence is at least `low` and below `high`, and of which the teacher is sure.

    Attributes:
        count: how many there are.
        median_px: their median distance to the teacher; NaN if there are none.
        near: the share of them within 5 px of the teacher; NaN if there are none.
    """

    low: float
    high: float
    count: int
    median_px: float
    near: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanErrors:
    """Distances to what people have labelled, in pixels, on the labelled points of which the teacher is sure.

    Attributes:
        project: its folder.
        images, points: how many were compared.
        skipped: labelled images that could not be: of another size than the videos, or unreadable.
    """

    project: str
    images: int
    points: int
    skipped: int
    student_mean_px: float
    student_median_px: float
    teacher_mean_px: float
    teacher_median_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A student's poses beside its teacher's, on frames that the student has not seen.

    A network is sure of a keypoint if its confidence is at least 0.6. Several animals are matched in each frame, so that the
    distances of all together are least; then an animal counts if a network is sure of one of its keypoints, and distances are
    those of matched animals.

    Attributes:
        frames: how many were compared.
        animals: how many the student finds at most.
        keypoints: all keypoints of these frames.
        error: distances to the teacher, of the keypoints of which the teacher is sure.
        trusted: the same, in frames that the student does not mark as unlike what it has learnt.
        marked: the share of frames that it marks so (`unlike` above 1).
        lost: of the keypoints of which the teacher is sure, the share of which the student is not; with several animals, the
            share of the teacher's animals that are none of the student's.
        hallucinated: of the keypoints to which the teacher gives a confidence below 0.1, the share of which the student is
            sure; with several animals, the share of the student's animals that are none of the teacher's. NaN if there are
            none.
        jitter_px, teacher_jitter_px: median length of the second difference of a keypoint's positions in successive frames,
            over those of which the teacher is sure: how much each network's poses shake.
        calibration: what the student's confidence is worth.
        human: distances to what people have labelled; None without a project.
    """

    frames: int
    keypoints: int
    error: Distances
    trusted: Distances
    marked: float
    lost: float
    hallucinated: float
    jitter_px: float
    teacher_jitter_px: float
    calibration: tuple[ConfidenceBin, ...]
    human: HumanErrors | None = None
    animals: int = 1

    def keeps_within(self, max_error: float) -> bool:
        """Whether the error at the 95th percentile is at most `max_error` pixels. False if nothing could be compared.

        With several animals, an animal that is lost has no distance; so at most 5 of 100 may be lost, and hallucinated.
        """
        return self.error.count > 0 and self.error.p95_px <= max_error and not self.miscounts

    @property
    def miscounts(self) -> bool:
        """Whether more than 5 of 100 animals are lost, or hallucinated. False for a student of one animal."""
        return self.animals > 1 and (self.lost > MOST_MISCOUNTED or self.hallucinated > MOST_MISCOUNTED)
