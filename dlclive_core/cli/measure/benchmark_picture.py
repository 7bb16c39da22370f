"""A benchmark as a picture: how long each candidate takes, and how far off it is."""

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
_GAP = WIDTH - _NAMES - _TIMES - _ERRORS - _RIGHT
_LABEL, _PIXELS = 110, 84  # room for the numbers beside a bar, beside a dot


def benchmark_picture(benchmark: Benchmark) -> str:
    """The picture as text of an SVG file: the fastest candidate above, those that were rejected below."""
    title = f"{benchmark.card.net_type}: latency in ms, error in px from the reference"
    rows = sorted(benchmark.rows, key=_order)
    height = _TOP + _ROW * max(1, len(rows)) + _BOTTOM
    clip = benchmark.clip
    parts = [
        text(24, 30, title, size=17, weight="bold", colour=_INK),
        text(
            24,
            52,
            f"{benchmark.conditions.get('processor')}; {clip.name}, {clip.size[0]} x {clip.size[1]}, {len(clip.frames)} frames "
            f"x {benchmark.rounds}, interleaved",
            colour=_INK,
        ),
    ]
    good = [row for row in rows if row.verdict.state in ("ok", "doubtful")]
    if not good:
        parts.append(text(24, _TOP - 18, "no candidate could be measured", colour=_RED))
        for place, row in enumerate(rows):
            words = _shortened(f"{row.measurement.candidate.label}: {row.verdict.label}", 130)
            parts.append(text(24, _TOP + _ROW * (place + 0.5), words, colour=_INK))
        return document(WIDTH, height, title, parts)
    times = _times_panel(good, len(rows))
    errors = _errors_panel(good, len(rows))
    parts += times.frame("Bar to p50, line to p99", "ms", "", y_ticks=False)
    parts += errors.frame("Dot p50, line to p95", "px", "", y_ticks=False) if _has_errors(good) else []
    for place, row in enumerate(rows):
        middle = _TOP + _ROW * (place + 0.5)
        parts += _row(row, middle, times, errors, compared=_has_errors(good))
    return document(WIDTH, height, title, parts)


def _times_panel(rows: list[Row], count: int) -> Panel:
    """Its scale reaches what most need: one candidate with a rare slow call shall not press the others together."""
    longest = max(row.measurement.p50 for row in rows)
    top = min(max(row.measurement.p99 for row in rows), 1.6 * longest)
    widened = 1000 * top * _TIMES / (_TIMES - _LABEL)
    return Panel(_NAMES, _TOP, _TIMES, _ROW * count, (0, widened), (0, 1))


def _errors_panel(rows: list[Row], count: int) -> Panel:
    known = [row.accuracy.p95_px for row in rows if row.accuracy is not None and math.isfinite(row.accuracy.p95_px)]
    top = min(max([*known, 0.1]), 2.0) * _ERRORS / (_ERRORS - _PIXELS)
    return Panel(_NAMES + _TIMES + _GAP, _TOP, _ERRORS, _ROW * count, (0, top), (0, 1))


def _row(row: Row, middle: float, times: Panel, errors: Panel, *, compared: bool) -> list[str]:
    one = row.measurement
    usable = row.verdict.state in ("ok", "doubtful")
    parts = [
        text(times.left - 10, middle + 4, _short(one.candidate.label), anchor="end", colour=_INK if usable else _GREY)
    ]
    if not usable:
        words = _shortened(row.verdict.label, 96)
        return [*parts, text(times.left + 6, middle + 4, words, colour=_RED, size=11)]
    parts += _time_bar(one, middle, times, doubtful=row.verdict.state == "doubtful")
    return parts + (_error(row, middle, errors) if compared else [])


def _time_bar(one: Measurement, middle: float, panel: Panel, *, doubtful: bool) -> list[str]:
    p50, p99 = 1000 * one.p50, 1000 * one.p99
    end = panel.x(min(p99, panel.x_range[1]))
    parts = [
        rectangle(panel.left, middle - 9, panel.x(p50), middle + 9, _GREY if doubtful else _BLUE),
        line(panel.x(p50), middle, end, middle, colour=_INK),
        line(end, middle - 5, end, middle + 5, colour=_INK),
    ]
    label = f"{format_number(p50)} / {format_number(p99)}" + (" (doubtful)" if doubtful else "")
    inside = end + _LABEL < panel.right + _GAP
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
    inside = p95 + _PIXELS < panel.right + 8
    x, anchor = (p95 + 8, "start") if inside else (panel.right, "end")
    return [*parts, text(x, middle + (4 if inside else -8), label, anchor=anchor, colour=_INK, size=11)]


def _has_errors(rows: list[Row]) -> bool:
    return any(row.accuracy is not None and row.accuracy.keypoints for row in rows)


def _order(row: Row) -> tuple[bool, float]:
    usable = row.verdict.state in ("ok", "doubtful")
    return not usable, row.measurement.p50 if usable else 0.0


def _short(label: str) -> str:
    return _shortened(label, 36)


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
