"""A student beside its teacher and deeplabcut-live: time, error, jitter, guard, and the cascade of both.

    python benchmarks/distill.py PYTHON MODEL.pt VIDEO STUDENT.onnx [--frames 1700:2330] [--labels FOLDER] [--rounds 3] [--note TEXT] [--times-only]

PYTHON is the Python of an environment with `deeplabcut-live==1.1.0` and `deeplabcut==3.0.2`. The frames are those that the student
was not trained on. FOLDER holds `labels.csv` in DeepLabCut's layout and `frames/`. Times are from a numpy frame to a
numpy pose; all take turns on the same cores, with their default numbers of threads. Writes distill.md; with --times-only it
prints the table of times and writes nothing, as for a CPU that is imitated:

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 python benchmarks/distill.py ... --times-only
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlclive_distill.training.placement import mirrored_order

from dlclive_core import Cascade, EndOfStream, PluginCatalog, PoseModel, UsageError, as_rgb, export_model, load_model
from dlclive_core.demo.source import MouseSource
from dlclive_core.machine.system import system_info
from dlclive_core.plugins.sources import source_for
from tools.parity.partner import Partner

OUT = Path(__file__).with_suffix(".md")
SURE, OFF = 0.6, 3.0
CALM = 0.25  # seconds before each turn, for threads that spin on after one
BLOCK, TIMED = 8, 48
LIMITS = (1.0, 0.5, 0.25, 0.1, 0.05)
MOVES = ((1, 0), (0, 2), (4, 4), (8, 8), (16, 0), (32, 0))  # pixels
Frames = list[NDArray[np.uint8]]


def read(video: Path, first: int, last: int) -> Frames:
    frames: Frames = []
    with source_for(video, PluginCatalog.installed()) as source:
        source.open()
        try:
            while True:
                frame = source.read(1.0)
                if frame.index >= last:
                    break
                if frame.index >= first:
                    frames.append(np.ascontiguousarray(as_rgb(frame.image)))
        except EndOfStream:
            pass
    return frames


@dataclass(frozen=True)
class Answers:
    """Keypoints (N, K, 3) and how unlike the training each frame is (N,)."""

    keypoints: NDArray[np.float32]
    unlike: NDArray[np.float64]


def answers(model: PoseModel, frames: Frames) -> Answers:
    poses = [model.predict(frame) for frame in frames]
    unlike = [0.0 if pose.unlike is None else pose.unlike for pose in poses]
    return Answers(np.stack([pose.single() for pose in poses]), np.array(unlike))


def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    distance = np.linalg.norm(one[..., :2].astype(float) - other[..., :2], axis=-1)
    return np.where(np.isfinite(distance), distance, np.inf)


def quantiles(values: NDArray[np.float64]) -> str:
    if not len(values):
        return "- | - | -"
    return " | ".join(f"{value:.2f}" for value in np.quantile(values, (0.5, 0.95, 0.99), method="higher"))


def jitter(keypoints: NDArray[np.float32], sure: NDArray[np.bool_]) -> float:
    """Median length of the second difference over successive frames in which the teacher is sure."""
    second = keypoints[2:, :, :2] - 2 * keypoints[1:-1, :, :2] + keypoints[:-2, :, :2]
    return float(np.median(np.linalg.norm(second, axis=-1)[sure[2:] & sure[1:-1] & sure[:-2]]))


def timed(
    python: str, model: Path, frames: Frames, candidates: dict[str, Callable[[NDArray[np.uint8]], object]], rounds: int
) -> dict[str, NDArray[np.float64]]:
    """Seconds of each call, deeplabcut-live first; all in turns, a block of frames each."""
    times: dict[str, list[float]] = {"deeplabcut-live 1.1.0": [], **{name: [] for name in candidates}}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "frames.npy"
        np.save(clip, np.stack(frames))
        partner = Partner(
            [python, str(Path(__file__).with_name("deeplabcut_live_host.py"))], Path(folder) / "log", threads=None
        )
        reply = partner.ask({"load": str(model.resolve()), "frames": str(clip)})
        if "error" in reply:
            raise SystemExit(f"deeplabcut-live: {reply['error']}")
        for _ in range(rounds):
            for first in range(0, len(frames), BLOCK):
                block = frames[first : first + BLOCK]
                time.sleep(CALM)
                times["deeplabcut-live 1.1.0"] += partner.ask({"run": [first, first + len(block)]})["times"]
                for name, call in candidates.items():
                    time.sleep(CALM)
                    call(block[0])
                    for frame in block:
                        began = time.perf_counter()
                        call(frame)
                        times[name].append(time.perf_counter() - began)
    return {name: np.array(values) for name, values in times.items()}


def labelled(folder: Path) -> tuple[Frames, NDArray[np.float64]]:
    rows = [line.split(",") for line in (folder / "labels.csv").read_text(encoding="utf-8").splitlines()[3:]]
    frames = [np.ascontiguousarray(cv2.imread(str(folder / "frames" / Path(row[0]).name))[..., ::-1]) for row in rows]
    values = [[float(cell) if cell else np.nan for cell in row[1:]] for row in rows]
    return frames, np.array(values).reshape(len(rows), -1, 2)


def altered(
    frames: Frames, taught: NDArray[np.float32], order: list[int]
) -> dict[str, tuple[Frames, NDArray[np.float32]]]:
    """Frames in ways in which a rig can change, and where the keypoints are there."""
    width = frames[0].shape[1]
    mirrored = taught[:, order].copy()
    mirrored[..., 0] = width - mirrored[..., 0]
    nothing = np.full_like(taught, np.nan)
    nothing[..., 2] = 1.0
    with MouseSource(seed=0, frames=len(frames), size=(width, frames[0].shape[0])) as mouse:
        others = [np.ascontiguousarray(mouse.render(number)) for number in range(len(frames))]
    return {
        "as they are": (frames, taught),
        "darkened to half": ([(frame // 2).astype(np.uint8) for frame in frames], taught),
        "darkened to an eighth": ([(frame // 8).astype(np.uint8) for frame in frames], taught),
        "blurred, sigma 3 px": ([cv2.GaussianBlur(frame, (0, 0), 3) for frame in frames], taught),
        "blurred, sigma 8 px": ([cv2.GaussianBlur(frame, (0, 0), 8) for frame in frames], taught),
        "mirrored": ([np.ascontiguousarray(frame[:, ::-1]) for frame in frames], mirrored),
        "of another video (a rendered mouse)": (others, nothing),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("python", "model", "video", "student"):
        parser.add_argument(name)
    parser.add_argument("--frames", default="1700:2330")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--note", default="")
    parser.add_argument("--times-only", action="store_true")
    arguments = parser.parse_args()
    first, last = (int(number) for number in arguments.frames.split(":"))
    frames = read(Path(arguments.video), first, last)
    model = Path(arguments.model)
    with tempfile.TemporaryDirectory() as folder:
        exported = export_model(model, Path(folder) / "teacher.onnx").target
        with (
            load_model(exported, "onnx", device="cpu", profile=None) as teacher,
            load_model(exported, "openvino", device="cpu", precision="fp32", profile=None) as teacher_openvino,
            load_model(arguments.student, "onnx", device="cpu", profile=None) as student,
            load_model(arguments.student, "openvino", device="cpu", precision="fp32", profile=None) as openvino,
            in_bf16(arguments.student) as half,
        ):
            text = report(arguments, model, frames, teacher, teacher_openvino, student, openvino, half)
    if not arguments.times_only:
        OUT.write_text(text, encoding="utf-8")
    print(text)


def in_bf16(student: str) -> AbstractContextManager[PoseModel | None]:
    """The student in bf16; None where the CPU has none."""
    try:
        return load_model(student, "openvino", device="cpu", precision="bf16", profile=None)
    except UsageError as error:
        print(error, file=sys.stderr)
        return nullcontext()


def report(
    arguments: argparse.Namespace,
    model: Path,
    frames: Frames,
    teacher: PoseModel,
    teacher_openvino: PoseModel,
    student: PoseModel,
    openvino: PoseModel,
    half: PoseModel | None,
) -> str:
    shown = frames[:: max(1, len(frames) // TIMED)][:TIMED]
    cascade = Cascade(student, teacher, limit=1.0, owns_teacher=False)
    candidates = {
        "the teacher, exported, onnx fp32": teacher.predict,
        "the teacher, exported, openvino fp32": teacher_openvino.predict,
        "the student, onnx fp32": student.predict,
        "the student, openvino fp32": openvino.predict,
        **({} if half is None else {"the student, openvino bf16": half.predict}),
        "the cascade of both, onnx fp32": cascade.predict,
    }
    times = timed(arguments.python, model, shown, candidates, arguments.rounds)
    if arguments.times_only:
        return "\n".join(time_table(times)) + "\n"
    taught, seen = answers(teacher, frames), answers(student, frames)
    sure = taught.keypoints[..., 2] >= SURE
    lone = sure & (sure.sum(1, keepdims=True) < 2)
    distance = apart(seen.keypoints, taught.keypoints)
    facts = student.card.student
    lines = [
        "# A student beside its teacher",
        "",
        f"Made with benchmarks/distill.py on {system_info()['processor']}. {arguments.note}".strip(),
        "",
        f"The student ({student.card.net_type}, {facts.steps if facts else '?'} steps, seed {facts.seed if facts else '?'}) was trained "
        f"by `dlclive distill`; all below is measured on frames {arguments.frames} of the video, which it has not seen.",
        "",
        "## Time, from a numpy frame to a numpy pose, in turns",
        "",
        *time_table(times),
        "",
        "## Distance to the teacher, where the teacher is sure (confidence 0.6 or more)",
        "",
        "| | keypoints | median px | p95 | p99 |",
        "|---|---|---|---|---|",
        f"| all | {sure.sum()} | {quantiles(distance[sure])} |",
        f"| in frames in which it is sure of two or more | {(sure & ~lone).sum()} | {quantiles(distance[sure & ~lone])} |",
        f"| in frames in which it is sure of one only | {lone.sum()} | {quantiles(distance[lone])} |",
        "",
        f"Lost (the teacher is sure, the student is not): {np.mean(seen.keypoints[..., 2][sure] < SURE):.1%}; the other way round: "
        f"{np.mean(seen.keypoints[..., 2][~sure] >= SURE):.1%} of the others. Jitter (median second difference): student "
        f"{jitter(seen.keypoints, sure):.2f} px, teacher {jitter(taught.keypoints, sure):.2f} px.",
    ]
    if half is not None:
        rounded = apart(answers(half, frames).keypoints, seen.keypoints)
        moved = quantiles(rounded[seen.keypoints[..., 2] >= SURE])
        lines += ["", f"In bf16 its sure keypoints move by {moved} px (median, p95, p99)."]
    lines += ["", *itself(frames[::3], taught.keypoints[::3], teacher)]
    if arguments.labels is not None:
        lines += ["", *beside_people(arguments.labels, teacher, student)]
    lines += ["", *cascades(distance, sure, seen, times)]
    lines += ["", *guard(frames, taught.keypoints, student)]
    return "\n".join(lines) + "\n"


def time_table(times: dict[str, NDArray[np.float64]]) -> list[str]:
    lines = [
        "| | p50 ms | p95 | p99 | times as fast as deeplabcut-live (median; mean) |",
        "|---|---|---|---|---|",
    ]
    live = times["deeplabcut-live 1.1.0"]
    for name, values in times.items():
        p50, p95, p99 = np.percentile(values, (50, 95, 99)) * 1e3
        faster = f"{1e3 * np.median(live) / p50:.1f}; {live.mean() / values.mean():.1f}"
        lines.append(f"| {name} | {p50:.2f} | {p95:.2f} | {p99:.2f} | {faster} |")
    return lines


def itself(frames: Frames, taught: NDArray[np.float32], teacher: PoseModel) -> list[str]:
    """How far the teacher is from itself when all that it sees is a few pixels farther on."""
    lines = [
        "## The teacher beside itself: every third frame moved by a few pixels, and the keypoints moved back",
        "",
        "| moved right, down [px] | median px | p95 | p99 |",
        "|---|---|---|---|",
    ]
    height, width, _ = frames[0].shape
    for right, down in MOVES:
        matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
        moved = [
            cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            for frame in frames
        ]
        back = answers(teacher, moved).keypoints - np.array([right, down, 0], np.float32)
        sure = (taught[..., 2] >= SURE) & (back[..., 2] >= SURE)
        lines.append(f"| {right}, {down} | {quantiles(apart(back, taught)[sure])} |")
    return lines


def beside_people(folder: Path, teacher: PoseModel, student: PoseModel) -> list[str]:
    images, truth = labelled(folder)
    found = {"teacher": answers(teacher, images).keypoints, "student": answers(student, images).keypoints}
    counted = (found["teacher"][..., 2] > SURE) & np.isfinite(truth[..., 0])
    lines = [
        f"## Distance to people's labels ({len(images)} frames of another video; {counted.sum()} points of which the teacher is sure)",
        "",
        "| | mean px | median |",
        "|---|---|---|",
    ]
    for name, keypoints in found.items():
        distance = np.linalg.norm(keypoints[..., :2] - truth, axis=-1)[counted]
        lines.append(f"| {name} | {distance.mean():.2f} | {np.median(distance):.2f} |")
    return lines


def cascades(
    distance: NDArray[np.float64], sure: NDArray[np.bool_], seen: Answers, times: dict[str, NDArray[np.float64]]
) -> list[str]:
    """What the cascade makes of it for other limits: frames above are answered by the teacher, whose distance to itself is 0."""
    live = times["deeplabcut-live 1.1.0"].mean()
    own, other = (
        [times[f"{name}, {runtime} fp32"].mean() for runtime in ("onnx", "openvino")]
        for name in ("the student", "the teacher, exported")
    )
    lines = [
        "## The cascade, for limits of the guard",
        "",
        "Times as fast: mean times of the table above, with this share of frames run twice.",
        "",
        "| limit | frames to the teacher | median px | p95 | p99 | times as fast as deeplabcut-live: onnx | openvino |",
        "|---|---|---|---|---|---|---|",
    ]
    for limit in LIMITS:
        passed = seen.unlike > limit
        left = np.where(passed[:, None], 0.0, distance)[sure]
        speeds = " | ".join(f"{live / (one + passed.mean() * two):.1f}" for one, two in zip(own, other, strict=True))
        lines.append(f"| {limit:g} | {passed.mean():.1%} | {quantiles(left)} | {speeds} |")
    return lines


def guard(frames: Frames, taught: NDArray[np.float32], student: PoseModel) -> list[str]:
    order = list(mirrored_order(student.card.skeleton.keypoints))
    lines = [
        f"## The guard: frames in which the student is off by more than {OFF:g} px on average, and others",
        "",
        "Frames in which the teacher is sure of fewer than two keypoints are left out.",
        "",
        "| frames | off | of these marked | not off | of these marked |",
        "|---|---|---|---|---|",
    ]
    for name, (images, truth) in altered(frames[::3], taught[::3], order).items():
        found = answers(student, images)
        sure = truth[..., 2] >= SURE
        counted = sure.sum(1) >= 2
        distance = np.where(sure, np.nan_to_num(apart(found.keypoints, truth), posinf=1e3), 0).sum(1) / np.maximum(
            1, sure.sum(1)
        )
        is_off, marked = distance > OFF, found.unlike > 1
        off, good = counted & is_off, counted & ~is_off
        lines.append(f"| {name} | {off.sum()} | {_share(marked[off])} | {good.sum()} | {_share(marked[good])} |")
    return lines


def _share(marked: NDArray[np.bool_]) -> str:
    return f"{marked.mean():.0%}" if len(marked) else "-"


if __name__ == "__main__":
    main()
