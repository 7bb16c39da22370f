"""Draws what fired in a run and in its replay, over time, as SVG."""

from __future__ import annotations

import math

from dlclive_core.cli.replay.replay_result import Firing, ReplayResult, TriggerResult
from dlclive_core.cli.svg import Panel, document, line, rectangle, shorten, text

WIDTH = 960
_LEFT, _RIGHT, _TOP = 190, 64, 96
_LANE, _GAP = 18, 14  # pixels: height of a row, and between two triggers
_VALUES = 150
_RECORDED, _REPLAYED, _RED, _GREY, _INK = "#8a8f98", "#1f5fa8", "#c0392b", "#5b6068", "#22262b"
_UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0))
_MOST_MARKS = 4000


def replay_picture(title: str, result: ReplayResult) -> str:
    """Draw the picture; returns the text of an SVG file, 960 pixels wide.

    A trigger has a row for each individual: what was recorded above, what was replayed below it. A trigger whose events have
    a measured value also has a plot of the values at which it fired, with its threshold.
    """
    end = max(result.ended, 1e-3) if result.frames else 1.0
    unit, size = next((unit, size) for unit, size in _UNITS if end >= 3 * size or size == 1)
    parts = [
        text(24, 30, shorten(title, WIDTH - 48, 17, "bold"), size=17, weight="bold", colour=_INK),
        text(24, 52, f"{result.frames} frames, {result.seconds:.1f} s{_summary(result)}", colour=_INK),
    ]
    if not result.triggers:
        parts.append(text(24, 80, "no processor wrote events", colour=_GREY))
        return document(WIDTH, 110, title, parts)
    parts += _legend()
    bottom = float(_TOP)
    rows: list[tuple[TriggerResult, str, float]] = []
    for trigger in result.triggers:
        for individual in _individuals(trigger):
            rows.append((trigger, individual, bottom))
            bottom += 2 * _LANE + _GAP
    panel = Panel(_LEFT, _TOP - 8, WIDTH - _LEFT - _RIGHT, bottom - _TOP + 8, (0, end / size), (0, 1))
    parts += panel.frame("", f"time [{unit}]")
    for trigger, individual, top in rows:
        parts += _row(panel, trigger, individual, top, size)
    for trigger in result.triggers:
        points = _values(trigger)
        if points and min(value for _, value, _ in points) >= 0:
            plot = Panel(
                _LEFT, bottom + 80, WIDTH - _LEFT - _RIGHT, _VALUES, (0, end / size), (0, _highest(trigger, points))
            )
            parts += _value_plot(plot, trigger, points, unit, size)
            bottom = plot.bottom
    return document(WIDTH, round(bottom) + 50, title, parts)


def _summary(result: ReplayResult) -> str:
    compared = [trigger for trigger in result.triggers if trigger.comparison is not None]
    if not compared:
        return ""
    return f": {result.difference}" if result.difference else ": the events are the recorded ones"


def _legend() -> list[str]:
    right = float(WIDTH - _RIGHT)
    return [
        text(right + 8, 76, "events", colour=_GREY),
        rectangle(right - 210, 66, right - 196, 76, _RECORDED),
        text(right - 190, 76, "recorded", colour=_INK),
        rectangle(right - 90, 66, right - 76, 76, _REPLAYED),
        text(right - 70, 76, "replayed", colour=_INK),
    ]


def _individuals(trigger: TriggerResult) -> list[str]:
    firings = [firing for firing in (trigger.recorded, trigger.replayed) if firing is not None]
    return sorted({episode.individual for firing in firings for episode in firing.episodes}) or [""]


def _row(panel: Panel, trigger: TriggerResult, individual: str, top: float, size: float) -> list[str]:
    name = f"{trigger.label}, {individual}" if individual else trigger.label
    parts = [text(_LEFT - 12, top + _LANE + 4, shorten(name, _LEFT - 36), anchor="end", colour=_INK)]
    lanes = ((trigger.recorded, _RECORDED, top), (trigger.replayed, _REPLAYED, top + _LANE))
    for firing, colour, lane in lanes:
        if firing is not None:
            count = sum(episode.individual == individual for episode in firing.episodes)
            parts.append(text(panel.right + 8, lane + 13, str(count), colour=colour))
            parts += _marks(panel, firing, individual, colour, lane, size)
    return parts


def _marks(panel: Panel, firing: Firing, individual: str, colour: str, lane: float, size: float) -> list[str]:
    """A bar for each episode. Where there are thousands, those that touch are one bar."""
    bars: list[list[float]] = []
    shown = [episode for episode in firing.episodes if episode.individual == individual]
    for episode in shown:
        left, right = panel.x(episode.begin / size), panel.x(firing.end(episode) / size)
        right = max(right, left + 1)
        if bars and len(shown) > _MOST_MARKS and left <= bars[-1][1] + 0.5:
            bars[-1][1] = max(bars[-1][1], right)
        else:
            bars.append([left, right])
    return [rectangle(left, lane + 2, right, lane + _LANE - 2, colour) for left, right in bars]


def _values(trigger: TriggerResult) -> list[tuple[float, float, str]]:
    """(time, value, colour) of every beginning with a measured value."""
    firings = ((trigger.recorded, _RECORDED), (trigger.replayed, _REPLAYED))
    return [
        (episode.begin, episode.value, colour)
        for firing, colour in firings
        if firing is not None
        for episode in firing.episodes[: 2 * _MOST_MARKS]
        if math.isfinite(episode.value)
    ]


def _highest(trigger: TriggerResult, points: list[tuple[float, float, str]]) -> float:
    return 1.1 * max([value for _, value, _ in points] + [trigger.threshold or 0.0, 1e-9])


def _value_plot(
    plot: Panel, trigger: TriggerResult, points: list[tuple[float, float, str]], unit: str, size: float
) -> list[str]:
    title, axis = f"{trigger.label}: the value at which it fired", f"value [{trigger.unit or 'its unit'}]"
    parts = plot.frame(title, f"time [{unit}]", axis)
    for time, value, colour in points:
        parts.append(f'<circle cx="{plot.x(time / size):.1f}" cy="{plot.y(value):.1f}" r="3" fill="{colour}"/>')
    if trigger.threshold is not None:
        y, label = plot.y(trigger.threshold), f"threshold {trigger.threshold:g} {trigger.unit}".strip()
        parts.append(line(plot.left, y, plot.right, y, colour=_RED, dash="5 4"))
        parts.append(text(plot.right, plot.top - 10, label, anchor="end", colour=_RED))
    return parts
