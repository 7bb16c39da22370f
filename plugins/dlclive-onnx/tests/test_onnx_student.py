"""A student's file on ONNX Runtime: how unlike its training each image is comes with the keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from dlclive_onnx.binding import BoundRuns

from dlclive_core import ModelError, load_model
from dlclive_core.demo import MODEL
from tests.students import write_student


def grey(*values: int) -> list[np.ndarray]:
    return [np.full((240, 320, 3), value, np.uint8) for value in values]


def test_each_image_of_a_batch_has_its_own_number(tmp_path: Path) -> None:
    card = write_student(tmp_path / "student.onnx", bright=100)
    with load_model(tmp_path / "student.onnx", "onnx", device="cpu", threads=1) as model:
        assert model.card.student == card.student
        assert model.predict(grey(150)[0]).unlike == pytest.approx(1.5)
        poses = model.predict_batch(grey(50, 150, 0, 100, 200))  # more than the runtime takes at once on a CPU
    assert [pose.unlike for pose in poses] == pytest.approx([0.5, 1.5, 0, 1, 2])


def test_keypoints_are_those_of_the_same_network_without_the_number(tmp_path: Path) -> None:
    write_student(tmp_path / "student.onnx")
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    with load_model(tmp_path / "student.onnx", "onnx", device="cpu", threads=1) as student:
        ours = student.predict(image)
    with load_model(MODEL, "onnx", device="cpu", threads=1) as teacher:
        theirs = teacher.predict(image)
    np.testing.assert_array_equal(ours.keypoints, theirs.keypoints)
    assert theirs.unlike is None


def test_a_bound_run_returns_the_number(tmp_path: Path) -> None:
    write_student(tmp_path / "student.onnx", bright=100)
    session = ort.InferenceSession(str(tmp_path / "student.onnx"), providers=["CPUExecutionProvider"])
    runs = BoundRuns(session, "cpu")
    for value in (50, 150, 100):  # the first is not bound yet
        assert runs.run({"image": grey(value)[0][None]})["unlike"] == pytest.approx([value / 100])


def test_a_card_of_a_student_in_another_models_file_is_refused(tmp_path: Path) -> None:
    import onnx

    card = write_student(tmp_path / "student.onnx")
    model = onnx.load(MODEL)
    next(item for item in model.metadata_props if item.key == "dlclive.card").value = card.to_json()
    onnx.save(model, str(tmp_path / "mixed.onnx"))
    with pytest.raises(ModelError, match=r"mixed\.onnx has the card of another model: no output 'unlike'"):
        load_model(tmp_path / "mixed.onnx", "onnx", device="cpu")
