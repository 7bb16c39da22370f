"""Held outliers, and a real jump that is believed after `max_gap`."""

from __future__ import annotations

import numpy as np
from dlclive_processors import Outliers

from pictures._chart import BLUE, GREY, ORANGE, RED, Curve, band, legend, panel, picture
from pictures._mouse import replay, walk

JUMP, GAP = 4.0, 0.2
WHOLE = (0.0, 6.0)


def draw() -> str:
    """Positions above, confidences below."""
    recorded, wrong = walk().spoiled(share=0.03)
    snout = recorded.column("snout")
    moved = (recorded.times[:, None] >= JUMP) & ~wrong
    recorded.poses[moved, 0] -= 300  # the animal is put down elsewhere
    filtered = replay(Outliers(max_speed=1000.0, max_gap=GAP), recorded)[:, snout]
    held = filtered[:, 2] < 0.5
    x = recorded.measured("snout")
    accepted = Curve("accepted, unchanged", recorded.times, np.where(held, np.nan, filtered[:, 0]), BLUE, "dots", 1.6)
    refused = Curve(
        "refused: too far to be reached", recorded.times, np.where(filtered[:, 2] == 0, x, np.nan), RED, "crosses"
    )
    kept = Curve(
        "held, with low confidence", recorded.times, np.where(held, filtered[:, 0], np.nan), ORANGE, "dots", 2.4
    )
    given = Curve("the model's confidence", recorded.times, recorded.poses[:, snout, 2].astype(float), GREY, width=1.2)
    returned = Curve("confidence returned", recorded.times, filtered[:, 2], BLUE)
    title = "The snout of the demo's mouse; grey: max_gap after it was put down elsewhere"
    parts = [
        *legend([accepted, refused, kept]),
        band(112, 270, WHOLE, JUMP, JUMP + GAP),
        *panel([accepted, refused, kept], top=112, height=270, times=WHOLE, title=title),
        *legend([given, returned], 450),
        band(480, 90, WHOLE, JUMP, JUMP + GAP),
        *panel([given, returned], top=480, height=90, times=WHOLE, values=(0, 1.05), y_label="confidence [1]"),
    ]
    about = "outliers:max_speed=1000,max_gap=0.2. Around 2.1 and 2.5 s, the snout is hidden."
    return picture("Outliers", about, 622, parts)
