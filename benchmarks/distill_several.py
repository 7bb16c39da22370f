"""Students of 2 and of 4 rendered mice that cross and hide each other: error, lost and hallucinated animals, time per frame.

    python benchmarks/distill_several.py [--steps 600] [--animals 2 4] [--student window-small] [--folder FOLDER]

The teacher is the rendering itself, which knows where every keypoint is, so what is measured is the student and its training. The
training uses one thread; times are of one frame at a time, in turns. Prints Markdown for distill_several.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from dlclive_distill.footage import Footage, Labelled
from dlclive_distill.judging import Predict, judge
from dlclive_distill.training import TrainedStudent, TrainingProgress, TrainingSettings, train
from dlclive_torch.onnx_file import write_onnx
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.rendered_mice import SKELETON, RenderedMice
from dlclive_core import Judgement, ModelCard, PoseModel, StudentFacts, load_model
from dlclive_core.machine.system import system_info

FRAMES, LEARNT = 6000, 500
FIRST_PART = 4000  # frames of which some are learnt from
STRETCHES, STRETCH = 6, 100  # of successive frames to judge on, spread over the rest
SIZE = (640, 480)
RUNTIMES = (("onnx", "fp32"), ("openvino", "fp32"))
FACTS = StudentFacts(
    teacher="rendering", teacher_sha256="0" * 64, videos=(), student="window", frames=0, steps=0, seed=0, median_px=0,
    p95_px=0, p99_px=0, lost=0, hallucinated=0,
)  # fmt: skip


@dataclass(frozen=True)
class Rendering:
    """What stands in for a teacher."""

    animals: int


def labelled(
    mice: RenderedMice, numbers: NDArray[np.int64], rng: np.random.Generator, starts: tuple[int, ...] = (0,)
) -> Labelled:
    """Frames with the truth; the order of the animals is random, as a network's is."""
    frames = np.stack([mice.render(int(number)) for number in numbers])
    keypoints = np.stack([rng.permutation(mice.truth(int(number)), axis=0) for number in numbers])
    return Labelled(frames, keypoints, np.zeros((len(numbers), len(SKELETON), 0, 0), np.float16), starts)


def footage(mice: RenderedMice) -> Footage:
    rng = np.random.default_rng(0)
    learnt = np.sort(rng.choice(FIRST_PART, LEARNT, replace=False))
    starts = np.linspace(FIRST_PART + STRETCH, FRAMES - STRETCH, STRETCHES).astype(int)
    judged = (starts[:, None] + np.arange(STRETCH)).ravel()
    begins = tuple(range(0, len(judged), STRETCH))
    return Footage(labelled(mice, learnt, rng), labelled(mice, judged, rng, begins), stride=8.0)


def taught(made: Footage, folder: Path, steps: int, student: str) -> tuple[TrainedStudent, float]:
    """A student, and the seconds of CPU time that its training took."""

    def show(now: TrainingProgress) -> None:
        if now.step % 50 == 0:
            print(f"{now.step}/{now.steps}: {now.p50_px:.2f}, {now.p95_px:.2f} px", file=sys.stderr, flush=True)

    settings = TrainingSettings(
        minutes=60, seed=0, keypoints=SKELETON.keypoints, mirrored=True, steps=steps, student=student, device="cpu",
        max_error=3.0, threads=1,
    )  # fmt: skip
    began = time.process_time()
    trained = train(made, settings, folder, show)
    return trained, time.process_time() - began


def predictor(model: PoseModel) -> Predict:
    def predict(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        pose = model.predict(np.ascontiguousarray(image))
        return pose.keypoints, pose.unlike or 0.0

    return predict


def times(models: dict[str, PoseModel], frames: NDArray[np.uint8], rounds: int = 5, block: int = 10) -> dict[str, str]:
    """Median and 95th percentile of each model's time for a frame in ms; all take turns."""
    taken: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            model.predict(frames[0])
            for frame in frames[:block]:
                began = time.perf_counter()
                model.predict(frame)
                taken[name].append(1e3 * (time.perf_counter() - began))
    return {name: "{:.2f} | {:.2f}".format(*np.percentile(values, (50, 95))) for name, values in taken.items()}


def row(animals: int, trained: TrainedStudent, seconds: float, judgement: Judgement) -> str:
    error, trusted = judgement.error, judgement.trusted
    return (
        f"| {animals} | {trained.student}, {trained.steps} steps, {seconds / 60:.1f} min | {error.median_px:.2f} | "
        f"{error.p95_px:.2f} | {error.p99_px:.2f} | {judgement.lost:.1%} | {judgement.hallucinated:.1%} | "
        f"{judgement.jitter_px:.2f} ({judgement.teacher_jitter_px:.2f}) | {judgement.marked:.1%} | {trusted.p95_px:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--animals", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--student", default="window-small")
    parser.add_argument("--seed", type=int, default=3, help="of the films")
    parser.add_argument("--folder", type=Path, help="keeps the training's state and the files")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows, speeds = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for animals in arguments.animals:
            folder = (arguments.folder or Path(temporary)) / f"{animals}-mice"
            folder.mkdir(parents=True, exist_ok=True)
            mice = RenderedMice(animals, seed=arguments.seed, frames=FRAMES, size=SIZE, absent=0.15)
            made = footage(mice)
            trained, seconds = taught(made, folder, arguments.steps, arguments.student)
            card = ModelCard(
                net_type=trained.student, skeleton=SKELETON, individuals=tuple(f"mouse{n + 1}" for n in range(animals)),
                multi_animal=True, input_size=trained.size, student=FACTS,
            )  # fmt: skip
            file = folder / "student.onnx"
            write_onnx(trained.graph, card, file)
            models = {
                f"{animals} mice, {runtime} {precision}": load_model(
                    file, runtime, device="cpu", precision=precision, profile=None
                )
                for runtime, precision in RUNTIMES
            }
            first = next(iter(models.values()))
            judgement = judge(predictor(first), made.held_out, None, Rendering(animals))  # type: ignore[arg-type]
            rows.append(row(animals, trained, seconds, judgement))
            print(rows[-1], file=sys.stderr, flush=True)
            speeds += [f"| {name} | {text} |" for name, text in times(models, made.held_out.frames).items()]
            for model in models.values():
                model.close()
    print(f"Made with benchmarks/distill_several.py on {system_info()['processor']}.\n")
    print(
        "| mice | student | median px | p95 | p99 | lost | hallucinated | jitter (truth's) | marked | p95 of the others |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    print("\n| | p50 ms | p95 |\n|---|---|---|")
    print("\n".join(speeds))


if __name__ == "__main__":
    main()
