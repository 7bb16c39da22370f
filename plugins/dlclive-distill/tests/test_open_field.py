"""A trained network as the teacher, if the reference data is here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from dlclive_distill.teacher import SURE, Teacher

SHARED = Path(__file__).parents[4] / "shared"


def test_a_trained_teachers_keypoints_are_where_its_heatmaps_are_highest() -> None:
    model, picture = SHARED / "models" / "openfield_cspnext_s.pt", SHARED / "openfield" / "frames" / "img0000.png"
    if not model.exists() or not picture.exists():
        pytest.skip("the folder 'shared' with the open field is missing")
    teacher = Teacher(model, "cpu")
    image = np.ascontiguousarray(cv2.imread(str(picture))[:, :, ::-1])
    keypoints, heatmaps = teacher.label(image[None])
    keypoints = keypoints[:, 0]
    count, rows, columns = heatmaps.shape[1:]
    assert (rows, columns) == teacher.map_size(image.shape[1], image.shape[0])
    best = heatmaps[0].reshape(count, -1).argmax(axis=1)
    cells = np.stack([best % columns + 0.5, best // columns + 0.5], axis=1) * teacher.stride
    sure = keypoints[0, :, 2] >= SURE
    assert sure.any()
    offsets = np.abs(cells - keypoints[0, :, :2])[sure]
    assert offsets.max() < 2 * teacher.stride
    assert offsets.max() > 0  # refined within the cell
