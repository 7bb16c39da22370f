"""`dlclive distill`: trains a small network on what a large one sees, and shows how good it is."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dlclive_core.cli.argument_order import check_distill_order
from dlclive_core.cli.distill_progress import show_distillation
from dlclive_core.cli.output import complain, print_json, print_table, stdout, warn
from dlclive_core.distillation import Distances, Distilled, DistillPlan, Judgement, distill_model
from dlclive_core.distillation.judgement import MOST_MISCOUNTED
from dlclive_core.errors import ModelError
from dlclive_core.plugins.catalog import PluginCatalog

STOPPED = 130
"""Exit code after Ctrl-C, as in shells."""


def run_distill(plan: DistillPlan, *, json: bool) -> int:
    """Distill, print how good the network is, and return the exit code: 3 if it exceeds the bound, 130 after Ctrl-C."""
    catalog = PluginCatalog.installed()
    check_distill_order(str(plan.model), plan.videos, plan.out, catalog)
    try:
        with show_distillation() as report:
            distilled = distill_model(plan, report, catalog=catalog)
    except KeyboardInterrupt:
        kept = f"; {plan.folder} keeps what is done, and the same command continues" if plan.folder.exists() else ""
        complain(f"stopped before there was a network to judge{kept}")
        return STOPPED
    for notice in distilled.notices:
        warn(f"warning: {notice}")
    if json:
        print_json(distilled.to_dict())
    else:
        _print(distilled)
    if not distilled.kept:
        complain(_refusal(distilled))
        return STOPPED if distilled.interrupted else ModelError.exit_code
    if distilled.interrupted:
        warn(f"stopped after {distilled.steps} steps; the best network until then is in {distilled.target}")
        return STOPPED
    return 0


def _refusal(distilled: Distilled) -> str:
    judgement = distilled.judgement
    error = judgement.error
    if judgement.miscounts:
        return (
            f"no file was written: of {judgement.animals} animals at most, the student loses {_share(judgement.lost)}, and "
            f"{_share(judgement.hallucinated)} of those it finds are none, on {judgement.frames} frames that it has not seen; "
            f"{100 * MOST_MISCOUNTED:g} % are allowed of each; {distilled.advice}"
        )
    what = f"{error.p95_px:.2f} px from its teacher" if error.count else "not comparable"
    return (
        f"no file was written: the student is {what} at the 95th percentile on {judgement.frames} frames that it "
        f"has not seen, more than the {distilled.max_error:g} px allowed; {distilled.advice}"
    )


def _print(distilled: Distilled) -> None:
    judgement = distilled.judgement
    of_found = ", of animals that it finds" if judgement.animals > 1 else ""
    print_table(
        f"{distilled.student}: {distilled.steps} steps on {distilled.frames} frames in {distilled.seconds / 60:.1f} min, "
        f"judged on {judgement.frames} frames that it has not seen",
        ("measure", "keypoints", "median px", "p95 px", "p99 px"),
        [
            (f"distance to the teacher{of_found}", *_cells(judgement.error)),
            ("the same in frames that it does not mark", *_cells(judgement.trusted)),
        ],
    )
    for line in _lines(judgement):
        stdout().print(line, markup=False)
    print_table(
        "What its confidence is worth",
        ("confidence", "keypoints", "median px", "within 5 px"),
        [
            (f"{each.low:.1f} to {each.high:.1f}", str(each.count), _number(each.median_px), _share(each.near))
            for each in judgement.calibration
        ],
    )
    if distilled.target is not None:
        size = distilled.target.stat().st_size / 1e6
        stdout().print(f"{distilled.target} ({size:.1f} MB); working folder: {distilled.folder}", markup=False)


def _lines(judgement: Judgement) -> Iterator[str]:
    yield f"frames that it marks as unlike what it has learnt: {_share(judgement.marked)}"
    if judgement.animals > 1:
        yield f"lost, of the animals that the teacher sees: {_share(judgement.lost)}"
        yield f"hallucinated, of the animals that the student sees: {_share(judgement.hallucinated)}"
    else:
        yield f"lost, of the keypoints of which the teacher is sure: {_share(judgement.lost)}"
        yield f"hallucinated, of the keypoints that the teacher does not see: {_share(judgement.hallucinated)}"
    yield f"jitter: {_number(judgement.jitter_px)} px, the teacher's: {_number(judgement.teacher_jitter_px)} px"
    human = judgement.human
    if human is not None:
        yield (
            f"distance to people's labels on {human.points} points of {human.images} images: mean "
            f"{_number(human.student_mean_px)} px, median {_number(human.student_median_px)} px; the teacher's: mean "
            f"{_number(human.teacher_mean_px)} px, median {_number(human.teacher_median_px)} px"
        )
        if human.skipped:
            yield f"{human.skipped} labelled images could not be compared: of another size, or unreadable"


def _cells(distances: Distances) -> tuple[str, ...]:
    numbers = (distances.median_px, distances.p95_px, distances.p99_px)
    return (str(distances.count), *(_number(number) for number in numbers))


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"
