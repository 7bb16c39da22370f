"""A student's file on OpenVINO: how unlike its training each image is comes with the keypoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_openvino.export import OpenVinoExporter

from dlclive_core import PoseModel
from tests.students import write_student


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_each_image_of_a_batch_has_its_own_number(
    tmp_path: Path, openvino: Callable[..., PoseModel], suffix: str
) -> None:
    file = tmp_path / "student.onnx"
    card = write_student(file, bright=100)
    if suffix == ".xml":
        OpenVinoExporter().export(file, file.with_suffix(suffix))
    with openvino(file.with_suffix(suffix)) as model:
        assert model.card.student == card.student
        poses = model.predict_batch([np.full((96, 128, 3), value, np.uint8) for value in (50, 150, 100)])
        assert [pose.unlike for pose in poses] == pytest.approx([0.5, 1.5, 1])
        assert model.predict(np.full((96, 128, 3), 200, np.uint8)).unlike == pytest.approx(2)
