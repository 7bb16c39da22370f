"""A real model on a real video, against deeplabcut 3.0.2's own poses, in torch and as ONNX.

    python benchmarks/parity_openfield.py ../shared

The folder holds `models/openfield_cspnext_s.pt`, what deeplabcut answered for it, and `openfield/`, the video and labelled frames.
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
    """(T, K, 3) of the command line's table."""
    words = [
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
    subprocess.run(words, check=True)
    (table,) = out.glob("*.h5")
    frame = pd.read_hdf(table)
    return frame.to_numpy(float).reshape(len(frame), -1, 3)


def line(name: str, found: NDArray[np.float64], wanted: NDArray[np.float64]) -> str:
    """One row: median, 99th percentile and maximum where the reference is confident."""
    frames = min(len(found), len(wanted))
    found, wanted = found[:frames], wanted[:frames]
    sure = wanted[..., 2] > CONFIDENT
    px = np.linalg.norm(found[..., :2] - wanted[..., :2], axis=-1)
    score = np.abs(found[..., 2] - wanted[..., 2])
    return (
        f"| {name} | {frames} | {int(sure.sum())} of {sure.size} | {np.median(px[sure]):.5f} | {np.percentile(px[sure], 99):.5f} | "
        f"{px[sure].max():.5f} | {px.max():.3f} | {score.max():.1e} |"
    )


def labelled_error(model: Path, shared: Path) -> tuple[float, float, float]:
    """Mean error to the labels where this model is confident, the same of deeplabcut's poses, and the share of keypoints."""
    import cv2

    labels = pd.read_csv(shared / "openfield" / "labels.csv", header=[0, 1, 2], index_col=0)
    wanted = labels.to_numpy(float).reshape(len(labels), -1, 2)
    theirs = pd.read_csv(shared / "models" / "reference_labelled_frames.csv", index_col=0)
    reference = theirs.to_numpy(float).reshape(len(theirs), -1, 3)
    with load_model(model, device="cpu") as loaded:
        images = [cv2.imread(str(shared / "openfield" / "frames" / name))[:, :, ::-1] for name in theirs.index]
        ours = np.stack([loaded.predict(np.ascontiguousarray(image)).single() for image in images])

    def error(poses: NDArray[np.float64]) -> float:
        counted = (poses[..., 2] > CONFIDENT) & np.isfinite(wanted[..., 0])
        return float(np.linalg.norm(poses[..., :2] - wanted, axis=-1)[counted].mean())

    return error(ours), error(reference), float((ours[..., 2] > CONFIDENT).mean())


def main() -> None:
    """Print Markdown tables."""
    shared = Path(sys.argv[1])
    model, video = shared / "models" / "openfield_cspnext_s.pt", shared / "openfield" / "m3v1mp4.mp4"
    reference = pd.read_csv(shared / "models" / "reference_video_first_300.csv", header=[0, 1, 2], index_col=0)
    wanted = reference.to_numpy(float).reshape(len(reference), -1, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = folder / "openfield.onnx"
        subprocess.run([sys.executable, "-m", "dlclive_core", "export", str(model), str(exported)], check=True)
        torch, onnx = analyse(model, video, folder / "torch"), analyse(exported, video, folder / "onnx")
        print(
            "\n| compared | frames | keypoints over 0.6 | median px | p99 px | max px | max px of all | max confidence |"
        )
        print("|---|---|---|---|---|---|---|---|")
        print(line("torch, deeplabcut 3.0.2", torch, wanted))
        print(line("ONNX, deeplabcut 3.0.2", onnx, wanted))
        print(line("ONNX, torch", onnx, torch))
        print(
            "\n| labelled frames | mean error px, confidence over 0.6 | deeplabcut's | share of keypoints |\n|---|---|---|---|"
        )
        for title, path in (("torch", model), ("ONNX", exported)):
            mine, theirs, share = labelled_error(path, shared)
            print(f"| {title} | {mine:.4f} | {theirs:.4f} | {share:.2f} |")


if __name__ == "__main__":
    main()
