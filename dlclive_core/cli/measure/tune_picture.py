"""What was tuned as a picture: speed against error, each candidate a dot."""

from __future__ import annotations

import math

from dlclive_core.cli.svg import Panel, document, line, text
from dlclive_core.tuning import SearchResult, Trial, TunePlan

WIDTH, HEIGHT = 960, 560
_PANEL = (70.0, 96.0, 600.0, 380.0)
_BLUE, _GREEN, _RED, _GREY, _INK = "#1f5fa8", "#2b8a57", "#c0392b", "#8a8f98", "#22262b"
_NAMED = 12


def tune_picture(plan: TunePlan, found: SearchResult, machine: str) -> str:
    """The picture as text of an SVG file. To the left is fast, below is exact; what runs is named beside it by numbers."""
    title = f"{plan.source.name} on {plan.frames.name}: latency in ms, error in px from {found.reference}"
    ran = [one for one in found.table if not one.failure]
    top = 2.0 * plan.max_error
    right = 1.08 * 1000 * max(one.time(plan.goal) for one in ran)
    panel = Panel(*_PANEL, (0, right), (0, top))
    parts = [
        text(24, 30, title, size=17, weight="bold", colour=_INK),
        text(24, 52, f"{machine}; filled dots: finalists, measured on all frames, interleaved", colour=_INK),
        *panel.frame("error at the 95th percentile", f"ms, {plan.goal}", "px"),
    ]
    limit = panel.y(plan.max_error)
    parts.append(line(panel.left, limit, panel.right, limit, colour=_RED, dash="5 4"))
    parts.append(text(panel.right, limit - 6, f"allowed: {plan.max_error:g} px", anchor="end", colour=_RED))
    named = ran[:_NAMED]
    for one in reversed(ran):
        parts += _dot(
            one, panel, plan, chosen=one is found.chosen, number=named.index(one) + 1 if one in named else None
        )
    parts += _legend(named, found, plan, panel.right + 24)
    return document(WIDTH, HEIGHT, title, parts)


def _dot(one: Trial, panel: Panel, plan: TunePlan, *, chosen: bool, number: int | None) -> list[str]:
    error = one.p95_px if math.isfinite(one.p95_px) else math.inf
    x, y = panel.x(1000 * one.time(plan.goal)), panel.y(min(error, panel.y_range[1]))
    colour = _colour(one, plan, chosen=chosen)
    fill = colour if one.final else "white"
    place, radius = f'cx="{x:.1f}" cy="{y:.1f}"', 7 if chosen else 4.5
    parts = [f'<circle {place} r="{radius}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>']
    if number is not None:
        parts.append(text(x + 8, y - 6, str(number), size=11, colour=colour))
    return parts


def _legend(named: list[Trial], found: SearchResult, plan: TunePlan, left: float) -> list[str]:
    parts = []
    for place, one in enumerate(named):
        y = _PANEL[1] + 4 + 32 * place
        chosen = one is found.chosen
        error = f"{one.p95_px:.2f} px" if math.isfinite(one.p95_px) else "not found"
        lost = f", lost in {one.lost} of {one.frames}" if one.lost else ""
        parts += [
            text(
                left, y, f"{place + 1}  {one.candidate.label}", size=11, weight="bold" if chosen else "normal",
                colour=_colour(one, plan, chosen=chosen),
            ),
            text(left + 16, y + 13, f"{1000 * one.time(plan.goal):.2f} ms, {error}{lost}", size=11),
        ]  # fmt: skip
    return parts


def _colour(one: Trial, plan: TunePlan, *, chosen: bool) -> str:
    if chosen:
        return _GREEN
    return _BLUE if one.within(plan.max_error) else _GREY
