"""A distiller that trains nothing, for `dlclive distill` and `dlclive tune`: the name of the student says how it ends."""

import math
from collections.abc import Callable
from dataclasses import replace

from dlclive_core import ConfidenceBin, Distances, Distilled, DistillPlan, DistillProgress, HumanErrors, Judgement
from tests.students import write_student

PLANS: list[DistillPlan] = []
"""What was asked for."""
UNSEEN_FROM = 15
"""The number of the frame from which on nothing is learnt from."""


def distil(plan: DistillPlan, report: Callable[[DistillProgress], None]) -> Distilled:
    """Report twice, write a file unless the student is "bad" or "miscounting", be stopped if it is "stopped" or "killed"."""
    PLANS.append(plan)
    report(DistillProgress(stage="labelling mouse.mp4", done=0, total=20))
    plan.folder.mkdir(exist_ok=True)
    if plan.student == "killed":
        raise KeyboardInterrupt
    report(DistillProgress(stage="training good", done=3, total=7, unit="steps", p50_px=1.5, p95_px=4.25))
    kept = plan.student not in ("bad", "miscounting")
    if kept:
        plan.out.write_bytes(b"a network")
    several = plan.animals is not None
    error = Distances(count=99, median_px=0.5, p95_px=7.0 if plan.student == "bad" else 1.5, p99_px=9.0)
    nothing = Distances(count=0, median_px=math.nan, p95_px=math.nan, p99_px=math.nan)
    judgement = Judgement(
        frames=33,
        keypoints=132,
        error=error,
        trusted=nothing,
        marked=0.25,
        animals=plan.animals or 1,
        lost=0.125,
        hallucinated=0.02 if several else math.nan,
        jitter_px=0.75,
        teacher_jitter_px=1.25,
        calibration=(ConfidenceBin(low=0.6, high=0.8, count=12, median_px=2.0, near=0.5),),
        human=HumanErrors(
            project="project",
            images=5,
            points=17,
            skipped=2,
            student_mean_px=3.5,
            student_median_px=3.0,
            teacher_mean_px=2.5,
            teacher_median_px=2.0,
        ),
    )
    return Distilled(
        target=plan.out if kept else None,
        folder=plan.folder,
        student=plan.student or "good",
        frames=100,
        steps=7,
        seconds=90.0,
        interrupted=plan.student == "stopped",
        max_error=plan.max_error,
        unseen_from=(UNSEEN_FROM,) * len(plan.videos),
        judgement=judgement,
        notices=("mouse.mp4 is damaged",),
        advice="" if kept else "what helps: more videos",
    )


ENDING: list[str] = []
"""For `distil_for_tune`: the name of the student, which says how it ends."""


def distil_for_tune(plan: DistillPlan, report: Callable[[DistillProgress], None]) -> Distilled:
    """As `distil`; what it writes is a network that runs: the teacher itself, which marks bright frames."""
    distilled = distil(replace(plan, student=ENDING[0]), report)
    PLANS[-1] = plan
    if distilled.kept:
        write_student(plan.out, teacher=plan.model)
    return distilled
