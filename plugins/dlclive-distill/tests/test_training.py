"""Students: the same seed gives the same one, a training goes on where it stopped, and the file answers as the network does."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from dlclive_distill.footage import Footage, Labelled
from dlclive_distill.training import TrainedStudent, TrainingProgress, TrainingSettings, course, train
from dlclive_distill.training.family import FAMILY, student_kind
from dlclive_distill.training.student import Student
from dlclive_distill.training.trainer import Trainer
from dlclive_torch.onnx_file import write_onnx

from dlclive_core import ModelCard, Skeleton, UsageError

NAMES = ("nose", "tail")
SIZE = (160, 192)  # height, width
STRIDE = 16
COUNT = 48


def _footage() -> Footage:
    """A dark bar on a grey ground, one end bright: what can be learnt in a few steps."""
    random = np.random.default_rng(3)
    frames = np.full((COUNT, *SIZE, 3), 128, np.uint8)
    keypoints = np.ones((COUNT, 1, 2, 3), np.float32)
    for frame, points in zip(frames, keypoints, strict=True):
        x, y = int(random.integers(30, 150)), int(random.integers(20, 140))
        frame[y - 3 : y + 3, x - 20 : x + 20] = 20
        frame[y - 6 : y + 6, x + 12 : x + 20] = 250
        points[0, :, :2] = [[x + 16, y], [x - 20, y]]
    cells = (SIZE[0] // STRIDE, SIZE[1] // STRIDE)
    rows, columns = np.mgrid[: cells[0], : cells[1]]
    centres = (np.stack([columns, rows], -1) + 0.5) * STRIDE
    distance = np.linalg.norm(centres - keypoints[:, 0, :, None, None, :2], axis=-1)
    heatmaps = np.exp(-((distance / STRIDE) ** 2)).astype(np.float16)
    labelled = Labelled(frames=frames, keypoints=keypoints, heatmaps=heatmaps, starts=(0,))
    return Footage(train=labelled, held_out=labelled, stride=float(STRIDE))


def _settings(steps: int | None = 12, student: str | None = "window-small", **more: object) -> TrainingSettings:
    values: dict[str, object] = {"minutes": 1.0, "seed": 0, "device": "cpu", "max_error": 2.0, "threads": 1}
    values |= {"keypoints": NAMES, "mirrored": False, "steps": steps, "student": student}
    return TrainingSettings(**{**values, **more})  # type: ignore[arg-type]


def _train(folder: Path, settings: TrainingSettings) -> TrainedStudent:
    folder.mkdir(exist_ok=True)
    return train(_footage(), settings, folder, lambda _: None)


def _weights(trained: TrainedStudent) -> dict[str, torch.Tensor]:
    return trained.graph.state_dict()


def _are_same(one: TrainedStudent, other: TrainedStudent) -> bool:
    first, second = _weights(one), _weights(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_seed_gives_the_same_student(tmp_path: Path) -> None:
    first = _train(tmp_path / "first", _settings(6))
    assert _are_same(first, _train(tmp_path / "again", _settings(6)))
    assert not _are_same(first, _train(tmp_path / "other", _settings(6, seed=1)))


def test_a_training_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    presses = [KeyboardInterrupt]
    said = []

    def interrupt(now: TrainingProgress) -> None:
        said.append(now.is_interrupted)
        if now.step == 4 and presses:
            raise presses.pop()

    folder = tmp_path / "interrupted"
    folder.mkdir()
    stopped = train(_footage(), _settings(10), folder, interrupt)
    assert stopped.interrupted
    assert stopped.steps == 4
    assert said.count(True) == 1
    resumed = _train(folder, _settings(10))
    assert not resumed.interrupted
    assert resumed.steps == 10
    assert _are_same(resumed, _train(tmp_path / "whole", _settings(10)))


def test_a_damaged_state_is_not_gone_on_from(tmp_path: Path) -> None:
    first = _train(tmp_path / "training", _settings(4))
    file = tmp_path / "training" / "window-small.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    assert _are_same(first, _train(tmp_path / "training", _settings(4)))


def test_it_learns(tmp_path: Path) -> None:
    """After a minute's worth of steps it is where the bar is; before, it is not."""
    errors = []

    def note(now: TrainingProgress) -> None:
        errors.append(now.p50_px)

    train(_footage(), _settings(150), tmp_path, note)
    assert errors[-1] < 4


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.name)
def test_the_file_answers_as_the_network(kind: object, tmp_path: Path) -> None:
    """For one image and for two; the window is cut where the network cut it."""
    torch.manual_seed(1)
    student = Student(kind, 2, SIZE, 96).eval()  # type: ignore[arg-type]
    file = tmp_path / "student.onnx"
    merged = copy.deepcopy(student)
    merged.merge_averaging()
    write_onnx(merged, ModelCard(net_type="test", skeleton=Skeleton(NAMES), input_size=SIZE), file)
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3)).astype(np.uint8)
    for count in (1, 2):
        with torch.no_grad():
            expected = student(torch.from_numpy(images[:count]))
        for name, values in zip(("keypoints", "unlike"), session.run(None, {"image": images[:count]}), strict=True):
            assert np.allclose(values, expected[name].numpy(), atol=2e-3), name


def test_an_unknown_student_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'window-small'"):
        student_kind("window-smal")


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'abacus'"):
        _train(tmp_path, _settings(device="abacus"))


def test_the_curve_of_the_error_is_kept(tmp_path: Path) -> None:
    """Also when a training goes on; one with another seed begins a new one."""
    curve = tmp_path / "window-small.csv"
    _train(tmp_path, _settings(4))
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == ["step", "4"]
    _train(tmp_path, _settings(6))
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == ["step", "4", "6"]
    _train(tmp_path, _settings(3, seed=1))
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == ["step", "3"]


def test_the_last_word_is_that_the_guard_is_fitted(tmp_path: Path) -> None:
    said: list[TrainingProgress] = []
    train(_footage(), _settings(3), tmp_path, said.append)
    assert [now.is_trained for now in said] == [False] * (len(said) - 1) + [True]
    assert said[-1].step == 3


def test_a_second_student_that_is_not_begun_does_not_cost_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes when the first has had its share of the steps, and the next has not had one yet."""
    draw = Trainer.draw

    def interrupted(self: Trainer, step: int) -> object:
        if self.kind.name != "window-small":
            raise KeyboardInterrupt
        return draw(self, step)

    monkeypatch.setattr(Trainer, "draw", interrupted)
    student = _train(tmp_path, _settings(25, student=None, max_error=0.01))
    assert student.interrupted
    assert (student.student, student.steps) == ("window-small", 3)


def test_in_a_few_minutes_no_student_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Trainer.draw

    def interrupted(self: Trainer, step: int) -> object:
        if step == 4:
            raise KeyboardInterrupt
        return draw(self, step)

    monkeypatch.setattr(Trainer, "draw", interrupted)
    student = _train(tmp_path, _settings(None, student=None, minutes=7.5))
    assert student.student == "window-medium"
    assert student.notices == (
        "7.5 minutes are too few to try several students, and 8 are needed: window-medium is trained; another is chosen with "
        "--student",
    )
    assert not _train(tmp_path, _settings(1)).notices


def test_a_state_of_other_networks_is_not_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of dlclive-distill: the arrays in the file would not fit."""
    monkeypatch.setattr(course, "_NETWORKS", 0)
    first = _train(tmp_path, _settings(2))
    monkeypatch.undo()
    assert first.steps == 2
    seen: list[int] = []
    train(_footage(), _settings(3), tmp_path, lambda now: seen.append(now.step))
    assert seen[0] == 1


def test_the_time_of_a_training_is_that_of_all_calls(tmp_path: Path) -> None:
    first = _train(tmp_path, _settings(3))
    assert first.seconds > 0
    assert _train(tmp_path, _settings(3)).seconds == first.seconds
    assert _train(tmp_path, _settings(4)).seconds > first.seconds
