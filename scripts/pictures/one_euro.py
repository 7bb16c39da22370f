"""The One-Euro filter at speed and at rest, beside the low pass that it is without `beta`."""

from __future__ import annotations

from dlclive_processors import OneEuro

from pictures._chart import BLACK, BLUE, GREY, LEFT, ORANGE, RIGHT, Curve, legend, panel, picture
from pictures._mouse import replay, walk


def draw() -> str:
    """The whole walk, and two seconds of it."""
    recorded = walk()
    snout = recorded.column("snout")
    filtered = {beta: replay(OneEuro(beta=beta), recorded)[:, snout, 0] for beta in (0.0, 0.05)}
    curves = [
        Curve("measured, 2 px of noise", recorded.times, recorded.measured("snout"), GREY, "dots", 1.6),
        Curve("truth", recorded.times, recorded.truth[:, snout, 0], BLACK, "dashes", 1.2),
        Curve("one-euro:beta=0", recorded.times, filtered[0.0], ORANGE),
        Curve("one-euro", recorded.times, filtered[0.05], BLUE, width=2.2),
    ]
    middle = (LEFT + RIGHT) / 2
    parts = [
        *legend(curves),
        *panel(
            curves, top=112, height=190, times=(0, 6), title="The snout of the demo's mouse, at 100 frames per second"
        ),
        *panel(curves, top=384, height=200, times=(0.2, 1), right=middle - 30, title="At speed: hardly any lag"),
        *panel(curves, top=384, height=200, times=(5.2, 6), left=middle + 50, title="Nearly at rest: less jitter"),
    ]
    about = "The cutoff rises from 1 Hz with the speed; with beta=0 it stays there. Near 2.1 and 2.5 s, the snout is hidden."
    return picture("One-Euro filter", about, 636, parts)
