"""Plots the latency of a run as SVG: over time, its distribution, and the contribution of each stage."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from dlclive_core.cli.live.latency_history import History
from dlclive_core.cli.live.live_numbers import FIRST, RATIO
from dlclive_core.cli.svg import Panel, document, line, rectangle, text
from dlclive_core.session import StageTimes

WIDTH, HEIGHT = 960, 640
_BLUE, _LIGHT, _RED, _GREY, _INK = "#1f5fa8", "#a9c8ea", "#c0392b", "#8a8f98", "#22262b"
_STAGES = ("wait", "region", "inference", "processors", "latency")
_LEFT, _RIGHT = 64, 24
_UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def latency_picture(title: str, history: History, distribution: Sequence[int], stages: Sequence[StageTimes]) -> str:
    """Draw the plot; returns the text of an SVG file of 960 x 640 pixels.

    Args:
        title: a line above the plot.
        history: latency over time.
        distribution: number of frames per latency bin; the bins of `LiveNumbers`.
        stages: from the session's report; shows those that add up to the latency.
    """
    by_name = {stage.stage: stage for stage in stages}
    latency = by_name.get("latency")
    parts = [text(_LEFT, 30, title, size=17, weight="bold", colour=_INK)]
    if latency is None or not latency.count:
        parts.append(text(_LEFT, 60, "no frame was processed", colour=_GREY))
        return document(WIDTH, HEIGHT, title, parts)
    parts.append(
        text(
            _LEFT,
            52,
            f"{latency.count} frames: latency from capture to the finished pose p50 {latency.p50_ms:.1f} ms, "
            f"p95 {latency.p95_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms, max {latency.max_ms:.1f} ms",
            colour=_INK,
        )
    )
    top = min(latency.max_ms, 2.0 * latency.p99_ms) * 1.05
    parts += _over_time(history, latency, top)
    parts += _distribution(distribution, latency, top)
    parts += _stages([by_name[name] for name in _STAGES if name in by_name and by_name[name].count], top)
    return document(WIDTH, HEIGHT, title, parts)


def _over_time(history: History, latency: StageTimes, top: float) -> list[str]:
    seconds = max(history.length * len(history.stretches), 1e-3)
    unit, size = next((unit, size) for unit, size in _UNITS if seconds >= 3 * size or size == 1)
    panel = Panel(_LEFT, 92, WIDTH - _LEFT - _RIGHT, 220, (0, seconds / size), (0, top))
    parts = panel.frame("Latency over the run: band from minimum to maximum, line at the mean", unit, "ms")
    band_above, band_below, mean, beyond = [], [], [], []
    for number, stretch in enumerate(history.stretches):
        if not stretch.count:
            continue
        x = panel.x((number + 0.5) * history.length / size)
        band_above.append(f"{x:.1f},{panel.y(1000 * stretch.largest):.1f}")
        band_below.append(f"{x:.1f},{panel.y(1000 * stretch.least):.1f}")
        mean.append(f"{x:.1f},{panel.y(1000 * stretch.mean):.1f}")
        if 1000 * stretch.largest > top:
            beyond.append(x)
    parts.append(f'<polygon points="{" ".join(band_above + band_below[::-1])}" fill="{_LIGHT}"/>')
    parts.append(f'<polyline points="{" ".join(mean)}" fill="none" stroke="{_BLUE}" stroke-width="1.5"/>')
    for x in beyond:
        parts.append(
            f'<path d="M{x - 4:.1f} {panel.top + 9} L{x:.1f} {panel.top + 1} L{x + 4:.1f} {panel.top + 9} Z" fill="{_RED}"/>'
        )
    if beyond:
        parts.append(
            text(
                panel.right,
                panel.top - 8,
                f"▲ off scale, up to {latency.max_ms:.0f} ms",
                anchor="end",
                colour=_RED,
            )
        )
    y = panel.y(latency.p99_ms)
    parts.append(line(panel.left, y, panel.right, y, colour=_RED, dash="5 4"))
    parts.append(text(panel.right - 4, y - 5, "p99", anchor="end", colour=_RED))
    return parts


def _distribution(distribution: Sequence[int], latency: StageTimes, top: float) -> list[str]:
    bars = [
        (1000 * FIRST * RATIO**number, 1000 * FIRST * RATIO ** (number + 1), count)
        for number, count in enumerate(distribution)
        if count
    ]
    most = max(count / (right - left) for left, right, count in bars)  # bins grow in width, so plot densities
    panel = Panel(_LEFT, 388, 400, 190, (0, top), (0, 1.08))
    parts = panel.frame("Distribution of the latency", "ms", "", y_ticks=False)
    for left, right, count in bars:
        if left < top:
            parts.append(
                rectangle(
                    panel.x(left), panel.y(count / (right - left) / most), panel.x(min(right, top)), panel.bottom, _BLUE
                )
            )
    for level, (name, value) in enumerate((("p50", latency.p50_ms), ("p95", latency.p95_ms), ("p99", latency.p99_ms))):
        x = panel.x(value)
        parts.append(line(x, panel.top, x, panel.bottom, colour=_RED, dash="5 4"))
        side = ("start", x + 4) if x + 30 < panel.right else ("end", x - 4)
        parts.append(text(side[1], panel.top + 14 + 15 * level, name, anchor=side[0], colour=_RED))
    return parts


def _stages(stages: Sequence[StageTimes], top: float) -> list[str]:
    panel = Panel(600, 388, WIDTH - 600 - _RIGHT, 190, (0, top), (0, 1))
    parts = panel.frame("Stages: bar to p50, thin bar to p99", "ms", "", y_ticks=False)
    height = (panel.bottom - panel.top) / max(1, len(stages))
    for number, stage in enumerate(stages):
        middle = panel.top + height * (number + 0.5)
        colour = _INK if stage.stage == "latency" else _BLUE
        parts.append(rectangle(panel.left, middle - 9, panel.x(min(stage.p50_ms, top)), middle + 9, colour))
        parts.append(rectangle(panel.left, middle - 2, panel.x(min(stage.p99_ms, top)), middle + 2, colour))
        parts.append(text(panel.left - 8, middle + 4, escape(stage.stage), anchor="end", colour=_INK))
        x = panel.x(min(stage.p99_ms, top))
        label = f"{stage.p50_ms:.1f} / {stage.p99_ms:.1f}"
        inside = x + 70 < panel.right
        parts.append(
            text(x + 6, middle + 4, label, colour=_INK)
            if inside
            else text(panel.right - 2, middle - 12, label, anchor="end", colour=_INK)
        )
    return parts
