"""The student's file: written to be judged, and moved to its place with what was measured in its card."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import onnx
from dlclive_torch.onnx_file import save_onnx, write_onnx

from dlclive_core import (
    DataError,
    DistillPlan,
    Judgement,
    ModelCard,
    OutputExistsError,
    StudentFacts,
    draft_beside,
    printable,
    take_name,
)
from dlclive_core.runtimes import CARD_KEY
from dlclive_distill.footage import Footage
from dlclive_distill.labeller import Labeller
from dlclive_distill.training.contract import TrainedStudent

_MOST_VIDEOS, _LONGEST = 1000, 255  # of a card


def write_student(trained: TrainedStudent, teacher: Labeller, path: Path) -> ModelCard:
    """Write the graph as ONNX, with a card that has the teacher's names. Raises ModelError, DataError."""
    theirs = teacher.card
    card = ModelCard(
        net_type=trained.student,
        skeleton=theirs.skeleton,
        individuals=theirs.individuals[: teacher.animals],
        multi_animal=theirs.multi_animal,
        scorer=f"{theirs.scorer}_{trained.student}",
        stride=theirs.stride,
        normalisation="none",
        input_size=trained.size,
    )
    return write_onnx(trained.graph.cpu().eval(), card, path)


def keep_student(
    plan: DistillPlan,
    path: Path,
    card: ModelCard,
    trained: TrainedStudent,
    footage: Footage,
    teacher: Labeller,
    judgement: Judgement,
) -> None:
    """Move the file to its place, with what was measured in its card.

    Raises:
        OutputExistsError: the place was taken meanwhile.
        DataError: it cannot be written.
    """
    card = card.with_(student=student_facts(plan, trained, footage, teacher, judgement))
    draft: Path | None = None
    try:
        draft = draft_beside(plan.out)
        save_onnx(onnx.load(str(path)), {CARD_KEY: card.to_json()}, draft)
        if plan.overwrite:
            draft.replace(plan.out)
        else:
            take_name(draft, plan.out)
    except FileExistsError:
        raise OutputExistsError(
            f"{plan.out} appeared while the student was trained: it is in {path}; pass --overwrite to replace"
        ) from None
    except OSError as error:
        raise DataError(f"cannot write {plan.out}: {error.strerror or error}; the student is in {path}") from None
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
    with suppress(OSError):
        path.unlink()


def student_facts(
    plan: DistillPlan, trained: TrainedStudent, footage: Footage, teacher: Labeller, judgement: Judgement
) -> StudentFacts:
    """Where the student comes from, and how good it is."""
    error, human = judgement.error, judgement.human
    people = human is not None and human.points > 0
    return StudentFacts(
        teacher=_name(plan.model),
        teacher_sha256=teacher.sha256,
        videos=tuple(_name(video) for video in plan.videos[:_MOST_VIDEOS]),
        student=trained.student,
        frames=len(footage.train),
        steps=trained.steps,
        seed=plan.seed,
        median_px=error.median_px,
        p95_px=error.p95_px,
        p99_px=error.p99_px,
        lost=0.0 if math.isnan(judgement.lost) else judgement.lost,
        hallucinated=0.0 if math.isnan(judgement.hallucinated) else judgement.hallucinated,
        human_px=human.student_mean_px if human is not None and people else None,
        teacher_human_px=human.teacher_mean_px if human is not None and people else None,
    )


def _name(path: Path) -> str:
    """The name of a file, as a card may hold it."""
    return printable(path.name).replace("/", "_")[:_LONGEST]
