"""Exponential smoothing with two time constants, and the same at another frame rate."""

from __future__ import annotations

from dlclive_processors import Exponential

from pictures._chart import BLACK, BLUE, GREY, LEFT, ORANGE, RIGHT, Curve, legend, panel, picture
from pictures._mouse import replay, walk


def draw() -> str:
    """Two time constants at 100 frames per second; one at 100 and at 25."""
    recorded = walk()
    snout = recorded.column("snout")
    slow = recorded.every(4)
    measured = Curve("measured, 2 px of noise", recorded.times, recorded.measured("snout"), GREY, "dots", 1.6)
    truth = Curve("truth", recorded.times, recorded.truth[:, snout, 0], BLACK, "dashes", 1.2)

    def smooth(time_constant: float) -> Curve:
        values = replay(Exponential(time_constant=time_constant), recorded)[:, snout, 0]
        label = f"exponential:time_constant={time_constant:g}"
        return Curve(label, recorded.times, values, BLUE if time_constant < 0.1 else ORANGE, width=2.2)

    short, long = smooth(0.05), smooth(0.2)
    sparse = Curve("", slow.times, replay(Exponential(time_constant=0.2), slow)[:, snout, 0], BLACK, "dots", 1.9)
    curves = [measured, truth, short, long]
    middle = (LEFT + RIGHT) / 2
    parts = [
        *legend(curves),
        *panel(
            curves, top=112, height=190, times=(0, 6), title="The snout of the demo's mouse, at 100 frames per second"
        ),
        *panel(
            curves, top=384, height=200, times=(0, 1), right=middle - 30, title="At speed: late by the time constant"
        ),
        *panel(
            [long, sparse],
            top=384,
            height=200,
            times=(3, 6),
            left=middle + 50,
            title="Dots: the same at 25 frames per second",
        ),
    ]
    about = "The time constant is in seconds: the frame rate does not matter. Near 2.1 and 2.5 s, the snout is hidden."
    return picture("Exponential smoothing", about, 636, parts)
