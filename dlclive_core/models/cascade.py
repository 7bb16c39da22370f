"""A student with its teacher behind it: the student answers, and the teacher where a frame is unlike the student's training."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import Frame
from dlclive_core.data.option_checks import check_number
from dlclive_core.data.pose import Pose
from dlclive_core.data.stage_times import Stopwatch
from dlclive_core.errors import DLCLiveError, UsageError
from dlclive_core.machine.system import sha256


class Cascade(PoseModel):
    """A student that answers first, and its teacher, which answers the frames that are unlike the student's training.

    A pose of the teacher carries the student's `Pose.unlike`, so it stays marked. Such a frame takes the time of both models.

    The teacher gets its frames one by one, also those of a batch: how many a batch has is never known before, and many
    runtimes prepare anew for each number.

    Args:
        student: a model whose card has `student`.
        teacher: a model with the same keypoints and individuals.
        limit: the largest `Pose.unlike` that the student answers itself. A pose without a number goes to the teacher.
        owns_teacher: whether `close` also closes the teacher. The student is always closed.

    Attributes:
        card: of the student, as are `profile`, `file` and `loaded_file`.
        runtime, device: of both, for example "onnx + torch".
        remembers: whether either of them does.
        notices: that the student was trained by another teacher, if the teacher's file tells.

    Raises:
        UsageError: the first model is not a student, the models have other keypoints or individuals, or the limit is not
            a number above 0.
    """

    def __init__(
        self, student: PoseModel, teacher: PoseModel, limit: float = 1.0, *, owns_teacher: bool = True
    ) -> None:
        check_student(student)
        _check_same(student, teacher)
        self.limit = check_number("limit", limit, above=0)
        self.student, self.teacher = student, teacher
        self.card, self.profile = student.card, student.profile
        self.file, self.loaded_file = student.file, student.loaded_file
        self.dimensions, self.unit = student.dimensions, student.unit
        self.runtime = f"{student.runtime} + {teacher.runtime}"
        self.device = student.device if student.device == teacher.device else f"{student.device} + {teacher.device}"
        self.remembers = student.remembers or teacher.remembers
        self.notices = (*student.notices, *teacher.notices, *_other_teacher(student, teacher))
        self._owns_teacher = owns_teacher
        self._times = Times()

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """See PoseModel.cards."""
        return (*self.student.cards, *self.teacher.cards)

    @property
    def statistics(self) -> Mapping[str, float]:
        """How many images each of the two answered since `reset`, and the times of their calls in milliseconds.

        The student has seen them all: "student_frames" are those that it answered. Without calls, a time is NaN.
        """
        return {**self.student.statistics, **self.teacher.statistics, **self._times.statistics}

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """See PoseModel.predict."""
        began = time.perf_counter()
        pose = self.student.predict(image, boxes=boxes)
        self._times.student.add(time.perf_counter() - began)
        return self._answer(pose, image, None)

    def predict_frame(self, frame: Frame, image: NDArray[np.uint8]) -> Pose:
        """See PoseModel.predict_frame."""
        began = time.perf_counter()
        pose = self.student.predict_frame(frame, image)
        self._times.student.add(time.perf_counter() - began)
        return self._answer(pose, image, frame)

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """See PoseModel.predict_batch. An image that fills up a batch, the same object as another one, is answered once."""
        began = time.perf_counter()
        poses = self.student.predict_batch(images)
        seconds = (time.perf_counter() - began) / max(len(images), 1)
        answers: dict[int, Pose] = {}
        for image, pose in zip(images, poses, strict=True):
            if id(image) not in answers:
                self._times.student.add(seconds)
                answers[id(image)] = self._answer(pose, image, None)
        return [answers[id(image)] for image in images]

    def reset(self) -> None:
        """Have both forget earlier frames, and begin the statistics anew."""
        self._times = Times()
        self.student.reset()
        self.teacher.reset()

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Warm up both: the first frame for the teacher must not be slow either."""
        self.student.warmup(shape)
        with errors_of_fallback():
            self.teacher.warmup(shape)

    def close(self) -> None:
        """Close the student, and the teacher if it is owned, even if the first raises."""
        try:
            self.student.close()
        finally:
            if self._owns_teacher:
                self.teacher.close()

    def _answer(self, pose: Pose, image: NDArray[np.uint8], frame: Frame | None) -> Pose:
        """The student's pose, or the teacher's where that is beyond the limit."""
        unlike = pose.unlike
        if unlike is not None and unlike <= self.limit:
            return pose
        began = time.perf_counter()
        with errors_of_fallback():
            answer = self.teacher.predict(image) if frame is None else self.teacher.predict_frame(frame, image)
        self._times.teacher.add(time.perf_counter() - began)
        return replace(answer, skeleton=self.card.skeleton, unlike=unlike)


class Times:
    """The durations of the calls of a student and its teacher, in constant memory."""

    def __init__(self) -> None:
        self.student, self.teacher = Stopwatch("student"), Stopwatch("teacher")

    @property
    def statistics(self) -> dict[str, float]:
        """See `Cascade.statistics`."""
        student, teacher = self.student.times(), self.teacher.times()
        values: dict[str, float] = {
            "student_frames": student.count - teacher.count,
            "teacher_frames": teacher.count,
        }
        for times in (student, teacher):
            for name in ("p50_ms", "p99_ms", "max_ms"):
                values[f"{times.stage}_{name}"] = round(getattr(times, name), 3) if times.count else math.nan
        return values


def check_fallback_limit(fallback: object, limit: float) -> None:
    """Raise UsageError for a limit that is no number above 0, or that has no effect."""
    if check_number("fallback_limit", limit, above=0) != 1 and fallback is None:
        raise UsageError(
            f"fallback_limit is {limit!r}, and there is no fallback that it could be for: give both, or neither"
        )


def check_student(model: PoseModel) -> None:
    """Raise UsageError for a model that does not say which frames it cannot answer."""
    if model.card.student is None:
        name = model.card.net_type if model.file is None else model.file.name
        raise UsageError(
            f"{name} is not a student: it never says that a frame is unlike its training, so a fallback would never answer; "
            "leave the fallback out, or give the file of a student"
        )


def _check_same(student: PoseModel, teacher: PoseModel) -> None:
    """Raise UsageError where poses of one would not fit into the tables of the other."""
    ours, theirs = student.card, teacher.card
    facts = {
        "keypoints": (ours.skeleton.keypoints, theirs.skeleton.keypoints),
        "individuals": (ours.individuals, theirs.individuals),
        "unique keypoints": (ours.unique_keypoints, theirs.unique_keypoints),
        "kind of project": (_project(ours), _project(theirs)),
        "dimensions": ((str(student.dimensions),), (str(teacher.dimensions),)),
    }
    for what, (own, other) in facts.items():
        if own != other:
            name = theirs.net_type if teacher.file is None else teacher.file.name
            trainer = "" if ours.student is None else f", {ours.student.teacher}"
            raise UsageError(
                f"{name} cannot answer for this student: its {what} are {_listed(other)}, and the student's {_listed(own)}; "
                f"give the model that trained the student{trainer}"
            )


def _project(card: ModelCard) -> tuple[str, ...]:
    return ("those of several animals",) if card.multi_animal else ("those of one animal",)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return (shown or "none") + (f", ... ({len(names)})" if len(names) > 8 else "")


def _other_teacher(student: PoseModel, teacher: PoseModel) -> tuple[str, ...]:
    """What to say if the teacher is not the one that trained the student, as far as files tell."""
    facts, file = student.card.student, teacher.file
    if facts is None or file is None or facts.teacher_sha256 == teacher.card.source_sha256:
        return ()
    if any(sha256(path) == facts.teacher_sha256 for path in {file, teacher.loaded_file or file}):
        return ()
    return (
        f"{file.name} answers for the student, which was trained by another file, {facts.teacher} "
        f"(SHA-256 {facts.teacher_sha256[:12]}...): where it answers, poses may be shifted against the student's",
    )


@contextmanager
def errors_of_fallback() -> Iterator[None]:
    """Say of the errors of this block that they are the teacher's: its images may be fixed to another size, for example."""
    try:
        yield
    except DLCLiveError as error:
        raise type(error)(f"the fallback, the student's teacher: {error}") from error
