"""Runs deeplabcut-live's KalmanFilterPredictor for prediction.py, in an environment where deeplabcut-live is installed.

    PYTHON deeplabcut_live_kalman.py IN.npz OUT.npz

IN has `poses` (T, K, 3), finite; `times` (T,) in seconds; `horizons` (H,) in seconds; `threshold`, the predictor's `lik_thresh`; and
`fps`. OUT has `predicted` (H, T, K, 2). The predictor is the package's own, with its default options apart from these.

It takes the time between poses from `time.time()` at the call. So that each pose comes at the time of its frame, this module replaces
the clock that the predictor sees. `adapt=False` and `forward` set the horizon exactly; with `adapt=True` it would add the time that has
passed since the frame, which is 0 on this clock.

`import dlclive` loads OpenCV, and PyTorch or TensorFlow; the predictor needs numpy alone. Therefore its folder is imported as a
package without running the package's `__init__`.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np


class FrameTimes:
    """Stands for the module `time`: its time is the frame's."""

    now = 0.0

    def time(self) -> float:
        return self.now


def main() -> None:
    spec = importlib.util.find_spec("dlclive")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("deeplabcut-live is not installed here")
    package = types.ModuleType("dlclive")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["dlclive"] = package
    from dlclive.processor import kalmanfilter

    clock = kalmanfilter.time = FrameTimes()
    given = np.load(sys.argv[1])
    predicted = []
    for horizon in given["horizons"]:
        predictor = kalmanfilter.KalmanFilterPredictor(
            adapt=False, forward=float(horizon), fps=float(given["fps"]), lik_thresh=float(given["threshold"])
        )
        rows = []
        for pose, time in zip(given["poses"], given["times"], strict=True):
            clock.now = 1e9 + float(time)
            rows.append(predictor.process(pose.copy())[:, :2])
        predicted.append(rows)
    np.savez(sys.argv[2], predicted=np.array(predicted))


if __name__ == "__main__":
    main()
