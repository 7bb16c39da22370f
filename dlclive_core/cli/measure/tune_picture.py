"""Plots the result of tuning as SVG: latency against error, one dot per candidate."""

from __future__ import annotations

import math

from dlclive_core.cli.svg import Panel, document, line, shorten, text, text_width, wrap
from dlclive_core.tuning import SearchResult, Trial, TunePlan

WIDTH, HEIGHT = 960, 600
_PANEL = (84.0, 96.0, 540.0, 420.0)
_LEGEND, _MARGIN, _SMALL, _LINE = 652, 24, 11, 14
_BLUE, _GREEN, _RED, _GREY, _INK = "#1f5fa8", "#2b8a57", "#c0392b", "#8a8f98", "#22262b"
_LABELLED = 12
_LEAST_PX = 0.01  # where the axis of errors begins; smaller ones are at its edge
_Box = tuple[float, float, float, float]


def tune_picture(plan: TunePlan, result: SearchResult, machine: str) -> str:
    """Draw the plot; returns the text of an SVG file. Fast candidates are at the left, exact ones at the bottom.

    Numbers at the dots refer to the legend. Both axes are logarithmic. A candidate that loses keypoints is at the top.
    """
    title = f"{plan.source.name} on {plan.frames.name}: latency, and error from {result.reference}"
    ran = [trial for trial in result.table if not trial.failure]
    panel = _panel(ran, plan)
    about = f"{machine}; filled dots: finalists, measured on all frames, interleaved"
    parts = [
        text(_MARGIN, 30, shorten(title, WIDTH - 2 * _MARGIN, 17, "bold"), size=17, weight="bold", colour=_INK),
        text(_MARGIN, 52, shorten(about, WIDTH - 2 * _MARGIN), colour=_INK),
        *panel.frame("", f"latency, {plan.goal} [ms]", "95th percentile of the error [px]"),
    ]
    limit = panel.y(plan.max_error)
    allowed = f"allowed: {plan.max_error:g} px"
    parts.append(line(panel.left, limit, panel.right, limit, colour=_RED, dash="5 4"))
    parts.append(text(panel.right - 4, limit - 6, allowed, anchor="end", colour=_RED, backed=True))
    taken: list[_Box] = [(panel.right - 4 - text_width(allowed, 12), limit - 18, panel.right, limit - 2)]
    if any(not math.isfinite(trial.p95_px) for trial in ran):
        at_top = "top edge: keypoints are not found"
        parts.append(text(panel.left, panel.top - 16, at_top, colour=_GREY))
        taken.append((panel.left, panel.top - 28, panel.left + text_width(at_top, 12), panel.top - 13))
    labelled = ran[:_LABELLED]
    for trial in reversed(ran):
        parts.append(_dot(trial, panel, plan, winner=trial is result.winner))
    for number, trial in enumerate(labelled, 1):
        colour = _colour(trial, plan, winner=trial is result.winner)
        parts += _number(str(number), panel.x(1000 * trial.time(plan.goal)), _row(trial, panel), colour, taken)
    legend, bottom = _legend(labelled, result, plan)
    return document(WIDTH, max(HEIGHT, math.ceil(bottom) + _MARGIN), title, [*parts, *legend])


def _panel(ran: list[Trial], plan: TunePlan) -> Panel:
    """All times and errors are inside: where one is far from the others, a linear axis would squeeze or lose them."""
    times = [1000 * trial.time(plan.goal) for trial in ran]
    errors = [trial.p95_px for trial in ran if math.isfinite(trial.p95_px)]
    top = 1.5 * max([*errors, 2 * plan.max_error])
    return Panel(*_PANEL, (min(times) / 1.3, max(times) * 1.3), (min(_LEAST_PX, plan.max_error / 10), top), is_log=True)


def _row(trial: Trial, panel: Panel) -> float:
    return panel.y(trial.p95_px if math.isfinite(trial.p95_px) else panel.y_range[1])


def _dot(trial: Trial, panel: Panel, plan: TunePlan, *, winner: bool) -> str:
    x, y = panel.x(1000 * trial.time(plan.goal)), _row(trial, panel)
    colour = _colour(trial, plan, winner=winner)
    fill = colour if trial.final else "white"
    radius = 7 if winner else 4.5
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def _number(number: str, x: float, y: float, colour: str, taken: list[_Box]) -> list[str]:
    """The number of a dot, in the nearest free place around it, with a line to the dot if that is not beside it."""
    width = text_width(number, _SMALL)
    for distance in range(8, 120, 10):
        for turn in range(8):
            angle = math.pi * (turn / 4 - 0.25)
            left, base = x + distance * math.cos(angle), y + distance * math.sin(angle) + 4
            left -= width if math.cos(angle) < -0.1 else width / 2 if abs(math.cos(angle)) < 0.1 else 0
            box = (left - 1, base - _SMALL, left + width + 1, base + 3)
            inside = box[0] > _PANEL[0] and box[2] < _PANEL[0] + _PANEL[2] + 20 and box[1] > 60
            if inside and base < _PANEL[1] + _PANEL[3] and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                lead = [line(x, y, left + width / 2, base - 4, colour=colour)] if distance > 8 else []
                return [*lead, text(left, base, number, size=_SMALL, colour=colour, backed=distance > 8)]
    return []


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _legend(labelled: list[Trial], result: SearchResult, plan: TunePlan) -> tuple[list[str], float]:
    """The legend, and the row of its end."""
    parts: list[str] = []
    y = _PANEL[1] + 4
    for index, trial in enumerate(labelled):
        winner = trial is result.winner
        weight = "bold" if winner else "normal"
        error = f"{trial.p95_px:.2f} px" if math.isfinite(trial.p95_px) else "not found"
        lost = f", lost in {trial.lost} of {trial.frames}" if trial.lost else ""
        parts.append(text(_LEGEND + 16, y, str(index + 1), anchor="end", size=_SMALL, weight=weight))
        for name in wrap(trial.candidate.label, WIDTH - _MARGIN - _LEGEND - 24, _SMALL, weight):
            colour = _colour(trial, plan, winner=winner)
            parts.append(text(_LEGEND + 24, y, name, size=_SMALL, weight=weight, colour=colour))
            y += _LINE
        parts.append(text(_LEGEND + 24, y, f"{1000 * trial.time(plan.goal):.2f} ms, {error}{lost}", size=_SMALL))
        y += _LINE + 6
    return parts, y


def _colour(trial: Trial, plan: TunePlan, *, winner: bool) -> str:
    if winner:
        return _GREEN
    return _BLUE if trial.is_within(plan.max_error) else _GREY
