"""Two cameras, and what they know together: a mouse that rears, triangulated from noisy keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import CalibratedCamera
from dlclive_core.cli.svg import Panel, document, line, text
from dlclive_core.views.triangulation import Triangulation

WIDTH, HEIGHT = 860, 610
BLACK, GREY, BLUE, ORANGE, LIGHT = "#22262b", "#9aa0a8", "#1f5fa8", "#d9822b", "#eef1f4"
SIZE = (640, 480)
NOISE, FRAMES, RATE, SHOWN = 2.0, 240, 60.0, 82
NAMES = ("snout", "left ear", "right ear", "neck", "back", "tail base")
EDGES = ((0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 4), (4, 5))
BODY = np.array([[42.0, 0, 14], [24, 14, 24], [24, -14, 24], [16, 0, 22], [-14, 0, 24], [-44, 0, 14]])

Array = NDArray[np.float64]


def camera(name: str, angle: float) -> CalibratedCamera:
    """A camera beside the arena, which looks at its middle."""
    place = np.array([520 * np.cos(angle), 520 * np.sin(angle), 380.0])
    ahead = np.array([0.0, 0.0, 30.0]) - place
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.array([right, np.cross(ahead, right), ahead])
    matrix = np.array([[960.0, 0, 319.5], [0, 960.0, 239.5], [0, 0, 1]])
    return CalibratedCamera(name, SIZE, matrix, np.array([-0.25, 0.08, 0, 0, 0]), rotation, -rotation @ place)


def mouse() -> Array:
    """(T, K, 3) mm: it walks on a curve, and rears twice."""
    frames = []
    for index in range(FRAMES):
        angle = 0.35 + 0.018 * index
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        up = 0.95 * (np.exp(-(((index - 85) / 16) ** 2)) + np.exp(-(((index - 185) / 16) ** 2)))
        lift = np.array([[np.cos(up), 0, -np.sin(up)], [0, 1, 0], [np.sin(up), 0, np.cos(up)]])
        hips = np.array([-44.0, 0, 14])
        middle = np.array([95 * np.sin(angle), -95 * np.cos(angle), 0])
        frames.append(((BODY - hips) @ lift.T + hips) @ turn.T + middle)
    return np.array(frames)


def draw() -> str:
    """The text of the SVG file."""
    cameras = [camera("left", -1.15), camera("right", 0.25)]
    truth = mouse()
    flat = truth.reshape(-1, 3)
    pixels = np.stack([view.project(flat) for view in cameras])
    pixels += np.random.default_rng(4).normal(0, NOISE, pixels.shape)
    points = Triangulation(cameras).locate(pixels, np.ones(pixels.shape[:2]))
    found = points.positions.reshape(truth.shape)
    off = float(np.sqrt(np.square(np.linalg.norm(points.positions - flat, axis=1)).mean()))
    error = float(np.sqrt(np.square(points.error).mean()))
    seen = pixels.reshape(2, FRAMES, len(NAMES), 2)
    parts = [
        text(24, 34, "Two cameras", size=18, weight="bold", colour=BLACK),
        text(
            24,
            56,
            f"Keypoints with {NOISE:g} px of noise in each view, and the positions that follow from both.",
            colour=BLACK,
        ),
    ]
    for number, (view, left) in enumerate(zip(cameras, (24, 304), strict=True)):
        parts += _view(view.name, seen[number, SHOWN], view, found[SHOWN], left)
    parts += _from_above(truth, found)
    parts += _height(truth, found)
    parts.append(
        text(
            24,
            HEIGHT - 14,
            f"Reprojection error {error:.2f} px, distance from the truth {off:.2f} mm (root mean squares).",
        )
    )
    return document(WIDTH, HEIGHT, "Two cameras: keypoints in two views, and their positions in space", parts)


def _view(name: str, keypoints: Array, view: CalibratedCamera, positions: Array, left: float) -> list[str]:
    """One camera's frame, with what it saw and the projections of the positions."""
    top, scale = 104.0, 264 / SIZE[0]
    bottom = top + SIZE[1] * scale
    place = [left, top] + keypoints * scale
    back = [left, top] + view.project(positions) * scale
    side = np.linspace(-150, 150, 31)
    ring = np.full_like(side, 150.0)
    floor = np.concatenate(
        [np.stack(edge, axis=-1) for edge in ((side, -ring), (ring, side), (-side, ring), (-ring, -side))]
    )
    outline = [left, top] + view.project(np.concatenate([floor, np.zeros((len(floor), 1))], axis=1)) * scale
    inside = np.clip(outline, [left, top], [left + 264, bottom])
    parts = [
        text(left, top - 10, f"{name} camera, frame {SHOWN}", weight="bold", colour=BLACK),
        f'<rect x="{left:.1f}" y="{top:.1f}" width="264" height="{bottom - top:.1f}" fill="{LIGHT}" stroke="{GREY}"/>',
        _path(inside, "#c9d0d8", 1.2),
    ]
    parts += [line(*place[one], *place[other], colour=GREY) for one, other in EDGES]
    parts += [_ring(x, y, 4.5, BLUE) for x, y in back]
    parts += [_dot(x, y, 2.6, ORANGE) for x, y in place]
    return parts


def _from_above(truth: Array, found: Array) -> list[str]:
    """The path of the snout on the floor."""
    panel = Panel(634, 104, 200, 198, (-150, 150), (-150, 150))
    parts = _axes(panel, "from above: the snout", "x [mm]", "y [mm]", (-100, 0, 100), (-100, 0, 100))
    parts += [_dot(panel.x(x), panel.y(y), 1.5, BLUE) for x, y, _ in found[:, 0]]
    parts.append(_path(np.array([[panel.x(x), panel.y(y)] for x, y, _ in truth[:, 0]]), BLACK, 1.0))
    return parts


def _height(truth: Array, found: Array) -> list[str]:
    """The height of the snout, which no camera sees alone."""
    panel = Panel(74, 392, 760, 140, (0, FRAMES / RATE), (0, 100))
    title = "height of the snout, which no single camera can tell: the mouse rears twice"
    parts = _axes(panel, title, "time [s]", "z [mm]", (0, 1, 2, 3, 4), (0, 25, 50, 75, 100))
    times = np.arange(FRAMES) / RATE
    parts += [_dot(panel.x(t), panel.y(z), 1.8, BLUE) for t, z in zip(times, found[:, 0, 2], strict=True)]
    parts.append(
        _path(np.array([[panel.x(t), panel.y(z)] for t, z in zip(times, truth[:, 0, 2], strict=True)]), BLACK, 1.2)
    )
    shown = panel.x(SHOWN / RATE)
    parts.append(line(shown, panel.top, shown, panel.bottom, colour=ORANGE, dash="4 3"))
    legend = 338
    entries = (("keypoint in a view", ORANGE), ("position in space, and its projection", BLUE), ("truth", BLACK))
    left = 24.0
    for label, colour in entries:
        parts += [_dot(left + 4, legend - 4, 3.5, colour), text(left + 14, legend, label, colour=BLACK)]
        left += 34 + 7.2 * len(label)
    return parts


def _axes(
    panel: Panel, title: str, x_label: str, y_label: str, x_ticks: tuple[float, ...], y_ticks: tuple[float, ...]
) -> list[str]:
    """Title, grid and axes, whose ranges may begin below 0."""
    parts = [text(panel.left, panel.top - 10, title, colour=BLACK, weight="bold")]
    parts.append(f'<g id="x-axis-{panel.left:.0f}-{panel.top:.0f}">')
    for value in x_ticks:
        parts.append(line(panel.x(value), panel.top, panel.x(value), panel.bottom, colour="#e3e6ea"))
        parts.append(text(panel.x(value), panel.bottom + 16, f"{value:g}", anchor="middle"))
    parts += [text((panel.left + panel.right) / 2, panel.bottom + 33, x_label, anchor="middle"), "</g>"]
    parts.append(f'<g id="y-axis-{panel.left:.0f}-{panel.top:.0f}">')
    for value in y_ticks:
        parts.append(line(panel.left, panel.y(value), panel.right, panel.y(value), colour="#e3e6ea"))
        parts.append(text(panel.left - 6, panel.y(value) + 4, f"{value:g}", anchor="end"))
    parts += [text(panel.left - 38, (panel.top + panel.bottom) / 2, y_label, anchor="middle", turned=True), "</g>"]
    parts.append(line(panel.left, panel.top, panel.left, panel.bottom))
    parts.append(line(panel.left, panel.bottom, panel.right, panel.bottom))
    return parts


def _dot(x: float, y: float, radius: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'


def _ring(x: float, y: float, radius: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="none" stroke="{colour}" stroke-width="1.4"/>'


def _path(points: Array, colour: str, width: float) -> str:
    text_of = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{text_of}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
