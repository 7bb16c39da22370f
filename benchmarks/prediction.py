"""How far predictions of keypoints are from where the keypoints are 33 and 100 ms later.

    python benchmarks/prediction.py SHARED [--deeplabcut-live PYTHON] [--cache FOLDER]

SHARED has `models/openfield_cspnext_s.pt` and `openfield/m3v1mp4.mp4`. PYTHON is the Python of an environment with
`deeplabcut-live==1.1.0`; without it, one is made in the cache (the package alone and numpy: its predictor needs no more). The poses are
estimated once, which takes some minutes, and kept in the cache, which is outside the repository. Writes prediction.md.

On the open field, the truth is the network's own pose of the later frame, so its noise is in every error. On the rendered mice,
it is where they are. Errors are measured where the keypoint is confident (0.6 or more) in the frame from which it is predicted and, on
the open field, in the later frame. The first second of each clip is left out.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dlclive_processors import KalmanPredictor, OneEuro
from numpy.typing import NDArray

from dlclive_core import Frame, Pose, Processor, Skeleton, load_model
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource
from dlclive_core.machine.system import sha256

OUT = Path(__file__).with_suffix(".md")
HOST = Path(__file__).with_name("deeplabcut_live_kalman.py")
FPS = 30.0
AHEAD = (1, 3)  # frames: 33 and 100 ms
CONFIDENT = 0.6
MICE, LENGTH = (1, 2, 3, 4), 900  # seeds and frames of the rendered clips
NOTHING = np.zeros((1, 1), np.uint8)
Array = NDArray[np.float64]
HEADER = f"""# Predictions 33 and 100 ms ahead

Made with `python benchmarks/prediction.py SHARED`. Distances in pixels between the position predicted at a frame and where the keypoint
is 1 and 3 frames later, at {FPS:g} frames per second. `KalmanPredictor` and `OneEuro` are processors of dlclive-processors with their
default options apart from those named. `KalmanFilterPredictor` is that of deeplabcut-live 1.1.0, run from its own package in
an environment of its own, with its default options apart from those named; `benchmarks/deeplabcut_live_kalman.py` says how its clock is
set. All predict from the same poses.
"""


@dataclass(frozen=True)
class Clip:
    """Poses as a network gave them, (T, K, 3), and the truth: (T, K, 2), NaN where it is not known."""

    poses: Array
    truth: Array


Predictor = Callable[[Array, int], Array]
"""Poses (T, K, 3) and how many frames ahead -> positions (T, K, 2) predicted at each frame."""


def hold(poses: Array) -> Array:
    """The last confident position."""
    positions = np.where(poses[..., 2:] >= CONFIDENT, poses[..., :2], np.nan)
    for number in range(1, len(positions)):
        positions[number] = np.where(np.isnan(positions[number]), positions[number - 1], positions[number])
    return positions


def run(processor: Processor, poses: Array) -> Array:
    """The positions that a processor of ours returns for a recording."""
    skeleton = Skeleton(tuple(f"k{index}" for index in range(poses.shape[1])))
    frames = [Frame(NOTHING, number, number / FPS, number / FPS) for number in range(len(poses))]
    rows = poses.astype(np.float32)[:, None]
    returned = [processor.process(Pose(row, skeleton), frame) for row, frame in zip(rows, frames, strict=True)]
    return np.stack([pose.xy[0] for pose in returned]).astype(float)


def deeplabcut_live(python: Path, threshold: float) -> Predictor:
    """Its predictor, in its own environment."""

    def predict(poses: Array, ahead: int) -> Array:
        with tempfile.TemporaryDirectory() as folder:
            given, answer = Path(folder) / "in.npz", Path(folder) / "out.npz"
            np.savez(
                given,
                poses=np.nan_to_num(poses),
                times=np.arange(len(poses)) / FPS,
                horizons=[ahead / FPS],
                threshold=threshold,
                fps=FPS,
            )
            subprocess.run([str(python), "-I", str(HOST), str(given), str(answer)], check=True)
            return np.load(answer)["predicted"][0]

    return predict


def predictors(python: Path) -> dict[str, Predictor]:
    """All that are compared, by the names of the table."""

    def ours(make: Callable[[float], Processor]) -> Predictor:
        return lambda poses, ahead: run(make(ahead / FPS), poses)

    return {
        "the last pose is held": lambda poses, _: hold(poses),
        "`KalmanPredictor`": ours(lambda horizon: KalmanPredictor(horizon=horizon)),
        '`KalmanPredictor(order="acceleration")`': ours(
            lambda horizon: KalmanPredictor(horizon=horizon, order="acceleration")
        ),
        "`OneEuro`, which predicts nothing": ours(lambda _: OneEuro()),
        "deeplabcut-live's `KalmanFilterPredictor`": deeplabcut_live(python, 0.0),
        "deeplabcut-live's `KalmanFilterPredictor(lik_thresh=0.6)`": deeplabcut_live(python, CONFIDENT),
    }


def errors(clips: list[Clip], predict: Predictor, ahead: int) -> Array:
    """The distances of all predictions of all clips, in pixels."""
    distances = []
    for clip in clips:
        predicted = predict(clip.poses, ahead)[:-ahead]
        counts = (clip.poses[:-ahead, :, 2] >= CONFIDENT) & np.isfinite(clip.truth[ahead:, :, 0])
        counts[: int(FPS)] = False
        distances.append(np.linalg.norm(predicted - clip.truth[ahead:], axis=-1)[counts])
    return np.concatenate(distances)


def table(clips: list[Clip], python: Path) -> str:
    """A Markdown table of the errors."""
    lines = [
        "| prediction | 33 ms: median, px | p95, px | 100 ms: median, px | p95, px |",
        "|---|---|---|---|---|",
    ]
    for name, predict in predictors(python).items():
        found = [errors(clips, predict, ahead) for ahead in AHEAD]
        cells = [f"{np.median(distances):.2f} | {np.quantile(distances, 0.95):.2f}" for distances in found]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    count = " and ".join(str(len(distances)) for distances in found)
    return "\n".join([*lines, "", f"{count} predictions in each row.", ""])


def open_field(shared: Path, cache: Path) -> list[Clip]:
    """The poses of the trained network on the real video, estimated unless they are in the cache."""
    model, video = shared / "models" / "openfield_cspnext_s.pt", shared / "openfield" / "m3v1mp4.mp4"
    folder = cache / f"openfield-{sha256(model)[:12]}"
    if not list(folder.glob("run.json")):  # written last
        command = [sys.executable, "-m", "dlclive_core", "analyze", str(model), str(video)]
        subprocess.run([*command, "--out", str(folder), "--overwrite"], check=True)
    (path,) = (path for path in folder.glob("*.csv") if not path.stem.endswith("_timestamps"))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[3:]
    poses = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows]).reshape(len(rows), -1, 3)
    return [Clip(poses, np.where(poses[..., 2:] >= CONFIDENT, poses[..., :2], np.nan))]


def rendered(cache: Path) -> list[Clip]:
    """The poses of the demo's network on rendered mice whose keypoints are known."""
    path = cache / f"mice-{sha256(MODEL)[:12]}.npz"
    if not path.exists():
        poses, truths = [], []
        with load_model(MODEL) as model:
            for seed in MICE:
                source = MouseSource(seed=seed, frames=LENGTH, fps=FPS)
                poses.append([model.predict(source.render(number)).keypoints[0] for number in range(LENGTH)])
                truths.append([source.truth(number) for number in range(LENGTH)])
        np.savez(path, poses=np.array(poses, float), truths=np.array(truths, float))
    saved = np.load(path)
    visible = np.where(saved["truths"][..., 2:] > 0, saved["truths"][..., :2], np.nan)
    return [Clip(poses, truth) for poses, truth in zip(saved["poses"], visible, strict=True)]


def environment(cache: Path) -> Path:
    """The Python of an environment with deeplabcut-live 1.1.0 and numpy; made once."""
    folder = cache / "deeplabcut-live-1.1.0"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not list(folder.rglob("kalmanfilter.py")):
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "deeplabcut-live==1.1.0", "numpy<2"], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--deeplabcut-live", type=Path, metavar="PYTHON")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "dlclive-prediction")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    python = options.deeplabcut_live or environment(options.cache)
    sections = {
        "A real mouse: the open field": open_field(options.shared, options.cache),
        "Rendered mice: the demo's": rendered(options.cache),
    }
    page = [HEADER]
    for title, clips in sections.items():
        frames = sum(len(clip.poses) for clip in clips)
        page.append(f"## {title}\n\n{frames} frames, {clips[0].poses.shape[1]} keypoints.\n\n{table(clips, python)}")
    OUT.write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
