"""SVG elements for plots with axes, of presentation attributes only: office programs and converters know no style sheets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

_GRID, _AXIS, _INK = "#e3e6ea", "#5b6068", "#22262b"
_NARROW, _WIDE = frozenset(" .,:;'|!()[]{}ijlftrI/-\""), frozenset("mwMW@%…—OQGD")


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """A complete SVG file with a white background."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    colour: str = _AXIS,
    size: int = 12,
    weight: str = "normal",
    backed: bool = False,
    turned: bool = False,
) -> str:
    """Text at (x, y); `anchor` is start, middle or end.

    Args:
        backed: on a white rectangle, to be read on top of a plot. An outline around the letters would hide them in
            programs that draw it last.
        turned: read from bottom to top.
    """
    back = ""
    if backed:
        width = text_width(content, size, weight)
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width
        back = (
            f'<rect x="{left - 2:.1f}" y="{y - size:.1f}" width="{width + 4:.1f}" height="{1.3 * size:.1f}" '
            'fill="white" fill-opacity="0.8"/>'
        )
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'{back}<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}"{turn}>{escape(content)}</text>'
    )


def text_width(content: str, size: int, weight: str = "normal") -> float:
    """About how many pixels a text is wide, in a wide font such as DejaVu Sans: fonts differ from machine to machine."""
    ems = sum(0.37 if letter in _NARROW else 0.9 if letter in _WIDE else 0.65 for letter in content)
    return ems * size * (1.1 if weight == "bold" else 1.0)


def wrap(content: str, width: float, size: int = 12, weight: str = "normal") -> list[str]:
    """A text in lines of at most `width` pixels, broken at spaces; a longer word is broken inside."""
    lines = [""]
    for word in content.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, weight) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and text_width(lines[-1] + letter, size, weight) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def shorten(content: str, width: float, size: int = 12, weight: str = "normal") -> str:
    """A name that fits into `width` pixels, cut in the middle: names differ at their ends."""
    if text_width(content, size, weight) <= width:
        return content
    kept = len(content)
    while kept > 2:
        kept -= 1
        short = f"{content[: (kept + 1) // 2]}…{content[len(content) - kept // 2 :]}"
        if text_width(short, size, weight) <= width:
            break
    return short


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = _AXIS, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def rectangle(left: float, top: float, right: float, bottom: float, colour: str) -> str:
    """A filled rectangle, given by its edges; at least half a pixel wide and high to remain visible."""
    width, height = max(0.5, right - left), max(0.5, bottom - top)
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def polyline(points: Iterable[tuple[float, float]], colour: str, *, width: float = 1.5, dash: str = "") -> str:
    """A line through points that is not filled."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """A filled disc."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'


def ticks(top: float, most: int = 6, low: float = 0.0) -> list[float]:
    """Round numbers from `low` to `top`: steps of 1, 2 or 5 times a power of ten, at most `most` steps."""
    step = 10 ** math.floor(math.log10((top - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (top - low) / (step * factor) <= most)
    first = math.ceil(low / step * (1 - 1e-9))
    return [step * number for number in range(first, math.floor(top / step * (1 + 1e-9)) + 1)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high` for a logarithmic axis: 1, 2 and 5 times powers of ten, or fewer if too many.

    A range that holds fewer than two of these has even steps.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        values = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        inside = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(inside) <= most:
            break
    if len(inside) < 2:
        step = ticks(high - low, most)[1]
        first = math.ceil(low / step * (1 - 1e-9))
        return [step * number for number in range(first, int(high / step * (1 + 1e-9)) + 1)]
    return inside[:: -(-len(inside) // most)]


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot area with axes: its position in pixels and the value ranges of its axes.

    Attributes:
        is_log: whether both axes are logarithmic; their ranges then begin above 0.
    """

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_log: bool = False

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """The pixel column of a value, clipped to the panel."""
        return self.left + self.width * self._share(value, *self.x_range)

    def y(self, value: float) -> float:
        """The pixel row of a value, clipped to the panel."""
        return self.bottom - self.height * self._share(value, *self.y_range)

    def _share(self, value: float, low: float, high: float) -> float:
        if self.is_log:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def frame(self, title: str, x_label: str, y_label: str = "") -> list[str]:
        """Title, grid and axes. Labels name the quantity and its unit, as `latency [ms]`.

        Without a `y_label`, the vertical axis has no numbers: its rows are named by the caller.
        """
        parts = [text(self.left, self.top - 10, title, colour=_INK, weight="bold")] if title else []
        parts += self._x_axis(x_label)
        if y_label:
            parts += self._y_axis(y_label)
        return [*parts, line(self.left, self.top, self.left, self.bottom)]

    def _x_axis(self, label: str) -> list[str]:
        parts = [f'<g id="x-axis-{self.left:.0f}-{self.top:.0f}">']
        for value in self._ticks(self.x_range, 6):
            x = self.x(value)
            parts.append(line(x, self.top, x, self.bottom, colour=_GRID))
            parts.append(text(x, self.bottom + 16, f"{value:g}", anchor="middle"))
        parts.append(line(self.left, self.bottom, self.right, self.bottom))
        return [*parts, text((self.left + self.right) / 2, self.bottom + 33, label, anchor="middle"), "</g>"]

    def _y_axis(self, label: str) -> list[str]:
        parts = [f'<g id="y-axis-{self.left:.0f}-{self.top:.0f}">']
        for value in self._ticks(self.y_range, 5):
            y = self.y(value)
            parts.append(line(self.left, y, self.right, y, colour=_GRID))
            parts.append(text(self.left - 6, y + 4, f"{value:g}", anchor="end"))
        x, middle = self.left - 46, (self.top + self.bottom) / 2
        return [*parts, text(x, middle, label, anchor="middle", turned=True), "</g>"]

    def _ticks(self, values: tuple[float, float], most: int) -> list[float]:
        return log_ticks(*values, most) if self.is_log else ticks(values[1], most, values[0])
