"""A real model on a real video, in torch and as ONNX, compared with the poses of deeplabcut 3.0.2.

    python benchmarks/parity_openfield.py ../shared

The folder holds `models/` with openfield_cspnext_s.pt and deeplabcut's poses, and `openfield/` with the video and labelled frames.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlclive_core import load_model

CONFIDENT = 0.6


def analyse(model: Path, video: Path, out: Path) -> NDArray[np.float64]:
    """Run `dlclive analyze` and return the table as (T, K, 3)."""
    command = [
        sys.executable,
        "-m",
        "dlclive_core",
        "analyze",
        str(model),
        str(video),
        "--out",
        str(out),
        "--device",
        "cpu",
    ]
    subprocess.run(command, check=True)
    (table,) = out.glob("*.h5")
    frame = pd.read_hdf(table)
    return frame.to_numpy(float).reshape(len(frame), -1, 3)


def line(name: str, poses: NDArray[np.float64], expected: NDArray[np.float64]) -> str:
    """A table row: median, 99th percentile and maximum of the distance where the reference is confident."""
    frames = min(len(poses), len(expected))
    poses, expected = poses[:frames], expected[:frames]
    confident = expected[..., 2] > CONFIDENT
    px = np.linalg.norm(poses[..., :2] - expected[..., :2], axis=-1)
    score = np.abs(poses[..., 2] - expected[..., 2])
    return (
        f"| {name} | {frames} | {int(confident.sum())} of {confident.size} | {np.median(px[confident]):.5f} | "
        f"{np.percentile(px[confident], 99):.5f} | {px[confident].max():.5f} | {px.max():.3f} | {score.max():.1e} |"
    )


def labelled_error(model: Path, shared: Path) -> tuple[float, float, float]:
    """The mean error of confident keypoints for this model and for deeplabcut, and the share of confident keypoints."""
    import cv2

    labels = pd.read_csv(shared / "openfield" / "labels.csv", header=[0, 1, 2], index_col=0)
    expected = labels.to_numpy(float).reshape(len(labels), -1, 2)
    theirs = pd.read_csv(shared / "models" / "reference_labelled_frames.csv", index_col=0)
    reference = theirs.to_numpy(float).reshape(len(theirs), -1, 3)
    with load_model(model, device="cpu") as loaded:
        images = [cv2.imread(str(shared / "openfield" / "frames" / name))[:, :, ::-1] for name in theirs.index]
        ours = np.stack([loaded.predict(np.ascontiguousarray(image)).single() for image in images])

    def error(poses: NDArray[np.float64]) -> float:
        counted = (poses[..., 2] > CONFIDENT) & np.isfinite(expected[..., 0])
        return float(np.linalg.norm(poses[..., :2] - expected, axis=-1)[counted].mean())

    return error(ours), error(reference), float((ours[..., 2] > CONFIDENT).mean())


def main() -> None:
    """Print Markdown tables."""
    shared = Path(sys.argv[1])
    model, video = shared / "models" / "openfield_cspnext_s.pt", shared / "openfield" / "m3v1mp4.mp4"
    reference = pd.read_csv(shared / "models" / "reference_video_first_300.csv", header=[0, 1, 2], index_col=0)
    expected = reference.to_numpy(float).reshape(len(reference), -1, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = folder / "openfield.onnx"
        subprocess.run([sys.executable, "-m", "dlclive_core", "export", str(model), str(exported)], check=True)
        torch, onnx = analyse(model, video, folder / "torch"), analyse(exported, video, folder / "onnx")
        print(
            "\n| compared | frames | keypoints over 0.6 | median px | p99 px | max px | max px of all | max confidence |"
        )
        print("|---|---|---|---|---|---|---|---|")
        print(line("torch, deeplabcut 3.0.2", torch, expected))
        print(line("ONNX, deeplabcut 3.0.2", onnx, expected))
        print(line("ONNX, torch", onnx, torch))
        print(
            "\n| labelled frames | mean error px, confidence over 0.6 | deeplabcut's | share of keypoints |\n|---|---|---|---|"
        )
        for title, path in (("torch", model), ("ONNX", exported)):
            mine, theirs, share = labelled_error(path, shared)
            print(f"| {title} | {mine:.4f} | {theirs:.4f} | {share:.2f} |")


if __name__ == "__main__":
    main()
