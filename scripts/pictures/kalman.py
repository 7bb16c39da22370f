"""The Kalman predictor 100 ms ahead, beside the pose of 100 ms ago, and across a gap."""

from __future__ import annotations

from dlclive_processors import KalmanPredictor

from pictures._chart import BLACK, BLUE, GREEN, GREY, LEFT, ORANGE, RIGHT, Curve, legend, panel, picture
from pictures._mouse import replay, walk

AHEAD = 0.1
GAP = (1.5, 2.3)  # the snout is hidden in between


def draw() -> str:
    """Predictions drawn at the time for which they were made."""
    recorded = walk(fps=30, noise=1)
    snout = recorded.column("snout")
    measured = recorded.measured("snout")
    later = recorded.times + AHEAD
    predicted = replay(KalmanPredictor(horizon=AHEAD), recorded)[:, snout, 0]
    present = replay(KalmanPredictor(), recorded)[:, snout, 0]
    old = Curve("pose of 100 ms ago", later, measured, ORANGE, "dots", 2.2)
    truth = Curve("truth", recorded.times, recorded.truth[:, snout, 0], BLACK, "dashes", 1.4)
    ahead = Curve("kalman:horizon=0.1", later, predicted, BLUE, width=2.2)
    seen = Curve("measured now", recorded.times, measured, GREY, "dots", 3)
    now = Curve("kalman", recorded.times, present, GREEN, width=2.2)
    middle = (LEFT + RIGHT) / 2
    title = "The snout of the demo's mouse: each prediction at the time for which it was made"
    parts = [
        *legend([truth, old, ahead, seen, now]),
        *panel([old, ahead, truth], top=112, height=230, times=(0, 6), title=title),
        *panel([old, ahead, truth], top=424, height=200, times=(1, 2.4), right=middle - 30, title="The same, closer"),
        *panel([seen, truth, now], top=424, height=200, times=GAP, left=middle + 50, title="Hidden, and predicted"),
    ]
    return picture("Kalman predictor", "30 frames per second, 1 px of noise.", 676, parts)
