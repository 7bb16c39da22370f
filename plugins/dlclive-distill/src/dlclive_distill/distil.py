"""From a plan to a student: footage, training, the file, the judgement, and the bound that it must keep."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    Distilled,
    DistillPlan,
    DistillProgress,
    DLCLiveError,
    FileLock,
    Judgement,
    ModelError,
    OutputExistsError,
    load_model,
)
from dlclive_core.runtimes import BottomUpModel
from dlclive_distill.footage import Footage, is_chosen, label_varied, prepare_footage
from dlclive_distill.human_labels import HumanLabels, find_labels
from dlclive_distill.judging import Predict, judge
from dlclive_distill.labeller import Labeller, open_teacher
from dlclive_distill.mirror import mirror_holds
from dlclive_distill.student_file import keep_student, write_student
from dlclive_distill.training import train
from dlclive_distill.training.contract import TrainedStudent, TrainingProgress, TrainingSettings
from dlclive_distill.training.family import student_kind
from dlclive_distill.training.several import check_windowed

Report = Callable[[DistillProgress], None]
Train = Callable[[Footage, TrainingSettings, Path, Callable[[TrainingProgress], None]], TrainedStudent]

DRAFT = "student.onnx"
"""The file in the working folder that is judged; it stays there if it is not within the bound."""


def distil(plan: DistillPlan, report: Report) -> Distilled:
    """Train a student as `DistillPlan` says; see `dlclive_core.distill_model`."""
    return distil_with(plan, report, train)


def distil_with(plan: DistillPlan, report: Report, train: Train) -> Distilled:
    """As `distil`, with another training."""
    teacher = open_teacher(plan.model, plan.device, plan.animals)
    if plan.student is not None:
        check_windowed(student_kind(plan.student), teacher.animals)
    human = find_labels(plan.model, teacher.card, plan.project)
    is_new = not plan.folder.exists()
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(plan.folder / "lock")
        is_ours = lock.acquire()
    except OSError as error:
        raise DataError(f"cannot write into {plan.folder}: {error.strerror}") from None
    if not is_ours:
        raise OutputExistsError(f"another process works in {plan.folder}: wait for it, or give another OUT")
    is_refused = False
    try:
        return _distil(plan, teacher, human, report, train)
    except DLCLiveError:
        is_refused = is_new and not is_chosen(plan.folder)
        raise
    finally:
        lock.release()
        if is_refused:  # before anything was labelled: there is nothing to continue
            shutil.rmtree(plan.folder, ignore_errors=True)


def _distil(plan: DistillPlan, teacher: Labeller, human: HumanLabels | None, report: Report, train: Train) -> Distilled:
    footage = prepare_footage(
        plan.videos, teacher, plan.folder, count=plan.training_frames, seed=plan.seed, report=report
    )
    mirrored = mirror_holds(teacher, footage.train)
    varied = label_varied(
        footage,
        teacher,
        plan.folder,
        minutes=plan.minutes,
        seed=plan.seed,
        mirrored=mirrored,
        whole=plan.student is not None and not student_kind(plan.student).windowed,
        report=report,
    )
    footage = replace(footage, varied=varied)
    settings = _settings(plan, teacher, mirrored=mirrored)
    trained = train(footage, settings, _training_folder(plan), lambda now: report(_progress(now)))
    report(DistillProgress(stage=f"writing {trained.student}"))
    draft = plan.folder / DRAFT
    card = write_student(trained, teacher, draft)
    judgement = _judge(draft, footage, human, teacher, report)
    kept = judgement.keeps_within(plan.max_error)
    if kept:
        keep_student(plan, draft, card, trained, footage, teacher, judgement)
    return Distilled(
        target=plan.out if kept else None,
        folder=plan.folder,
        student=trained.student,
        frames=len(footage.train),
        steps=trained.steps,
        seconds=trained.seconds,
        interrupted=trained.interrupted,
        max_error=plan.max_error,
        unseen_from=footage.unseen_from,
        judgement=judgement,
        notices=(*teacher.notices, *footage.notices, *trained.notices),
        advice="" if kept else _advice(plan, footage, judgement),
    )


def _settings(plan: DistillPlan, teacher: Labeller, *, mirrored: bool) -> TrainingSettings:
    return TrainingSettings(
        minutes=plan.minutes,
        seed=plan.seed,
        keypoints=teacher.card.skeleton.keypoints,
        mirrored=mirrored,
        steps=plan.steps,
        student=plan.student,
        device=plan.device,
        max_error=plan.max_error,
        threads=plan.threads,
    )


def _training_folder(plan: DistillPlan) -> Path:
    folder = plan.folder / "training"
    folder.mkdir(exist_ok=True)
    return folder


def _progress(now: TrainingProgress) -> DistillProgress:
    if now.is_interrupted:
        return DistillProgress(
            stage=f"stopping after {now.step} steps: the best so far is judged, which takes minutes; press Ctrl-C again to quit"
        )
    if now.is_trained:
        return DistillProgress(stage="learning which frames are unlike the training")
    return DistillProgress(
        stage=f"training {now.student}",
        done=now.step,
        total=now.steps,
        unit="steps",
        p50_px=now.p50_px,
        p95_px=now.p95_px,
    )


def _judge(draft: Path, footage: Footage, human: HumanLabels | None, teacher: Labeller, report: Report) -> Judgement:
    def show(done: int, total: int) -> None:
        report(DistillProgress(stage="judging", done=done, total=total))

    with load_model(draft, device="cpu", profile=None) as model:
        if not isinstance(model, BottomUpModel):
            raise ModelError(
                f"{draft} is not a network that finds animals in whole frames: the training made another one"
            )
        return judge(_predictor(model), footage.held_out, human, teacher, show)


def _predictor(model: BottomUpModel) -> Predict:
    def predict(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        outputs = model.network.run(image[None])
        unlike = outputs.get("unlike")
        return outputs["keypoints"][0], 0.0 if unlike is None else float(np.ravel(unlike)[0])

    return predict


def _advice(plan: DistillPlan, footage: Footage, judgement: Judgement) -> str:
    """What helps, in one line."""
    sees_nothing = math.isnan(judgement.lost)  # a student that loses all animals has no distances either
    if sees_nothing:
        return "the teacher is sure of nothing in the frames that are held out: give videos that show the animal to their end"
    helps = [f"the same command with more --minutes continues (now {plan.minutes:g})"]
    if len(footage.train) < plan.training_frames or len(plan.videos) < 2:
        helps.append("more videos of the rig")
    helps.append("a larger --student")
    if judgement.trusted.p95_px <= plan.max_error and not judgement.miscounts:
        helps.append(f"in frames that it does not mark it is within {judgement.trusted.p95_px:.2f} px")
    return "what helps: " + "; ".join(helps)
