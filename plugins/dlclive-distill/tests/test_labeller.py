"""Which teacher a file makes, and what one of several animals tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_distill.labeller import open_teacher
from dlclive_distill.pose_teacher import PoseTeacher, most_confident
from dlclive_distill.teacher import Teacher
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx

from dlclive_core import DLCLiveError, Pose, Skeleton, UnsupportedModelError, UsageError, load_model
from dlclive_core.demo import MODEL
from dlclive_core.runtimes import sha256
from tests.golden_cases import Case, read_case

SHARED = Path(__file__).parents[4] / "shared"
PAIR = Skeleton(("head", "tail"))


def images(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 128, 160, 3), np.uint8)


def test_several_animals_are_told_as_the_model_finds_them(several_file: Path) -> None:
    teacher = open_teacher(several_file, "cpu")
    assert isinstance(teacher, PoseTeacher)
    keypoints, heatmaps = teacher.label(images())
    assert (keypoints.shape, heatmaps.shape) == ((2, 2, 6, 3), (2, 6, 0, 0))
    assert (teacher.animals, teacher.map_size(160, 128), teacher.notices) == (2, (0, 0), ())
    with load_model(several_file, device="cpu", profile=None) as model:
        for image, poses in zip(images(), keypoints, strict=True):
            assert np.array_equal(poses, model.predict(image).keypoints, equal_nan=True)
    assert teacher.sha256 == sha256(several_file)


@pytest.mark.slow
def test_an_export_of_several_animals_teaches_as_its_pt_file(several_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    loaded = load_deeplabcut(several_file)
    exported = tmp_path / "mice.onnx"
    write_onnx(loaded.graph, loaded.card, exported, size=(160, 128))
    teacher = open_teacher(exported, "cpu")
    assert isinstance(teacher, PoseTeacher)
    assert teacher.sha256 == sha256(several_file)
    with load_model(exported, device="cpu", profile=None) as model:
        expected = np.stack([pose.keypoints for pose in model.predict_batch(list(images()))])
    assert np.array_equal(teacher.label(images())[0], expected, equal_nan=True)
    assert (expected[..., 2] > 0).any()


def test_one_animal_is_told_with_its_heatmaps(teacher_file: Path) -> None:
    teacher = open_teacher(teacher_file, "cpu")
    assert isinstance(teacher, Teacher)
    assert teacher.label(images())[1].shape == (2, 6, 8, 10)


def test_fewer_animals_are_the_most_confident_ones(several_file: Path) -> None:
    teacher = open_teacher(several_file, "cpu", animals=1)
    both = open_teacher(several_file, "cpu").label(images())[0]
    best = both[..., 2].mean(axis=2).argmax(axis=1)
    assert np.array_equal(teacher.label(images())[0][:, 0], both[np.arange(2), best])


def test_more_animals_than_the_teacher_finds_are_refused(several_file: Path, teacher_file: Path) -> None:
    with pytest.raises(UsageError, match=r"mice\.pt finds 2 animals, and --animals asks for 3: give 2 at most"):
        open_teacher(several_file, "cpu", animals=3)
    with pytest.raises(UsageError, match=r"teacher\.pt finds 1 animal, and --animals asks for 2: give 1 at most"):
        open_teacher(teacher_file, "cpu", animals=2)


def test_an_onnx_file_of_one_animal_is_refused_because_it_has_no_heatmaps() -> None:
    with pytest.raises(UnsupportedModelError, match=r"mouse\.onnx does not give: give the \.pt file"):
        open_teacher(MODEL, "cpu")


def test_that_identities_are_not_learnt_is_said(make_several: Any, tmp_path: Path) -> None:
    teacher = open_teacher(make_several(tmp_path / "known.pt", identity=True), "cpu")
    assert teacher.card.identity
    (notice,) = teacher.notices
    assert notice.startswith("known.pt tells the individuals apart, and its student does not")
    assert "\n" not in notice


def test_what_a_student_of_several_animals_cannot_do_is_refused(several_file: Path) -> None:
    with load_model(several_file, device="cpu", profile=None) as model:
        card = model.card
        model.card = card.with_(unique_keypoints=("lever",))
        with pytest.raises(UnsupportedModelError, match=r"mice\.pt has keypoints that exist once in the scene"):
            PoseTeacher(several_file, model, 2)
        model.card = card.with_(method="conditional")
        with pytest.raises(UnsupportedModelError, match=r"mice\.pt is a conditional network, which needs poses"):
            PoseTeacher(several_file, model, 2)


def pose(*animals: list[list[float]]) -> Pose:
    return Pose(np.array(animals, np.float32).reshape(-1, 2, 3), PAIR)


def test_rows_are_filled_up_with_missing_animals_and_the_rest_is_left_out() -> None:
    nan = float("nan")
    one, two = [[1, 2, 0.9], [3, 4, 0.8]], [[5, 6, 0.5], [nan, nan, 0]]
    nobody = [[nan, nan, 0], [nan, nan, 0]]
    assert np.array_equal(most_confident(pose(nobody, one), 2), np.array([one, nobody], np.float32), equal_nan=True)
    assert np.array_equal(most_confident(pose(two, one), 2), np.array([two, one], np.float32), equal_nan=True)
    assert np.array_equal(most_confident(pose(two, one), 1), np.array([one], np.float32), equal_nan=True)
    assert np.isnan(most_confident(pose(), 3)[..., :2]).all()


def _reference(name: str, folder: Path) -> Case:
    if not (SHARED / "golden").is_dir():
        pytest.skip("no reference networks: the folder 'shared' is missing")
    return read_case(SHARED, name, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["paf_resnet_50", "dlcrnet_stride16_ms5", "dekr_w18"])
def test_every_kind_of_network_that_finds_several_animals_teaches(name: str, tmp_path: Path) -> None:
    case = _reference(name, tmp_path)
    teacher = open_teacher(case.path, "cpu")
    keypoints, heatmaps = teacher.label(case.image[None])
    assert keypoints.shape == (1, teacher.animals, len(teacher.card.skeleton), 3)
    assert teacher.animals > 1
    assert heatmaps.shape == (1, len(teacher.card.skeleton), 0, 0)
    assert (keypoints[..., 2] > 0).any()
    assert teacher.grid is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ctd_prenet_rtmpose_s", "is a conditional network"),
        ("rtmpose_s", "is a top-down network without a detector"),
        ("paf_resnet_50_unique_identity", "has keypoints that exist once in the scene"),
        ("animaltokenpose_base", "is a top-down network"),
    ],
)
def test_networks_that_cannot_teach_are_refused_in_one_line(name: str, message: str, tmp_path: Path) -> None:
    case = _reference(name, tmp_path)
    with pytest.raises(DLCLiveError, match=message) as refusal:
        open_teacher(case.path, "cpu")
    assert "\n" not in str(refusal.value)
