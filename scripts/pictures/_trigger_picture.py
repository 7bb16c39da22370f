"""A trigger at work on the demo's mouse: where it was on, and what it measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dlclive_processors import CallableOutput, Reading, Scene, Trigger
from numpy.typing import NDArray

from dlclive_core import Frame, ModelCard, Pose, Processor
from dlclive_core.cli.svg import Panel, document, line, text, text_width
from dlclive_core.demo.motion import MOUSE
from dlclive_core.demo.source import MouseSource
from dlclive_core.testing import run_info

SIZE, FPS = (640, 480), 30.0
INK, GREY, ON, BOUND = "#22262b", "#9aa0a8", "#1f7a4d", "#c0392b"
BAND = "#dcefe4"
_BONES = ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4))
_ARENA = (24.0, 86.0, 360.0, 270.0)  # left, top, width, height
_SCALE = _ARENA[2] / SIZE[0]
_NOTHING = np.zeros((1, 1), np.uint8)


@dataclass(frozen=True)
class Course:
    """A run of a trigger.

    Attributes:
        times: (T,) s.
        poses: (T, N, K, 3), as a network returns them.
        on: (T,) whether the output was on.
        values: (T,) what was measured of the first subject; NaN where it is unknown.
    """

    times: NDArray[np.float64]
    poses: NDArray[np.float32]
    on: NDArray[np.bool_]
    values: NDArray[np.float64]


def mice(*seeds: int, seconds: float = 10.0, noise: float = 0.5) -> NDArray[np.float32]:
    """(T, N, K, 3): the paths of mice, each with its own seed; confidence 0.9, or 0.2 where a keypoint is hidden."""
    count = round(seconds * FPS)
    poses = []
    for seed in seeds:
        source = MouseSource(seed=seed, frames=count, size=SIZE, fps=FPS)
        truth = np.stack([source.truth(index) for index in range(count)])
        truth[..., :2] += np.random.default_rng(seed).normal(0, noise, truth[..., :2].shape)
        truth[..., 2] = np.where(truth[..., 2] > 0, 0.9, 0.2)
        poses.append(truth)
    return np.stack(poses, axis=1).astype(np.float32)


def run(make: Callable[..., Trigger], poses: NDArray[np.float32]) -> Course:
    """Run a trigger over poses, and note what it measures. `make` takes its output and its listener."""
    lamp = CallableOutput(lambda _: None)
    trigger = make(output=lamp)
    measured = _Measured(trigger)
    return replay(trigger, lambda: lamp.is_on, poses, lambda: measured.values)


def replay(
    trigger: Processor, is_on: Callable[[], bool], poses: NDArray[np.float32], values: Callable[[], Sequence[float]]
) -> Course:
    """Run a processor over poses; `values` returns what is to be drawn, one number for each frame, when it has run."""
    on = []
    individuals = tuple(f"mouse {number + 1}" for number in range(poses.shape[1]))
    with trigger:
        trigger.open(run_info(ModelCard(net_type="demo", skeleton=MOUSE, individuals=individuals)))
        for number, pose in enumerate(poses):
            trigger.process(Pose(pose, MOUSE), Frame(_NOTHING, number, 0.0, number / FPS))
            on.append(is_on())
    return Course(np.arange(len(poses)) / FPS, poses, np.array(on), np.array(values(), float))


def x_of(poses: NDArray[np.float32], keypoint: str) -> list[float]:
    """Its x in each frame of the first mouse, NaN while it is hidden."""
    points = poses[:, 0, MOUSE.index(keypoint)]
    return np.where(points[:, 2] > 0.5, points[:, 0], np.nan).tolist()


class _Measured:
    """Keeps what a trigger's condition says about its first subject."""

    def __init__(self, trigger: Trigger) -> None:
        self.values: list[float] = []
        condition: Any = trigger.condition
        evaluate = condition.evaluate

        def keep(scene: Scene) -> dict[tuple[str, ...], Reading]:
            readings: dict[tuple[str, ...], Reading] = evaluate(scene)
            self.values.append(next(iter(readings.values())).value if readings else math.nan)
            return readings

        condition.evaluate = keep


def trigger_picture(
    title: str,
    about: str,
    course: Course,
    *,
    label: str,
    bounds: Sequence[float] = (),
    top: float | None = None,
    marks: Sequence[str] = (),
    keypoint: str = "snout",
    poses_at: Sequence[float] = (),
) -> str:
    """The whole picture.

    Args:
        title, about: its first two lines.
        label: of the measured value, with its unit.
        bounds: values at which dashed lines are drawn.
        top: of the axis of values; default: as the values need.
        marks: SVG elements in the arena, in its coordinates; see `arena`.
        keypoint: whose path is drawn.
        poses_at: seconds at which the mouse is drawn.
    """
    left, height = 470.0, 230.0
    highest = max([*bounds, *course.values[np.isfinite(course.values)].tolist(), 1e-9]) if top is None else top
    panel = Panel(
        left,
        106,
        860 - 24 - left,
        height,
        (0.0, float(course.times[-1])),
        (0.0, highest * (1.05 if top is None else 1)),
    )
    parts = [
        text(24, 30, title, size=17, weight="bold", colour=INK),
        text(24, 52, about, colour=INK),
        *_bands(course, panel),
        *panel.frame("", "time [s]", label),
        *(line(panel.left, panel.y(bound), panel.right, panel.y(bound), colour=BOUND, dash="5 4") for bound in bounds),
        *_curve(course, panel),
        *_arena(course, marks, keypoint, poses_at),
        *_legend("bound" if bounds else "region" if marks else ""),
    ]
    return document(860, 400, title, parts)


def arena(x: float, y: float) -> tuple[float, float]:
    """The place in the picture of a point of the frame, px."""
    return _ARENA[0] + _SCALE * x, _ARENA[1] + _SCALE * y


def region(corners: Sequence[Sequence[float]], colour: str = BOUND) -> str:
    """A polygon in the arena."""
    points = " ".join("{:.1f},{:.1f}".format(*arena(*corner)) for corner in corners)
    return f'<polygon points="{points}" fill="none" stroke="{colour}" stroke-dasharray="5 4"/>'


def spot(x: float, y: float, colour: str = BOUND) -> str:
    """A point in the arena."""
    left, top = arena(x, y)
    return f'<circle cx="{left:.1f}" cy="{top:.1f}" r="5" fill="none" stroke="{colour}" stroke-width="2"/>'


def polyline(points: Sequence[tuple[float, float]], colour: str, width: float = 1.5) -> str:
    """Lines from point to point, in the picture's coordinates."""
    each = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{each}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>'


def _spans(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which it is on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return [(int(begin), int(end) - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _bands(course: Course, panel: Panel) -> list[str]:
    parts = []
    for begin, end in _spans(course.on):
        left, right = panel.x(course.times[begin]), panel.x(course.times[end] + 1 / FPS)
        place = f'x="{left:.1f}" y="{panel.top:.1f}" width="{max(right - left, 1):.1f}" height="{panel.height:.1f}"'
        parts.append(f'<rect {place} fill="{BAND}"/>')
    return parts


def _curve(course: Course, panel: Panel) -> list[str]:
    known = np.isfinite(course.values)
    parts = []
    for begin, end in _spans(known):
        points = [(panel.x(course.times[n]), panel.y(course.values[n])) for n in range(begin, end + 1)]
        parts.append(polyline(points, INK))
    return parts


def _arena(course: Course, marks: Sequence[str], keypoint: str, poses_at: Sequence[float]) -> list[str]:
    left, top, width, height = _ARENA
    parts = [f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#f6f7f9" stroke="{GREY}"/>']
    column = MOUSE.index(keypoint)
    for mouse in range(course.poses.shape[1]):
        path = [arena(*pose[mouse, column, :2]) for pose in course.poses]
        seen = course.poses[:, mouse, column, 2] > 0.5
        for begin, end in _spans(seen):
            parts.append(polyline(path[begin : end + 1], GREY, 1.0))
        for begin, end in _spans(course.on & seen):
            parts.append(polyline(path[begin : end + 2], ON, 2.6))
        for at in poses_at:
            parts += _body(course.poses[round(at * FPS), mouse], on=bool(course.on[round(at * FPS)]))
    return [*parts, *marks]


def _body(pose: NDArray[np.float32], *, on: bool) -> list[str]:
    colour = ON if on else INK
    places = [arena(*point[:2]) for point in pose]
    parts = [line(*places[a], *places[b], colour=colour) for a, b in _BONES if pose[a, 2] > 0.5 and pose[b, 2] > 0.5]
    for number, (x, y) in enumerate(places):
        if pose[number, 2] > 0.5:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3.2 if number == 0 else 2.2}" fill="{colour}"/>')
    return parts


def _legend(dashed: str) -> list[str]:
    entries = [("on", ON), ("off", GREY)]
    x, parts = 24.0, []
    for name, colour in entries:
        parts += [polyline([(x, 374), (x + 22, 374)], colour, 2.6), text(x + 28, 378, name, colour=INK)]
        x += 28 + text_width(name, 12) + 20
    if dashed:
        parts += [line(x, 374, x + 22, 374, colour=BOUND, dash="5 4"), text(x + 28, 378, dashed, colour=INK)]
    return parts
