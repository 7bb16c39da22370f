"""The error of the demo network on clips that were not used in its training.

python benchmarks/demo_model.py
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlclive_core import load_model
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource

SIZES = ((320, 240), (480, 360), (640, 480))
CLIPS, FRAMES, EVERY = 40, 150, 5


def errors(model, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Distances and confidences of visible keypoints, and confidences of hidden ones."""
    distances, visible_confidences, hidden_confidences = [], [], []
    for seed in range(100, 100 + CLIPS):
        source = MouseSource(seed=seed, frames=FRAMES, size=size)
        for index in range(0, FRAMES, EVERY):
            pose, truth = model.predict(source.render(index)).single(), source.truth(index)
            visible = truth[:, 2] > 0
            distances.append(np.linalg.norm(pose[visible, :2] - truth[visible, :2], axis=1))
            visible_confidences.append(pose[visible, 2])
            hidden_confidences.append(pose[~visible, 2])
    return np.concatenate(distances), np.concatenate(visible_confidences), np.concatenate(hidden_confidences)


def main() -> None:
    """Print a Markdown table."""
    print(
        f"{CLIPS} clips (seeds 100 to {99 + CLIPS}), every {EVERY}th of {FRAMES} frames; training used seeds from 1,000,000.\n"
    )
    print("| size | keypoints | rms px | median px | p95 px | p99 px | confidence, visible | confidence, hidden |")
    print("|---|---|---|---|---|---|---|---|")
    with load_model(MODEL, device="cpu") as model:
        for size in SIZES:
            distance, visible, hidden = errors(model, size)
            rms, (p50, p95, p99) = np.sqrt((distance**2).mean()), np.percentile(distance, (50, 95, 99))
            print(
                f"| {size[0]} x {size[1]} | {len(distance)} | {rms:.2f} | {p50:.2f} | {p95:.2f} | {p99:.2f} | "
                f"{np.median(visible):.2f} (p5 {np.percentile(visible, 5):.2f}) | {np.median(hidden):.2f} |"
            )


if __name__ == "__main__":
    main()
