"""How many times as fast as deeplabcut-live, which ran the same model on the same frames in between.

    python benchmarks/against_deeplabcut_live.py PYTHON MODEL.pt CLIP [--size WxH] [--frames 48] [--rounds 3]
        [--block 8] [--title TITLE] CANDIDATE ...

PYTHON is that of an environment with `deeplabcut-live==1.1.0` and `deeplabcut==3.0.2`. A candidate is
runtime:precision=FILE, for example onnx:fp32=model.onnx, and may end with @WxH for a window that follows the animal and rotates
with it. FILE is left out where it is MODEL.pt. All take turns, both processes with as many threads as they like; times are from
a numpy frame to a numpy pose, and medians are compared. The error is that of keypoints of which deeplabcut-live is sure (0.6),
or of all where it is sure of none. The table replaces the one of the same title in against_deeplabcut_live.md.
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

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "parity"))

from partner import Partner

from dlclive_core import EndOfStream, PluginCatalog, as_rgb
from dlclive_core.benchmark.candidate import Candidate, FollowingCropSpec
from dlclive_core.benchmark.candidate_run import CandidateRun
from dlclive_core.machine.system import system_info
from dlclive_core.plugins.sources import source_for

OUT = Path(__file__).with_suffix(".md")
CALM = 0.25  # seconds before each turn: idle threads of OpenMP and the like go on spinning for a while, on our cores
HEADER = """# Against deeplabcut-live

Made with benchmarks/against_deeplabcut_live.py (its first lines say how to call it): deeplabcut-live 1.1.0 and dlclive ran the
same model on the same frames, taking turns on the same cores. Milliseconds from a numpy frame to a numpy pose. "Times as fast" is
the ratio of the medians; on a shared machine only this can be trusted. Errors are pixels of the frame between the two poses.
"""


@dataclass(frozen=True)
class Row:
    """What was measured of one of them."""

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
        raise SystemExit(f"a candidate is runtime:precision=FILE@WxH, not {text!r}")
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


def error(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> str:
    """Median and 95th percentile in pixels; `wanted` and `found` are (frames, K, 3)."""
    sure = wanted[..., 2] >= 0.6
    what = f"{sure.sum()} sure keypoints"
    if not sure.any():
        sure, what = np.ones_like(sure), f"all {sure.size} keypoints, none is sure"
    away = np.hypot(*(wanted[..., axis] - found[..., axis] for axis in (0, 1)))[sure]
    away = np.where(np.isfinite(away), away, np.inf)
    median, p95, p99 = np.quantile(away, (0.5, 0.95, 0.99), method="higher")
    return f"{median:.4f}, {p95:.4f}, {p99:.4f} ({what})"


def measure(
    python: str, model: Path, frames: list[NDArray[np.uint8]], candidates: list[Candidate], rounds: int, block: int
) -> list[Row]:
    catalog = PluginCatalog.installed()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "frames.npy"
        np.save(clip, np.stack(frames))
        host = Path(__file__).with_name("deeplabcut_live_host.py")
        partner = Partner([python, str(host)], Path(folder) / "log", threads=None)
        asked = partner.ask({"load": str(model.resolve()), "frames": str(clip)})
        if "error" in asked:
            raise SystemExit(f"deeplabcut-live: {asked['error']}")
        loaded = [CandidateRun(one, catalog) for one in candidates]
        times: list[float] = []
        poses: list[list[list[float]]] = []
        for one in loaded:
            one.warm_up(frames, 8)
        for number in range(rounds):
            for start in range(0, len(frames), block):
                part = frames[start : start + block]
                time.sleep(CALM)
                said = partner.ask({"run": [start, start + len(part)]})
                times += said["times"]
                poses += said["poses"] if number == 0 else []
                for one in loaded:
                    time.sleep(CALM)
                    one.run(part, first=start == 0, raw_call=False, poses=number == 0)
                print(f"round {number + 1} of {rounds}, frame {start + len(part)}", file=sys.stderr, end="\r")
        partner.close()
        results = [one.result(len(frames)) for one in loaded]
    wanted = np.array(poses)
    rows = [Row("deeplabcut-live 1.1.0", np.array(times), "")]
    for result in results:
        if result.failure:
            raise SystemExit(f"{result.candidate.label}: {result.failure}")
        found = np.stack([pose.keypoints.reshape(-1, 3) for pose in result.poses])
        rows.append(Row(result.candidate.label, result.times, error(wanted, found), result.searched))
    return rows


def write(title: str, text: str) -> None:
    """Put the section into the file, in the place of the one with the same title."""
    sections = OUT.read_text(encoding="utf-8").split("\n## ")[1:] if OUT.exists() else []
    kept = [section for section in sections if section.partition("\n")[0] != title]
    whole = "\n## ".join([HEADER, *(section.strip() + "\n" for section in [*kept, f"{title}\n\n{text}"])])
    OUT.write_text(whole, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("candidates", nargs="+")
    parser.add_argument("--size", help="WxH of the frames; by default the clip's")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--block", type=int, default=8, help="frames of a turn")
    parser.add_argument("--title")
    given = parser.parse_args()
    size = tuple(int(part) for part in given.size.split("x")) if given.size else None
    frames = read(given.clip, given.frames, size)
    height, width = frames[0].shape[:2]
    candidates = [candidate(text, given.model) for text in given.candidates]
    rows = measure(given.python, given.model, frames, candidates, given.rounds, given.block)
    info = system_info()
    reference = float(np.median(rows[0].times))
    title = given.title or f"{given.model.stem}, {width} x {height}"
    text = (
        f"{info['processor']}, {info['cpus']} CPUs; {len(frames)} frames of {given.clip.name}, {given.rounds} rounds, turns of {given.block} frames, {CALM} s after the one before.\n\n"
        "| what | p50 ms | p95 ms | p99 ms | FPS | times as fast | error px: median, p95, p99 | frames searched whole |\n"
        "|---|---|---|---|---|---|---|---|\n" + "\n".join(row.cells(reference) for row in rows) + "\n"
    )
    print(f"\n{title}\n\n{text}")
    write(title, text)


if __name__ == "__main__":
    main()
