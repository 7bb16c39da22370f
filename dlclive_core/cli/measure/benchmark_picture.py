"""Plots a benchmark as SVG: latency and error of each candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.cli.measure.benchmark_table import format_number
from dlclive_core.cli.svg import Panel, document, line, rectangle, shorten, text, wrap

WIDTH = 960
_BLUE, _GREEN, _RED, _GREY, _INK = "#1f5fa8", "#2b8a57", "#c0392b", "#8a8f98", "#22262b"
_TOP, _ROW, _BOTTOM, _MARGIN = 104, 34, 56, 24
_SMALL, _LINE = 11, 14  # font size and line height of the rows
_NAMES, _TIMES, _TIMES_END = 262, (272, 250), 644  # columns: right edge of names, (left, width) of a panel, of numbers
_ERRORS, _ERRORS_END = (668, 150), 936
_LEAST_PX = 0.01  # where the axis of errors begins; smaller ones are at its edge


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row, its vertical extent in pixels, and its texts in lines."""

    row: Row
    top: float
    height: float
    name: list[str]
    reason: list[str]

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def benchmark_picture(benchmark: Benchmark) -> str:
    """Draw the plot; returns the text of an SVG file. The fastest candidate is at the top, rejected ones at the bottom."""
    title = f"{benchmark.card.net_type}: latency, and error from the reference"
    entries = _entries(sorted(benchmark.rows, key=_order))
    bottom = entries[-1].top + entries[-1].height if entries else _TOP + _ROW
    clip = benchmark.clip
    about = (
        f"{benchmark.machine.get('processor')}; {clip.name}, {clip.size[0]} x {clip.size[1]}, {len(clip.frames)} frames "
        f"x {benchmark.rounds}, interleaved"
    )
    parts = [
        text(
            _MARGIN,
            30,
            shorten(title, WIDTH - 2 * _MARGIN, 17, "bold"),
            size=17,
            weight="bold",
            colour=_INK,
        ),
        text(_MARGIN, 52, shorten(about, WIDTH - 2 * _MARGIN), colour=_INK),
    ]
    usable = [entry.row for entry in entries if _is_usable(entry.row)]
    if usable:
        parts += _panels(usable, entries, bottom)
    else:
        parts.append(text(_MARGIN, _TOP - 18, "no candidate could be measured", colour=_RED))
    for entry in entries:
        parts += _named(entry)
        parts += _lines(entry.reason, _TIMES[0] + 6, entry.middle, colour=_RED)
    return document(WIDTH, math.ceil(bottom) + _BOTTOM, title, parts)


def _entries(rows: list[Row]) -> list[_Entry]:
    """Rows below each other, as high as their texts: a reason ends with its remedy, so it is never cut off."""
    entries: list[_Entry] = []
    top = float(_TOP)
    for row in rows:
        name = wrap(row.measurement.candidate.label, _NAMES - _MARGIN, _SMALL)
        reason = [] if _is_usable(row) else wrap(row.verdict.label, WIDTH - _MARGIN - _TIMES[0] - 6, _SMALL)
        height = max(_ROW, _LINE * max(len(name), len(reason)) + 8)
        entries.append(_Entry(row, top, height, name, reason))
        top += height
    return entries


def _panels(usable: list[Row], entries: list[_Entry], bottom: float) -> list[str]:
    times, errors = _times_panel(usable, bottom - _TOP), _errors_panel(usable, bottom - _TOP)
    compared = any(row.accuracy is not None and row.accuracy.keypoints for row in usable)
    parts = times.frame("Bar to p50, line to p99", "latency [ms]")
    parts.append(text(_TIMES_END, _TOP - 10, "p50 / p99 [ms]", anchor="end"))
    if compared:
        parts += errors.frame("Dot p50, line to p95", "error [px]")
        parts.append(text(_ERRORS_END, _TOP - 10, "p50 / p95 [px]", anchor="end"))
    if len(usable) < len(entries):  # the reasons of the others lie across the panels
        first = next(entry for entry in entries if not _is_usable(entry.row))
        right, below = WIDTH - 1.0, bottom - 1.0
        parts.append(rectangle(_TIMES[0] + 1.0, first.top, right, below, "white"))
    for entry in entries:
        if _is_usable(entry.row):
            parts += _time_bar(
                entry.row.measurement, entry.middle, times, doubtful=entry.row.verdict.state == "doubtful"
            )
            parts += _error(entry.row, entry.middle, errors) if compared else []
    return parts


def _times_panel(rows: list[Row], height: float) -> Panel:
    """The panel of times. Its scale is limited, so that a candidate with a rare slow call does not squeeze the others."""
    slowest = max(row.measurement.p50 for row in rows)
    top = min(max(row.measurement.p99 for row in rows), 1.6 * slowest)
    return Panel(_TIMES[0], _TOP, _TIMES[1], height, (0, 1000 * top), (0, 1))


def _errors_panel(rows: list[Row], height: float) -> Panel:
    """The panel of errors, logarithmic: those of one run span from hundredths of a pixel to hundreds."""
    known = [row.accuracy.p95_px for row in rows if row.accuracy is not None and math.isfinite(row.accuracy.p95_px)]
    return Panel(_ERRORS[0], _TOP, _ERRORS[1], height, (_LEAST_PX, 1.2 * max([*known, 1.0])), (1, 2), is_log=True)


def _named(entry: _Entry) -> list[str]:
    colour = _INK if _is_usable(entry.row) else _GREY
    return _lines(entry.name, _NAMES, entry.middle, anchor="end", colour=colour)


def _lines(lines: list[str], x: float, middle: float, *, colour: str, anchor: str = "start") -> list[str]:
    """Lines of text, centred vertically."""
    first = middle + 4 - _LINE * (len(lines) - 1) / 2
    return [
        text(x, first + _LINE * number, content, anchor=anchor, colour=colour, size=_SMALL)
        for number, content in enumerate(lines)
    ]


def _time_bar(measurement: Measurement, middle: float, panel: Panel, *, doubtful: bool) -> list[str]:
    p50, p99 = 1000 * measurement.p50, 1000 * measurement.p99
    end = panel.x(p99)
    parts = [
        rectangle(panel.left, middle - 9, panel.x(p50), middle + 9, _GREY if doubtful else _BLUE),
        line(panel.x(p50), middle, end, middle, colour=_INK),
        _arrow(end, middle, _INK) if p99 > panel.x_range[1] else line(end, middle - 5, end, middle + 5, colour=_INK),
    ]
    label = [f"{format_number(p50)} / {format_number(p99)}", *(["doubtful"] if doubtful else [])]
    return [*parts, *_lines(label, _TIMES_END, middle, anchor="end", colour=_INK)]


def _error(row: Row, middle: float, panel: Panel) -> list[str]:
    error = row.accuracy
    if error is None or not error.keypoints:
        return [text(_ERRORS_END, middle + 4, "not compared", anchor="end", colour=_GREY, size=_SMALL)]
    median, p95 = panel.x(error.median_px), panel.x(error.p95_px)
    colour = _RED if error.p95_px > panel.x_range[1] else _GREEN
    parts = [line(median, middle, p95, middle, colour=colour)]
    if error.p95_px > panel.x_range[1]:
        parts.append(_arrow(p95, middle, colour))
    if error.median_px <= panel.x_range[1]:
        parts.append(f'<circle cx="{median:.1f}" cy="{middle:.1f}" r="4" fill="{colour}"/>')
    both = (format_number(error.median_px), format_number(error.p95_px))
    label = [" / ".join(dict.fromkeys(both)) if not math.isfinite(error.median_px) else " / ".join(both)]
    label += [f"{error.flips} flips"] if error.flips else []
    return [*parts, *_lines(label, _ERRORS_END, middle, anchor="end", colour=_INK)]


def _arrow(x: float, y: float, colour: str) -> str:
    """A tip that points to the right: the value is beyond the axis."""
    return f'<path d="M{x - 7:.1f} {y - 5:.1f} L{x:.1f} {y:.1f} L{x - 7:.1f} {y + 5:.1f} Z" fill="{colour}"/>'


def _is_usable(row: Row) -> bool:
    return row.verdict.state in ("ok", "doubtful")


def _order(row: Row) -> tuple[bool, float]:
    return not _is_usable(row), row.measurement.p50 if _is_usable(row) else 0.0
