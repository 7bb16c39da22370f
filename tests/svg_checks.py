"""What every SVG picture must hold, for programs that know presentation attributes only."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"
_UNKNOWN = ("style", "class", "dominant-baseline", "alignment-baseline", "paint-order", "dx", "dy", "textLength")
"""Attributes that cairosvg and office programs ignore or draw otherwise, so that text moves or vanishes."""
_NARROW = " .,:;'|!()[]ijlftr-/"
_NARROW_WIDTH, _WIDTH, _ASCENT, _DESCENT = 0.34, 0.62, 0.74, 0.2  # in ems, as in DejaVu Sans


def check_picture(content: str) -> Element:
    """Check that a picture is readable; return its root."""
    root = ElementTree.fromstring(content)
    for element in root.iter():
        assert element.tag != f"{SVG}style"
        assert not set(element.attrib) & set(_UNKNOWN), element.attrib
        assert "currentColor" not in element.attrib.values()
        if element.tag == f"{SVG}text":
            assert element.get("stroke") is None, "an outline covers the letters where it is drawn last"
            assert re.fullmatch("#[0-9a-f]{6}", element.get("fill", "")), "text in a colour of its own"
    texts = [(element.text or "", *_box(element)) for element in root.iter(f"{SVG}text")]
    _, _, width, height = (float(number) for number in root.get("viewBox", "").split())
    for content, left, top, right, bottom in texts:
        assert min(left, top, width - right, height - bottom) >= 0, f"{content!r} leaves the picture"
    for (a, *first), (b, *second) in combinations(texts, 2):
        apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
        assert apart, f"{a!r} and {b!r} overlap"
    for axis in axes(root):
        labels = [element.text or "" for element in axis.iter(f"{SVG}text")]
        numbers = [label for label in labels if re.fullmatch(r"[-+.e0-9]+", label)]
        assert len(numbers) >= 2, "an axis has numbers"
        assert sum(bool(re.search(r"\w \[[^\]]+\]$", label)) for label in labels) == 1, f"no unit among {labels}"
    return root


def axes(root: Element) -> list[Element]:
    """The groups that are axes."""
    return [element for element in root.iter(f"{SVG}g") if "axis" in element.get("id", "")]


def _box(element: Element) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a text."""
    x, y, size = (float(element.get(name, "0")) for name in ("x", "y", "font-size"))
    width = size * sum(_NARROW_WIDTH if letter in _NARROW else _WIDTH for letter in element.text or "")
    width *= 1.1 if element.get("font-weight") == "bold" else 1
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "start")] * width
    if "rotate(-90" in element.get("transform", ""):
        return x - _ASCENT * size, y - width + before, x + _DESCENT * size, y + before
    return x - before, y - _ASCENT * size, x - before + width, y + _DESCENT * size
