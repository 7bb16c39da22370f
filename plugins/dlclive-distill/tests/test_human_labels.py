"""The labels of people in a DeepLabCut project."""

from pathlib import Path

import cv2
import numpy as np
import pandas
import pytest
from dlclive_distill.human_labels import find_labels

from dlclive_core import DataError, ModelCard, Skeleton

CARD = ModelCard(net_type="resnet_50", skeleton=Skeleton(("snout", "tail")))
CONFIG = "scorer: Ada\nmultianimalproject: false\nbodyparts: [tail, snout]\nvideo_sets: {}\n"


def make_project(folder: Path, suffix: str = ".h5", size: tuple[int, int] = (64, 48)) -> Path:
    """A project with two videos: of each, img005 has both keypoints, and img012 the tail only."""
    (folder / "config.yaml").parent.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    for place, video in enumerate(("a", "b")):
        data = folder / "labeled-data" / video
        data.mkdir(parents=True)
        columns = pandas.MultiIndex.from_product(
            [["Ada"], ["tail", "snout"], ["x", "y"]], names=["scorer", "bodyparts", "coords"]
        )
        rows = pandas.MultiIndex.from_tuples([("labeled-data", video, f"img{n:03}.png") for n in (5, 12)])
        values = [[1 + place, 2, 3, 4], [5, 6, np.nan, np.nan]]
        table = pandas.DataFrame(values, index=rows, columns=columns)
        path = data / f"CollectedData_Ada{suffix}"
        if suffix == ".h5":
            table.to_hdf(path, key="df_with_missing", mode="w")
        else:
            table.to_csv(path)
        for number in (5, 12):
            width, height = size if number == 5 else (32, 32)
            image = np.full((height, width, 3), (10, 20, 30), np.uint8)
            cv2.imwrite(str(data / f"img{number:03}.png"), image)
    return folder


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_labels_come_in_the_order_of_the_teachers_keypoints(tmp_path: Path, suffix: str) -> None:
    labels = find_labels(tmp_path / "model.pt", CARD, make_project(tmp_path / "project", suffix))
    assert labels is not None
    assert [image.path.name for image in labels.images] == ["img005.png", "img012.png"] * 2
    assert labels.images[2].keypoints.tolist() == [[[3, 4], [2, 2]]]
    assert np.isnan(labels.images[1].keypoints[0, 0]).all()
    assert labels.images[1].keypoints[0, 1].tolist() == [5, 6]


def test_pictures_are_rgb_and_those_of_other_sizes_are_none(tmp_path: Path) -> None:
    labels = find_labels(tmp_path / "model.pt", CARD, make_project(tmp_path / "project") / "config.yaml")
    assert labels is not None
    pictures = list(labels.pictures((64, 48)))
    assert [picture is None for picture in pictures] == [False, True] * 2
    assert pictures[0] is not None
    assert pictures[0][0][0, 0].tolist() == [30, 20, 10]


def test_the_project_around_a_model_is_found_and_another_one_is_left_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    model = project / "dlc-models-pytorch" / "iteration-0" / "train" / "snapshot-best-10.pt"
    labels = find_labels(model, CARD, None)
    assert labels is not None
    assert labels.project == project
    other = ModelCard(net_type="resnet_50", skeleton=Skeleton(("nose",)))
    assert find_labels(model, other, None) is None
    assert find_labels(tmp_path / "model.pt", CARD, None) is None


def make_herd(folder: Path) -> Path:
    """A multi-animal project: img003 has both animals, the second without its snout."""
    data = folder / "labeled-data" / "a"
    data.mkdir(parents=True)
    text = "scorer: Ada\nmultianimalproject: true\nindividuals: [one, two]\nmultianimalbodyparts: [tail, snout]\n"
    (folder / "config.yaml").write_text(f"{text}uniquebodyparts: []\nvideo_sets: {{}}\n", encoding="utf-8")
    columns = pandas.MultiIndex.from_product(
        [["Ada"], ["one", "two"], ["tail", "snout"], ["x", "y"]], names=["scorer", "individuals", "bodyparts", "coords"]
    )
    rows = pandas.MultiIndex.from_tuples([("labeled-data", "a", "img003.png")])
    table = pandas.DataFrame([[1, 2, 3, 4, 5, 6, np.nan, np.nan]], index=rows, columns=columns)
    table.to_hdf(data / "CollectedData_Ada.h5", key="df_with_missing", mode="w")
    cv2.imwrite(str(data / "img003.png"), np.zeros((48, 64, 3), np.uint8))
    return folder


def test_several_animals_are_read_for_a_teacher_that_finds_several(tmp_path: Path) -> None:
    project = make_herd(tmp_path / "project")
    herd = CARD.with_(individuals=("one", "two"), multi_animal=True)
    labels = find_labels(tmp_path / "model.pt", herd, project)
    assert labels is not None
    (image,) = labels.images
    assert image.keypoints[0].tolist() == [[3, 4], [1, 2]]
    assert np.isnan(image.keypoints[1, 0]).all()
    assert image.keypoints[1, 1].tolist() == [5, 6]


def test_several_animals_are_refused_for_a_teacher_that_finds_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has several animals, and the teacher finds one"):
        find_labels(tmp_path / "model.pt", CARD, make_herd(tmp_path / "project"))
