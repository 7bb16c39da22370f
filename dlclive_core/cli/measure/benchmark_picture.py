"""Plots a benchmark as SVG: latency and error of each candidate."""

from __future__ import annotations

import math

from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.cli.measure.benchmark_table import format_number
from dlclive_core.cli.svg import Panel, document, line, rectangle, text

WIDTH = 960
_BLUE, _GREEN, _RED, _GREY, _INK = "#1f5fa8", "#2b8a57", "#c0392b", "#8a8f98", "#22262b"
_TOP, _ROW, _BOTTOM = 104, 34, 56
_NAMES, _TIMES, _ERRORS, _RIGHT = 250, 380, 190, 24
_TIMES_GAP = WIDTH - _NAMES - _TIMES - _ERRORS - _RIGHT
_TIME_LABEL, _ERROR_LABEL = 110, 84  # room for the numbers beside a bar and beside a dot


def benchmark_picture(benchmark: Benchmark) -> str:
    """Draw the plot; returns the text of an SVG file. The fastest candidate is at the top, rejected ones at the bottom."""
    title = f"{benchmark.card.net_type}: latency in ms, error in px from the reference"
    rows = sorted(benchmark.rows, key=_order)
    height = _TOP + _ROW * max(1, len(rows)) + _BOTTOM
    clip = benchmark.clip
    parts = [
        text(24, 30, title, size=17, weight="bold", colour=_INK),
        text(
            24,
            52,
            f"{benchmark.machine.get('processor')}; {clip.name}, {clip.size[0]} x {clip.size[1]}, {len(clip.frames)} frames "
            f"x {benchmark.rounds}, interleaved",
            colour=_INK,
        ),
    ]
    usable = [row for row in rows if row.verdict.state in ("ok", "doubtful")]
    if not usable:
        parts.append(text(24, _TOP - 18, "no candidate could be measured", colour=_RED))
        for index, row in enumerate(rows):
            label = _shortened(f"{row.measurement.candidate.label}: {row.verdict.label}", 130)
            parts.append(text(24, _TOP + _ROW * (index + 0.5), label, colour=_INK))
        return document(WIDTH, height, title, parts)
    times = _times_panel(usable, len(rows))
    errors = _errors_panel(usable, len(rows))
    parts += times.frame("Bar to p50, line to p99", "ms", "", y_ticks=False)
    parts += errors.frame("Dot p50, line to p95", "px", "", y_ticks=False) if _has_errors(usable) else []
    for index, row in enumerate(rows):
        middle = _TOP + _ROW * (index + 0.5)
        parts += _row(row, middle, times, errors, compared=_has_errors(usable))
    return document(WIDTH, height, title, parts)


def _times_panel(rows: list[Row], count: int) -> Panel:
    """The panel of times. Its scale is limited, so that a candidate with a rare slow call does not squeeze the others."""
    slowest = max(row.measurement.p50 for row in rows)
    top = min(max(row.measurement.p99 for row in rows), 1.6 * slowest)
    widened = 1000 * top * _TIMES / (_TIMES - _TIME_LABEL)
    return Panel(_NAMES, _TOP, _TIMES, _ROW * count, (0, widened), (0, 1))


def _errors_panel(rows: list[Row], count: int) -> Panel:
    known = [row.accuracy.p95_px for row in rows if row.accuracy is not None and math.isfinite(row.accuracy.p95_px)]
    top = min(max([*known, 0.1]), 2.0) * _ERRORS / (_ERRORS - _ERROR_LABEL)
    return Panel(_NAMES + _TIMES + _TIMES_GAP, _TOP, _ERRORS, _ROW * count, (0, top), (0, 1))


def _row(row: Row, middle: float, times: Panel, errors: Panel, *, compared: bool) -> list[str]:
    measurement = row.measurement
    usable = row.verdict.state in ("ok", "doubtful")
    parts = [
        text(
            times.left - 10,
            middle + 4,
            _short(measurement.candidate.label),
            anchor="end",
            colour=_INK if usable else _GREY,
        )
    ]
    if not usable:
        label = _shortened(row.verdict.label, 96)
        return [*parts, text(times.left + 6, middle + 4, label, colour=_RED, size=11)]
    parts += _time_bar(measurement, middle, times, doubtful=row.verdict.state == "doubtful")
    return parts + (_error(row, middle, errors) if compared else [])


def _time_bar(measurement: Measurement, middle: float, panel: Panel, *, doubtful: bool) -> list[str]:
    p50, p99 = 1000 * measurement.p50, 1000 * measurement.p99
    end = panel.x(min(p99, panel.x_range[1]))
    parts = [
        rectangle(panel.left, middle - 9, panel.x(p50), middle + 9, _GREY if doubtful else _BLUE),
        line(panel.x(p50), middle, end, middle, colour=_INK),
        line(end, middle - 5, end, middle + 5, colour=_INK),
    ]
    label = f"{format_number(p50)} / {format_number(p99)}" + (" (doubtful)" if doubtful else "")
    inside = end + _TIME_LABEL < panel.right + _TIMES_GAP
    x, anchor = (end + 6, "start") if inside else (panel.right, "end")
    return [*parts, text(x, middle + (4 if inside else -12), label, anchor=anchor, colour=_INK)]


def _error(row: Row, middle: float, panel: Panel) -> list[str]:
    error = row.accuracy
    if error is None or not error.keypoints:
        return [text(panel.left + 6, middle + 4, "not compared", colour=_GREY)]
    top = panel.x_range[1]
    median, p95 = panel.x(min(error.median_px, top)), panel.x(min(error.p95_px, top))
    beyond = error.p95_px > top
    colour = _RED if beyond else _GREEN
    parts = [
        line(median, middle, p95, middle, colour=colour),
        f'<circle cx="{median:.1f}" cy="{middle:.1f}" r="4" fill="{colour}"/>',
    ]
    label = f"{format_number(error.median_px)} / {format_number(error.p95_px)}" + (
        f", {error.flips} flips" if error.flips else ""
    )
    inside = p95 + _ERROR_LABEL < panel.right + 8
    x, anchor = (p95 + 8, "start") if inside else (panel.right, "end")
    return [*parts, text(x, middle + (4 if inside else -8), label, anchor=anchor, colour=_INK, size=11)]


def _has_errors(rows: list[Row]) -> bool:
    return any(row.accuracy is not None and row.accuracy.keypoints for row in rows)


def _order(row: Row) -> tuple[bool, float]:
    usable = row.verdict.state in ("ok", "doubtful")
    return not usable, row.measurement.p50 if usable else 0.0


def _short(label: str) -> str:
    return _shortened(label, 36)


def _shortened(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
