"""Plots the result of tuning as SVG: latency against error, one dot per candidate."""

from __future__ import annotations

import math

from dlclive_core.cli.svg import Panel, document, line, text
from dlclive_core.tuning import SearchResult, Trial, TunePlan

WIDTH, HEIGHT = 960, 560
_PANEL = (70.0, 96.0, 600.0, 380.0)
_BLUE, _GREEN, _RED, _GREY, _INK = "#1f5fa8", "#2b8a57", "#c0392b", "#8a8f98", "#22262b"
_LABELLED = 12


def tune_picture(plan: TunePlan, result: SearchResult, machine: str) -> str:
    """Draw the plot; returns the text of an SVG file. Fast candidates are at the left, exact ones at the bottom.

    Numbers at the dots refer to the legend.
    """
    title = f"{plan.source.name} on {plan.frames.name}: latency in ms, error in px from {result.reference}"
    ran = [trial for trial in result.table if not trial.failure]
    top = 2.0 * plan.max_error
    right = 1.08 * 1000 * max(trial.time(plan.goal) for trial in ran)
    panel = Panel(*_PANEL, (0, right), (0, top))
    parts = [
        text(24, 30, title, size=17, weight="bold", colour=_INK),
        text(24, 52, f"{machine}; filled dots: finalists, measured on all frames, interleaved", colour=_INK),
        *panel.frame("95th percentile of the error", f"ms, {plan.goal}", "px"),
    ]
    limit = panel.y(plan.max_error)
    parts.append(line(panel.left, limit, panel.right, limit, colour=_RED, dash="5 4"))
    parts.append(text(panel.right, limit - 6, f"allowed: {plan.max_error:g} px", anchor="end", colour=_RED))
    labelled = ran[:_LABELLED]
    for trial in reversed(ran):
        parts += _dot(
            trial,
            panel,
            plan,
            winner=trial is result.winner,
            number=labelled.index(trial) + 1 if trial in labelled else None,
        )
    parts += _legend(labelled, result, plan, panel.right + 24)
    return document(WIDTH, HEIGHT, title, parts)


def _dot(trial: Trial, panel: Panel, plan: TunePlan, *, winner: bool, number: int | None) -> list[str]:
    error = trial.p95_px if math.isfinite(trial.p95_px) else math.inf
    x, y = panel.x(1000 * trial.time(plan.goal)), panel.y(min(error, panel.y_range[1]))
    colour = _colour(trial, plan, winner=winner)
    fill = colour if trial.final else "white"
    centre, radius = f'cx="{x:.1f}" cy="{y:.1f}"', 7 if winner else 4.5
    parts = [f'<circle {centre} r="{radius}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>']
    if number is not None:
        parts.append(text(x + 8, y - 6, str(number), size=11, colour=colour))
    return parts


def _legend(labelled: list[Trial], result: SearchResult, plan: TunePlan, left: float) -> list[str]:
    parts = []
    for index, trial in enumerate(labelled):
        y = _PANEL[1] + 4 + 32 * index
        winner = trial is result.winner
        error = f"{trial.p95_px:.2f} px" if math.isfinite(trial.p95_px) else "not found"
        lost = f", lost in {trial.lost} of {trial.frames}" if trial.lost else ""
        parts += [
            text(
                left, y, f"{index + 1}  {trial.candidate.label}", size=11, weight="bold" if winner else "normal",
                colour=_colour(trial, plan, winner=winner),
            ),
            text(left + 16, y + 13, f"{1000 * trial.time(plan.goal):.2f} ms, {error}{lost}", size=11),
        ]  # fmt: skip
    return parts


def _colour(trial: Trial, plan: TunePlan, *, winner: bool) -> str:
    if winner:
        return _GREEN
    return _BLUE if trial.is_within(plan.max_error) else _GREY
