"""The speed-up over deeplabcut-live, which runs the same model on the same frames in turns.

    python benchmarks/against_deeplabcut_live.py PYTHON MODEL.pt CLIP [--size WxH] [--frames 48] [--rounds 3]
        [--block 8] [--title TITLE] CANDIDATE ...

PYTHON is the Python of an environment with `deeplabcut-live==1.1.0` and `deeplabcut==3.0.2`. A candidate is
runtime:precision=FILE, for example onnx:fp32=model.onnx; without FILE it is MODEL.pt. A suffix @WxH adds a window that follows the
animal and, unless it is square, rotates with it. All take turns; both processes use their default number of threads. Times are
from a numpy frame to a numpy pose, and medians are compared. The error is measured on the keypoints with a deeplabcut-live
confidence of 0.6 or more, or on all keypoints if there are none. The table replaces the one with the same title in
against_deeplabcut_live.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlclive_core import EndOfStream, PluginCatalog, as_rgb
from dlclive_core.benchmark.candidate import Candidate, FollowingCropSpec
from dlclive_core.benchmark.candidate_run import CandidateRun
from dlclive_core.machine.system import system_info
from dlclive_core.plugins.sources import source_for
from tools.parity.partner import Partner

OUT = Path(__file__).with_suffix(".md")
CALM = 0.25  # seconds before each turn: idle threads, of OpenMP for example, spin on the cores for a while after a turn
HEADER = """# Against deeplabcut-live

Made with benchmarks/against_deeplabcut_live.py (see its docstring for the usage): deeplabcut-live 1.1.0 and dlclive ran the same
model on the same frames, in turns on the same cores. Times are milliseconds from a numpy frame to a numpy pose. "Times as fast" is
the ratio of the medians; on a shared machine only this ratio is reliable. Errors are distances between the two poses in pixels.
"""


@dataclass(frozen=True)
class Row:
    """The results of deeplabcut-live or of one candidate."""

    label: str
    times: NDArray[np.float64]
    error: str
    searched: int = 0

    def cells(self, reference: float) -> str:
        p50, p95, p99 = np.percentile(self.times, (50, 95, 99)) * 1e3
        mean = self.times.mean()
        ratio = reference / p50 * 1e3
        return (
            f"| {self.label} | {p50:.2f} | {p95:.2f} | {p99:.2f} | {1 / mean:.1f} | {ratio:.2f} | {self.error} | "
            f"{self.searched} |"
        )


def candidate(text: str, model: Path) -> Candidate:
    match = re.fullmatch(r"(\w+):(\w+)(?:=([^@]+))?(?:@(\d+)x(\d+))?", text)
    if match is None:
        raise SystemExit(f"a candidate must be runtime:precision=FILE@WxH; got {text!r}")
    runtime, precision, file, width, height = match.groups()
    window = (int(width), int(height)) if width else None
    rotates = window is not None and window[0] != window[1]
    follow = FollowingCropSpec(margin=0, window=window, at_once=True, align=32, rotates=rotates) if window else None
    path = Path(file) if file else model
    return Candidate(runtime=runtime, precision=precision, device="cpu", path=path, follow=follow)


def read(clip: Path, count: int, size: tuple[int, int] | None) -> list[NDArray[np.uint8]]:
    frames: list[NDArray[np.uint8]] = []
    with source_for(clip, PluginCatalog.installed()) as source:
        source.open()
        try:
            while len(frames) < count:
                image = as_rgb(source.read(1.0).image)
                frames.append(np.ascontiguousarray(image if size is None else cv2.resize(image, size)))
        except EndOfStream:
            pass
    return frames


def error(expected: NDArray[np.float64], actual: NDArray[np.float64]) -> str:
    """Median, 95th and 99th percentile of the distance in pixels between (frames, K, 3) poses."""
    confident = expected[..., 2] >= 0.6
    basis = f"{confident.sum()} confident keypoints"
    if not confident.any():
        confident, basis = np.ones_like(confident), f"all {confident.size} keypoints, none is confident"
    distance = np.hypot(*(expected[..., axis] - actual[..., axis] for axis in (0, 1)))[confident]
    distance = np.where(np.isfinite(distance), distance, np.inf)
    median, p95, p99 = np.quantile(distance, (0.5, 0.95, 0.99), method="higher")
    return f"{median:.4f}, {p95:.4f}, {p99:.4f} ({basis})"


def measure(
    python: str, model: Path, frames: list[NDArray[np.uint8]], candidates: list[Candidate], rounds: int, block: int
) -> list[Row]:
    catalog = PluginCatalog.installed()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "frames.npy"
        np.save(clip, np.stack(frames))
        host = Path(__file__).with_name("deeplabcut_live_host.py")
        partner = Partner([python, str(host)], Path(folder) / "log", threads=None)
        reply = partner.ask({"load": str(model.resolve()), "frames": str(clip)})
        if "error" in reply:
            raise SystemExit(f"deeplabcut-live: {reply['error']}")
        runs = [CandidateRun(candidate, catalog) for candidate in candidates]
        times: list[float] = []
        poses: list[list[list[float]]] = []
        for run in runs:
            run.warm_up(frames, 8)
        for number in range(rounds):
            for start in range(0, len(frames), block):
                part = frames[start : start + block]
                time.sleep(CALM)
                reply = partner.ask({"run": [start, start + len(part)]})
                times += reply["times"]
                poses += reply["poses"] if number == 0 else []
                for run in runs:
                    time.sleep(CALM)
                    run.run(part, first=start == 0, raw_call=False, poses=number == 0)
                print(f"round {number + 1} of {rounds}, frame {start + len(part)}", file=sys.stderr, end="\r")
        partner.close()
        results = [run.result(len(frames)) for run in runs]
    expected = np.array(poses)
    rows = [Row("deeplabcut-live 1.1.0", np.array(times), "")]
    for result in results:
        if result.failure:
            raise SystemExit(f"{result.candidate.label}: {result.failure}")
        actual = np.stack([pose.keypoints.reshape(-1, 3) for pose in result.poses])
        rows.append(Row(result.candidate.label, result.times, error(expected, actual), result.searched))
    return rows


def write(title: str, text: str) -> None:
    """Add the section to the file, or replace the one with the same title."""
    sections = OUT.read_text(encoding="utf-8").split("\n## ")[1:] if OUT.exists() else []
    kept = [section for section in sections if section.partition("\n")[0] != title]
    page = "\n## ".join([HEADER, *(section.strip() + "\n" for section in [*kept, f"{title}\n\n{text}"])])
    OUT.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("candidates", nargs="+")
    parser.add_argument("--size", help="WxH of the frames (default: the size of the clip)")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--block", type=int, default=8, help="frames per turn")
    parser.add_argument("--title")
    options = parser.parse_args()
    size = tuple(int(part) for part in options.size.split("x")) if options.size else None
    frames = read(options.clip, options.frames, size)
    height, width = frames[0].shape[:2]
    candidates = [candidate(text, options.model) for text in options.candidates]
    rows = measure(options.python, options.model, frames, candidates, options.rounds, options.block)
    info = system_info()
    reference = float(np.median(rows[0].times))
    title = options.title or f"{options.model.stem}, {width} x {height}"
    text = (
        f"{info['processor']}, {info['cpus']} CPUs; {len(frames)} frames of {options.clip.name}, {options.rounds} rounds, turns of {options.block} frames, {CALM} s after the one before.\n\n"
        "| what | p50 ms | p95 ms | p99 ms | FPS | times as fast | error px: median, p95, p99 | frames searched whole |\n"
        "|---|---|---|---|---|---|---|---|\n" + "\n".join(row.cells(reference) for row in rows) + "\n"
    )
    print(f"\n{title}\n\n{text}")
    write(title, text)


if __name__ == "__main__":
    main()
