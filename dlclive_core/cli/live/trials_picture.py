"""Plots the trials of `dlclive latency` as SVG: their histogram, and each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlclive_core.cli.svg import Panel, document, line, rectangle, shorten, text
from dlclive_core.data.latency_trial import LatencyTrial

WIDTH, HEIGHT = 960, 620
_BLUE, _LIGHT, _RED, _INK, _GREY = "#1f5fa8", "#a9c8ea", "#c0392b", "#22262b", "#8a8f98"
_LEFT, _RIGHT = 70, 24
_BINS = 40


def trials_picture(title: str, trials: Sequence[LatencyTrial], values: dict[str, Any]) -> str:
    """Draw the plot; returns the text of an SVG file of 960 x 620 pixels.

    Args:
        title: a line above the plot.
        values: from `trials_to_dict`.
    """
    parts = [text(24, 30, shorten(title, WIDTH - 48, 17, "bold"), size=17, weight="bold", colour=_INK)]
    numbers = values["latency"]
    counts = f"{values['answered']} of {values['trials']} LEDs answered, {values['false_answers']} false answers"
    if numbers is None:
        return document(WIDTH, HEIGHT, title, [*parts, text(24, 60, counts, colour=_GREY)])
    parts.append(
        text(
            24,
            52,
            f"LED to output: p50 {numbers['p50_ms']:.1f} ms, p95 {numbers['p95_ms']:.1f} ms, p99 {numbers['p99_ms']:.1f} ms, "
            f"sd {numbers['sd_ms']:.1f} ms; {counts}",
            colour=_INK,
        )
    )
    top = max(1.05 * numbers["max_ms"], 1.0)
    parts += _histogram([1e3 * trial.latency for trial in trials if trial.latency is not None], numbers, top)
    parts += _in_turn(trials, top)
    return document(WIDTH, HEIGHT, title, parts)


def _histogram(latencies: Sequence[float], numbers: dict[str, float], top: float) -> list[str]:
    counts, edges = np.histogram(latencies, bins=_BINS, range=(0, top))
    panel = Panel(_LEFT, 92, WIDTH - _LEFT - _RIGHT, 200, (0, top), (0, 1.1 * float(counts.max())))
    parts = panel.frame("Distribution of the trials", "latency from LED to output [ms]", "number [trials]")
    for count, left, right in zip(counts, edges, edges[1:], strict=False):
        if count:
            parts.append(rectangle(panel.x(left) + 0.5, panel.y(count), panel.x(right) - 0.5, panel.bottom, _BLUE))
    for level, name in enumerate(("p50", "p95", "p99")):
        x = panel.x(numbers[f"{name}_ms"])
        parts.append(line(x, panel.top, x, panel.bottom, colour=_RED, dash="5 4"))
        side = ("start", x + 4) if x + 30 < panel.right else ("end", x - 4)
        parts.append(text(side[1], panel.top + 14 + 15 * level, name, anchor=side[0], colour=_RED, backed=True))
    return parts


def _in_turn(trials: Sequence[LatencyTrial], top: float) -> list[str]:
    panel = Panel(_LEFT, 372, WIDTH - _LEFT - _RIGHT, 190, (0, len(trials) + 1), (0, top))
    parts = panel.frame(
        "Each trial: dark, from the frame's capture to the command; light, the rest; red, missed",
        "number of the trial [1]",
        "latency [ms]",
    )
    half = max(0.5, min(6.0, 0.4 * panel.width / (len(trials) + 1)))
    for trial in trials:
        x = panel.x(trial.number)
        if trial.latency is None:
            parts.append(rectangle(x - half, panel.bottom - 6, x + half, panel.bottom, _RED))
            continue
        known = 0.0 if trial.frame is None else min(trial.age, trial.latency)
        parts.append(rectangle(x - half, panel.y(1e3 * trial.latency), x + half, panel.y(1e3 * known), _LIGHT))
        parts.append(rectangle(x - half, panel.y(1e3 * known), x + half, panel.bottom, _BLUE))
    return parts
