"""The course of a training: which student, how many steps, measured in between, kept on disk, ended by Ctrl-C."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from dlclive_torch.device import resolve_device
from numpy.typing import NDArray

from dlclive_core.runtimes import usable_cores
from dlclive_distill.animal import LEAST, fills, window_side
from dlclive_distill.footage import Footage
from dlclive_distill.matching import reach_of
from dlclive_distill.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from dlclive_distill.training.clock import StepClock
from dlclive_distill.training.contract import TrainedStudent, TrainingProgress, TrainingSettings
from dlclive_distill.training.family import FAMILY, StudentKind, student_kind, usual_kind
from dlclive_distill.training.footing import Footing
from dlclive_distill.training.guard_fitting import fit_guard
from dlclive_distill.training.samples import thumbnails_of
from dlclive_distill.training.several import check_windowed
from dlclive_distill.training.trainer import Batch, Trainer, distances

KEPT_BACK = 0.08  # of the training frames, the last ones: they show how far a student is, and fit its guard
_LEAST_KEPT_BACK, _MOST_KEPT_BACK = 8, 160
_MEASURED = 48  # of these, each time
_HEAT = 0.12  # of the steps: after them, a student must promise to come within the bound
SHORTEST_CHOICE = 8.0
"""Minutes: in less, the share of a student is under a minute, and shows nothing."""
_PROMISE = 1.5  # times the bound
_SAVED_EVERY, _MEASURED_EVERY = 60.0, 30.0  # seconds
_NETWORKS = 2  # rises when the networks of the family change
_AHEAD = 3  # batches that are drawn while others are trained on

Report = Callable[[TrainingProgress], None]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all students of a training share."""

    footing: Footing
    thumbnails: NDArray[np.uint8]
    kept_back: NDArray[np.int64]
    window: int
    reach: float
    device: torch.device


def train(footage: Footage, settings: TrainingSettings, folder: Path, report: Report) -> TrainedStudent:
    """Train a student on the teacher's frames; see `TrainingSettings`.

    Without a name in the settings, the family is tried from the fastest to the most exact: each has an eighth of the steps, and
    the first whose error promises to come within the bound is trained on. If none does, it is the one with the least error. In
    too few minutes for that, the usual one is trained.
    In `folder` lies the state of each, and a training with the same settings goes on from there.

    Raises:
        UsageError: an unknown student or device, or a student of one animal where there are several.
        KeyboardInterrupt: before there was a student. Later it ends the training, and the best so far is returned.
    """
    kinds = [student_kind(settings.student)] if settings.student else _fitting(footage)
    notices: tuple[str, ...] = ()
    if len(kinds) > 1 and not settings.steps and settings.minutes < SHORTEST_CHOICE:
        kinds = [usual_kind(kinds)]
        notices = (
            f"{settings.minutes:g} minutes are too few to try several students, and {SHORTEST_CHOICE:g} are needed: "
            f"{kinds[0].name} is trained; another is chosen with --student",
        )
    for kind in kinds:
        check_windowed(kind, footage.train.keypoints.shape[1])
    ground = _ground(footage, settings)
    torch.set_num_threads(settings.threads or usable_cores())
    with _one_thread_each():
        course = _Course(footage, settings, folder, ground, report)
        trainer, interrupted = course.choose(kinds)
        if not interrupted:
            interrupted = course.run(trainer, 1.0)
        return replace(course.trained(trainer, interrupted=interrupted), notices=notices)


class _Course:
    def __init__(
        self, footage: Footage, settings: TrainingSettings, folder: Path, ground: _Ground, report: Report
    ) -> None:
        self._footage, self._settings, self._folder, self._ground, self._report = (
            footage,
            settings,
            folder,
            ground,
            report,
        )
        self._step: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._planned: dict[str, int] = {}  # steps, by an earlier run of as many minutes
        self._error: dict[str, tuple[float, float]] = {}
        self._noted: dict[str, int] = {}  # the step of the last row of each curve
        self._elsewhere = 0.0  # seconds for students that were given up

    def choose(self, kinds: list[StudentKind]) -> tuple[Trainer, bool]:
        """The student to train on, and whether the user ended the training before it was chosen."""
        heats: list[Trainer] = []
        for kind in kinds:
            trainer = self._begin(kind)
            if len(kinds) == 1:
                return trainer, False
            try:
                interrupted = self.run(trainer, _HEAT)
                heats.append(trainer)
            except KeyboardInterrupt:  # before its first step: those before it are still there
                if not heats:
                    raise
                interrupted = True
            if interrupted or self._error[kind.name][1] <= _PROMISE * self._settings.max_error:
                break
            self._elsewhere = sum(self._seconds.values())
        best = min(heats, key=lambda trainer: self._error[trainer.kind.name][1])
        chosen = heats[-1] if not interrupted and self._promises(heats[-1]) else best
        self._elsewhere = sum(seconds for name, seconds in self._seconds.items() if name != chosen.kind.name)
        return chosen, interrupted

    def trained(self, trainer: Trainer, *, interrupted: bool) -> TrainedStudent:
        """The student, with its guard."""
        student = copy.deepcopy(trainer.average).cpu().eval()
        self._tell(trainer, self._step[trainer.kind.name], is_trained=True)
        fit_guard(student, self._ground.footing, self._ground.kept_back, seed=self._settings.seed)
        student.merge_averaging()
        return TrainedStudent(
            graph=student,
            size=student.size,
            student=trainer.kind.name,
            steps=self._step[trainer.kind.name],
            seconds=sum(self._seconds.values()),
            interrupted=interrupted,
        )

    def run(self, trainer: Trainer, share: float) -> bool:
        """Train up to a share of all steps; return whether the user ended it."""
        name, settings = trainer.kind.name, self._settings
        step = self._step[name]
        steps = settings.steps or self._planned.get(name)
        clock = StepClock(settings.minutes - self._elsewhere / 60, steps, self._seconds[name])
        measured = saved = time.monotonic()
        try:
            with _drawn_ahead(trainer, step) as batches:
                while not _is_over(clock, step, share):
                    clock.note_step(step)
                    trainer.step(step, clock.steps or step + 1000, next(batches))
                    step = self._step[name] = step + 1
                    self._seconds[name] = clock.seconds
                    now = time.monotonic()
                    if now - measured >= _MEASURED_EVERY:
                        self._measure(trainer)
                        measured = time.monotonic()
                    if now - saved >= _SAVED_EVERY:
                        self._save(trainer, clock)
                        saved = now
                    self._tell(trainer, clock.steps)
        except KeyboardInterrupt:
            if not step:
                raise
            interrupted = True
            self._tell(trainer, clock.steps, is_interrupted=True)
        else:
            interrupted = False
        self._measure(trainer)
        self._save(trainer, clock)
        if not interrupted:
            self._tell(trainer, clock.steps)
        return interrupted

    def _begin(self, kind: StudentKind) -> Trainer:
        """A new student; or one that an earlier run has begun."""
        ground = self._ground
        trainer = Trainer(
            kind, ground.window, ground.footing, ground.thumbnails, seed=self._settings.seed, device=ground.device
        )
        self._step[kind.name] = self._noted[kind.name] = 0
        self._seconds[kind.name] = 0.0
        self._error[kind.name] = (float("nan"), float("inf"))
        kept = load_checkpoint(self._file(kind))
        if kept is not None and kept[0].seed == self._settings.seed and kept[0].footage == self._key():
            state, tensors = kept
            trainer.load(tensors)
            self._step[kind.name] = self._noted[kind.name] = state.step  # its rows are there
            self._seconds[kind.name] = state.seconds
            if state.steps and state.minutes == self._settings.minutes:
                self._planned[kind.name] = state.steps
            self._measure(trainer)
        else:
            self._curve(kind).unlink(missing_ok=True)  # of another training
        return trainer

    def _promises(self, trainer: Trainer) -> bool:
        return self._error[trainer.kind.name][1] <= _PROMISE * self._settings.max_error

    def _measure(self, trainer: Trainer) -> None:
        frames, kept = self._footage.train, self._ground.kept_back
        some = kept[:: max(1, len(kept) // _MEASURED)]
        student = copy.deepcopy(trainer.average).cpu()
        apart = distances(student, frames.frames[some], frames.keypoints[some], self._ground.reach)
        p50, p95 = np.quantile(apart, (0.5, 0.95)) if len(apart) else (float("nan"), float("inf"))
        self._error[trainer.kind.name] = (float(p50), float(p95))
        if self._noted[trainer.kind.name] < self._step[trainer.kind.name]:
            self._note_error(trainer.kind)

    def _note_error(self, kind: StudentKind) -> None:
        """Add to the curve of error against time, which shows whether more of it would help."""
        self._noted[kind.name] = self._step[kind.name]
        file = self._curve(kind)
        header = "" if file.exists() else "step,seconds,p50_px,p95_px\n"
        p50, p95 = self._error[kind.name]
        with file.open("a", encoding="utf-8") as curve:
            curve.write(f"{header}{self._step[kind.name]},{self._seconds[kind.name]:.1f},{p50:.3f},{p95:.3f}\n")

    def _save(self, trainer: Trainer, clock: StepClock) -> None:
        name = trainer.kind.name
        state = TrainingState(
            student=name,
            seed=self._settings.seed,
            minutes=self._settings.minutes,
            steps=clock.steps or 0,
            step=self._step[name],
            seconds=self._seconds[name],
            footage=self._key(),
        )
        save_checkpoint(self._file(trainer.kind), state, trainer.tensors())

    def _tell(
        self, trainer: Trainer, steps: int | None, *, is_trained: bool = False, is_interrupted: bool = False
    ) -> None:
        name = trainer.kind.name
        p50, p95 = self._error[name]
        self._report(
            TrainingProgress(
                student=name,
                step=self._step[name],
                steps=steps,
                seconds=self._elsewhere + self._seconds[name],
                p50_px=p50,
                p95_px=p95 if np.isfinite(p95) else float("nan"),
                is_trained=is_trained,
                is_interrupted=is_interrupted,
            )
        )

    def _file(self, kind: StudentKind) -> Path:
        return self._folder / f"{kind.name}.safetensors"

    def _curve(self, kind: StudentKind) -> Path:
        return self._folder / f"{kind.name}.csv"

    def _key(self) -> str:
        """The networks and the frames that they are trained on, as text: a state of others is not gone on from."""
        frames = self._footage.train
        return f"{_NETWORKS} {frames.frames.shape} {float(np.nansum(frames.keypoints, dtype=np.float64)):.3f}"


def _is_over(clock: StepClock, step: int, share: float) -> bool:
    """Whether a share of the steps is done. Their number is known after the first few."""
    if clock.steps is None:
        return False
    return step >= share * clock.steps


def _fitting(footage: Footage) -> list[StudentKind]:
    """The family, but for windows that are as large as the frame; of several animals, each needs a window."""
    _, height, width, _ = footage.train.frames.shape
    if footage.train.keypoints.shape[1] > 1:
        return [kind for kind in FAMILY if kind.windowed]
    window = window_side(footage.train.keypoints, 32)
    return [kind for kind in FAMILY if not kind.windowed or not fills(window, width, height)]


def _ground(footage: Footage, settings: TrainingSettings) -> _Ground:
    frames = footage.train
    count = len(frames.frames)
    kept = int(np.clip(KEPT_BACK * count, min(_LEAST_KEPT_BACK, count // 2), _MOST_KEPT_BACK))
    parts = (frames, *footage.varied)
    of_one = np.arange(count - kept)  # what is made of frames that are kept back is kept back, too
    indices = np.concatenate([of_one + count * number for number in range(len(parts))])
    footing = Footing.of(parts, footage.stride, footage.grid, indices, settings.keypoints, mirrored=settings.mirrored)
    window = window_side(frames.keypoints, footage.grid or 32)
    return _Ground(
        footing,
        thumbnails_of(parts),
        np.arange(count - kept, count),
        window,
        reach_of(frames.keypoints, LEAST),
        resolve_device(settings.device),
    )


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Pictures are drawn in a thread of their own, so OpenCV needs none."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


@contextmanager
def _drawn_ahead(trainer: Trainer, first: int) -> Iterator[Iterator[Batch]]:
    """The batches from a step on, drawn by another thread."""
    with ThreadPoolExecutor(1, "dlclive-distill") as pool:

        def batches() -> Iterator[Batch]:
            waiting = [pool.submit(trainer.draw, first + ahead) for ahead in range(_AHEAD)]
            step = first + _AHEAD
            while True:
                yield waiting.pop(0).result()
                waiting.append(pool.submit(trainer.draw, step))
                step += 1

        yield batches()
