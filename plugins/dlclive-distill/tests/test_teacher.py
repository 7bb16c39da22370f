"""The teacher's keypoints and the heatmaps that they come from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from dlclive_distill.teacher import Teacher
from dlclive_torch.runtime import TorchNetwork

from dlclive_core import UnsupportedModelError
from dlclive_core.demo import MODEL


def images(height: int = 128, width: int = 160) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, height, width, 3), np.uint8)


def test_keypoints_are_those_of_the_network_and_confidences_those_of_the_maps(teacher_file: Path) -> None:
    teacher = Teacher(teacher_file, "cpu")
    keypoints, heatmaps = teacher.label(images())
    expected = TorchNetwork(teacher_file, device="cpu").run(images())["keypoints"]
    assert np.array_equal(keypoints, expected)
    assert (keypoints.shape, teacher.animals) == ((2, 1, 6, 3), 1)
    keypoints = keypoints[:, 0]
    assert teacher.stride == 16
    assert heatmaps.shape == (2, 6, 8, 10)
    assert heatmaps.dtype == np.float16
    assert np.allclose(heatmaps.max(axis=(2, 3)), keypoints[:, :, 2], atol=1e-3)
    columns, rows = (keypoints[:, :, axis] / teacher.stride - 0.5 for axis in (0, 1))
    at = heatmaps[np.arange(2)[:, None], np.arange(6), rows.astype(int), columns.astype(int)]
    assert np.array_equal(at, heatmaps.max(axis=(2, 3)))


def test_cells_beyond_the_frame_are_left_out(teacher_file: Path) -> None:
    teacher = Teacher(teacher_file, "cpu")
    _, heatmaps = teacher.label(images(130, 150))
    assert heatmaps.shape[2:] == teacher.map_size(150, 130) == (9, 10)


def test_read_only_frames_are_labelled_without_a_warning(teacher_file: Path) -> None:
    frames = images()
    frames.flags.writeable = False
    Teacher(teacher_file, "cpu").label(frames)


def test_an_onnx_file_is_refused_because_it_has_no_heatmaps() -> None:
    with pytest.raises(UnsupportedModelError, match=r"mouse\.onnx does not give: give the \.pt file"):
        Teacher(MODEL, "cpu")


def _changed(teacher_file: Path, path: Path, change: str) -> Path:
    export = torch.load(teacher_file, weights_only=True)
    metadata, heads = export["config"]["metadata"], export["config"]["model"]["heads"]
    if change == "animals":
        metadata["individuals"] = ["a", "b"]
    elif change == "sizes":
        export["config"]["data"]["inference"]["resize"] = {"height": 100, "width": 100, "keep_ratio": True}
    else:
        heads["unique_bodypart"] = heads["bodypart"]
        metadata["unique_bodyparts"] = [f"corner{number}" for number in range(6)]
        for name in [name for name in export["pose"] if name.startswith("heads.bodypart.")]:
            export["pose"][name.replace("bodypart", "unique_bodypart", 1)] = export["pose"][name]
    torch.save(export, path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("animals", "finds several animals, and their heatmaps cannot be taught: only networks"),
        ("unique", "has keypoints that exist once in the scene: only networks"),
        ("sizes", "resizes or pads whole frames first"),
    ],
)
def test_what_cannot_be_taught_is_refused_with_what_can(
    teacher_file: Path, tmp_path: Path, change: str, message: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        Teacher(_changed(teacher_file, tmp_path / "other.pt", change), "cpu")
