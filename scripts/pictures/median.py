"""The running median, with wrong detections among the measurements."""

from __future__ import annotations

import numpy as np
from dlclive_processors import Median

from pictures._chart import BLACK, BLUE, GREY, LEFT, RED, RIGHT, Curve, legend, panel, picture
from pictures._mouse import replay, walk


def draw() -> str:
    """The whole walk, and a second of it with its delay."""
    recorded, wrong = walk().spoiled(share=0.03)
    snout = recorded.column("snout")
    x = recorded.measured("snout")
    wrong = wrong[:, snout]
    curves = [
        Curve("measured", recorded.times, np.where(wrong, np.nan, x), GREY, "dots", 1.6),
        Curve("wrong detection", recorded.times, np.where(wrong, x, np.nan), RED, "crosses"),
        Curve("truth", recorded.times, recorded.truth[:, snout, 0], BLACK, "dashes", 1.2),
        Curve("median:window=5", recorded.times, replay(Median(window=5), recorded)[:, snout, 0], BLUE, width=2.2),
    ]
    middle = (LEFT + RIGHT) / 2
    parts = [
        *legend(curves),
        *panel(
            curves, top=112, height=190, times=(0, 6), title="The snout of the demo's mouse, at 100 frames per second"
        ),
        *panel(
            curves,
            top=384,
            height=200,
            times=(0.2, 0.5),
            right=middle - 30,
            values=(355, 435),
            title="At speed: 2 frames late",
        ),
        *panel(
            curves,
            top=384,
            height=200,
            times=(4.6, 5.6),
            left=middle + 50,
            values=(350, 440),
            title="Slow: no trace of wrong ones",
        ),
    ]
    about = (
        "Wrong positions that last less than half of the window leave no trace; the delay is (window - 1) / 2 frames."
    )
    return picture("Running median", about, 636, parts)
