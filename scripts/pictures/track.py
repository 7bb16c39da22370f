"""The picture of `track`: two mice that meet several times, by the row of the pose and by their identity."""

from __future__ import annotations

import numpy as np
from dlclive_processors import IdentityTracker
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, Skeleton
from dlclive_core.cli.svg import Panel, document, text

FPS, SECONDS = 30.0, 8.0
SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
BODY = np.array([40, 24 - 10j, 24 + 10j, -40])  # px from the middle of a mouse that looks to the right
COLOURS = ("#0b6bcb", "#d9480f")
INK = "#22262b"


def draw() -> str:
    """The SVG's text."""
    poses = film()
    tracker = IdentityTracker(animals=2)
    tracked = [tracker.process(pose, frame_at(number)) for number, pose in enumerate(poses)]
    without = Panel(64, 66, 400, 240, (0, SECONDS), (0, 640))
    with_ = Panel(530, 66, 400, 240, (0, SECONDS), (0, 640))
    parts = [
        *without.frame("Without: a line for each row of the pose", "time [s]", "x of the snout [px]"),
        *with_.frame("With track: a line for each identity", "time [s]", "x of the snout [px]"),
    ]
    parts += [*paths(without, poses), *paths(with_, tracked)]
    for panel, names in ((without, ("row 1", "row 2")), (with_, ("track_1", "track_2"))):
        for place, (name, colour) in enumerate(zip(names, COLOURS, strict=True)):
            x, y = panel.right - 130 + 80 * place, panel.bottom + 33
            parts.append(f'<circle cx="{x - 9}" cy="{y - 4}" r="4" fill="{colour}"/>')
            parts.append(text(x, y, name, colour=INK))
    title = "Two mice that cross: 30 frames/s, rows in any order, one detection in ten missing"
    parts.append(text(64, 30, title, size=14, colour=INK))
    return document(960, 366, "Two mice that cross, without and with the processor track", parts)


def film() -> list[Pose]:
    """What a model without an identity head reports of two mice that run to and fro."""
    rng = np.random.default_rng(7)
    poses, order = [], [0, 1]
    for number in range(int(SECONDS * FPS)):
        time = number / FPS
        bodies = [mouse(time, 2.3, 0.0, 250 + 6j), mouse(time, 1.7, 2.2, 220 - 6j)]
        if rng.random() < 0.15:
            order = order[::-1]
        rows = [bodies[place] for place in order if rng.random() > 0.1]
        keypoints = np.full((len(rows), len(BODY), 3), 0.9, np.float32)
        for row, body in zip(keypoints, rows, strict=True):
            row[:, 0] = body.real + rng.normal(0, 2, len(BODY))
            row[:, 1] = body.imag + rng.normal(0, 2, len(BODY))
        poses.append(Pose(keypoints, SKELETON))
    return poses


def mouse(time: float, reach: float, phase: float, width: complex) -> NDArray[np.complex128]:
    """(K,) x + iy px of a mouse that runs along an ellipse, head first."""
    angle = 2 * np.pi * time / reach / 1.6 + phase
    place = 320 + 240j + width.real * np.cos(angle) + 1j * (60 + width.imag) * np.sin(angle)
    ahead = -width.real * np.sin(angle) + 1j * (60 + width.imag) * np.cos(angle)
    return place + BODY * ahead / abs(ahead)


def frame_at(number: int) -> Frame:
    """A frame without pixels: a tracker needs its time."""
    return Frame(np.zeros((1, 1), np.uint8), number, number / FPS, number / FPS)


def paths(panel: Panel, poses: list[Pose]) -> list[str]:
    """A line for each row, broken where it is not seen."""
    parts = []
    for row, colour in enumerate(COLOURS):
        run: list[str] = []
        for number, pose in enumerate([*poses, None]):
            seen = pose is not None and row < len(pose) and np.isfinite(pose.xy[row, 0]).all()
            if seen and pose is not None:
                run.append(f"{panel.x(number / FPS):.1f},{panel.y(float(pose.xy[row, 0, 0])):.1f}")
            elif pose is None or not seen:
                if run:
                    parts.append(
                        f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                    )
                run = []
    return parts
