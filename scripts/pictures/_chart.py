"""Charts of values over time, as SVG: panels, curves and one legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlclive_core.cli.svg import Panel, document, dot, line, polyline, text, text_width

WIDTH, MARGIN = 860, 24
LEFT, RIGHT = 78, WIDTH - MARGIN  # of the panels
BLACK, GREY, BLUE, ORANGE, RED, GREEN = "#22262b", "#9aa0a8", "#1f5fa8", "#d9822b", "#c0392b", "#2b8a57"
LEGEND = 78.0  # the row of the legend

Array = NDArray[np.float64]
Style = Literal["line", "dashes", "dots", "crosses"]


@dataclass(frozen=True)
class Curve:
    """Values over time. NaN breaks a line."""

    label: str
    times: Array
    values: Array
    colour: str
    style: Style = "line"
    width: float = 1.8


def panel(
    curves: Sequence[Curve],
    *,
    top: float,
    height: float,
    times: tuple[float, float],
    values: tuple[float, float] | None = None,
    left: float = LEFT,
    right: float = RIGHT,
    title: str = "",
    y_label: str = "x of the snout [px]",
) -> list[str]:
    """A panel with its axes and curves; the values between two times.

    Args:
        values: range of the axis; by default what the curves need, and a little more.
    """
    if values is None:
        inside = np.concatenate([curve.values[_between(curve, times)] for curve in curves])
        low, high = float(np.nanmin(inside)), float(np.nanmax(inside))
        values = low - 0.06 * (high - low), high + 0.06 * (high - low)
    axes = Panel(left, top, right - left, height, times, values)
    parts = axes.frame(title, "time [s]", y_label)
    for curve in curves:
        parts += _draw(curve, axes)
    return parts


def legend(curves: Iterable[Curve], y: float = LEGEND) -> list[str]:
    """One row that says which curve is which."""
    parts: list[str] = []
    x = float(LEFT)
    for curve in curves:
        ends = np.array([x, x + 22.0])
        middle = [(x + 11, y - 4)] if curve.style == "crosses" else [(x + 4, y - 4), (x + 11, y - 4), (x + 18, y - 4)]
        if curve.style in ("line", "dashes"):
            parts.append(polyline([(x, y - 4) for x in ends], curve.colour, width=curve.width, dash=_dash(curve)))
        else:
            parts += [mark for place in middle for mark in _mark(curve, *place)]
        parts.append(text(x + 28, y, curve.label, colour=BLACK))
        x += 28 + text_width(curve.label, 12) + 18
    return parts


def picture(title: str, about: str, height: int, parts: Iterable[str]) -> str:
    """The whole file, with a title and one line about it."""
    head = [
        text(MARGIN, 30, title, size=17, weight="bold", colour=BLACK),
        text(MARGIN, 52, about, colour=BLACK),
    ]
    return document(WIDTH, height, title, [*head, *parts])


def band(top: float, height: float, axis: tuple[float, float], begin: float, end: float) -> str:
    """A grey band behind a span of time of a panel of full width."""
    axes = Panel(LEFT, top, RIGHT - LEFT, height, axis, (0, 1))
    left, right = axes.x(begin), axes.x(end)
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{height:.1f}" fill="#e9edf3"/>'


def _between(curve: Curve, times: tuple[float, float]) -> NDArray[np.bool_]:
    return (curve.times >= times[0]) & (curve.times <= times[1]) & np.isfinite(curve.values)


def _draw(curve: Curve, axes: Panel) -> list[str]:
    inside = (curve.times >= axes.x_range[0]) & (curve.times <= axes.x_range[1])
    values = list(zip(curve.times[inside].tolist(), curve.values[inside].tolist(), strict=True))
    if curve.style in ("dots", "crosses"):
        low, high = axes.y_range
        shown = [(axes.x(time), axes.y(value)) for time, value in values if low <= value <= high]
        return [mark for place in shown for mark in _mark(curve, *place)]
    parts = []
    for is_known, stretch in groupby(values, lambda pair: pair[1] == pair[1]):
        if is_known:
            points = [(axes.x(time), axes.y(value)) for time, value in stretch]
            parts.append(polyline(points, curve.colour, width=curve.width, dash=_dash(curve)))
    return parts


def _dash(curve: Curve) -> str:
    return "6 4" if curve.style == "dashes" else ""


def _mark(curve: Curve, x: float, y: float) -> list[str]:
    if curve.style == "dots":
        return [dot(x, y, curve.width, curve.colour)]
    size = 4
    return [
        line(x - size, y - size, x + size, y + size, colour=curve.colour),
        line(x - size, y + size, x + size, y - size, colour=curve.colour),
    ]
