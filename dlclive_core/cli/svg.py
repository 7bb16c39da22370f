"""SVG elements for plots with axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

_GRID, _AXIS = "#e3e6ea", "#5b6068"


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """A complete SVG file with a white background."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="12">',
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
) -> str:
    """Text at (x, y); `anchor` is start, middle or end."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}" paint-order="stroke" stroke="white" stroke-width="3">{escape(content)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = _AXIS, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def rectangle(left: float, top: float, right: float, bottom: float, colour: str) -> str:
    """A filled rectangle, given by its edges; at least half a pixel wide and high to remain visible."""
    width, height = max(0.5, right - left), max(0.5, bottom - top)
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def ticks(top: float, most: int = 6) -> list[float]:
    """Round numbers from 0 to `top`: steps of 1, 2 or 5 times a power of ten, at most `most` steps."""
    step = 10 ** math.floor(math.log10(top / most))
    step *= next(factor for factor in (1, 2, 5, 10) if top / (step * factor) <= most)
    return [step * number for number in range(int(top / step * (1 + 1e-9)) + 1)]


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot area with axes: its position in pixels and the value ranges of its axes."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """The pixel column of a value, clipped to the panel."""
        low, high = self.x_range
        return self.left + self.width * min(1.0, max(0.0, (value - low) / (high - low)))

    def y(self, value: float) -> float:
        """The pixel row of a value, clipped to the panel."""
        low, high = self.y_range
        return self.bottom - self.height * min(1.0, max(0.0, (value - low) / (high - low)))

    def frame(self, title: str, x_unit: str, y_unit: str, *, y_ticks: bool = True) -> list[str]:
        """Title, grid and axes."""
        parts = [text(self.left, self.top - 10, title, colour="#22262b", weight="bold")]
        for value in ticks(self.x_range[1]):
            x = self.x(value)
            parts.append(line(x, self.top, x, self.bottom, colour=_GRID))
            parts.append(text(x, self.bottom + 16, f"{value:g}", anchor="middle"))
        if y_ticks:
            for value in ticks(self.y_range[1], 5):
                y = self.y(value)
                parts.append(line(self.left, y, self.right, y, colour=_GRID))
                parts.append(text(self.left - 8, y + 4, f"{value:g}", anchor="end"))
            parts.append(text(self.left - 8, self.top - 10, y_unit, anchor="end"))
        parts.append(text(self.right, self.bottom + 32, x_unit, anchor="end"))
        parts.append(line(self.left, self.bottom, self.right, self.bottom))
        parts.append(line(self.left, self.top, self.left, self.bottom))
        return parts
