"""Whether a model's project is a multi-animal one, which may have one animal."""

import logging
from pathlib import Path
from typing import Any

import pytest

from dlclive_core.deeplabcut.config import PoseConfig

TRAIN = "dlc-models-pytorch/iteration-0/openJan1-trainset95shuffle1/train"


def config(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"bodyparts": ["snout"], **metadata}, "model": {"backbone": {}}}


def multi_animal(values: dict[str, Any], file: Path | None = None) -> bool:
    return PoseConfig.from_mapping(values, where="here", file=file).multi_animal


@pytest.mark.parametrize(
    ("metadata", "several"),
    [
        ({}, False),
        ({"individuals": ["animal"]}, False),  # the name that DeepLabCut gives up to 3.0.0
        ({"individuals": ["individual_1"]}, False),  # and since
        ({"individuals": ["individual_1"], "unique_bodyparts": [], "with_identity": False}, False),
        ({"individuals": ["mouse1"]}, True),
        ({"individuals": ["animal0"]}, True),  # SuperAnimal's
        ({"individuals": ["a", "b"]}, True),
        ({"individuals": ["animal"], "unique_bodyparts": ["corner"]}, True),
        ({"individuals": ["animal"], "with_identity": True}, True),
    ],
)
def test_without_the_project_its_own_configuration_tells(metadata: dict[str, Any], several: bool) -> None:
    assert multi_animal(config(**metadata)) == several


@pytest.mark.parametrize("where", [f"{TRAIN}/snapshot-best-010.pt", "exported-models-pytorch/open/open.pt"])
@pytest.mark.parametrize("prefix", ["", "first/"])
@pytest.mark.parametrize(
    ("says", "individuals", "several"),
    [("true", ["animal"], True), ("false", ["mouse1"], False), ("false", ["a", "b"], True)],
)
def test_the_project_knows(
    tmp_path: Path, where: str, prefix: str, says: str, individuals: list[str], several: bool
) -> None:
    (tmp_path / "config.yaml").write_text(f"Task: open\nmultianimalproject: {says}\n")
    assert multi_animal(config(individuals=individuals), tmp_path / f"{prefix}{where}") == several


def test_another_programs_configuration_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("multianimalproject: true\n")
    assert not multi_animal(config(individuals=["animal"]), tmp_path / "models" / "a.pt")


def test_a_damaged_project_is_passed_over_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "config.yaml").write_text("multianimalproject: true\nmultianimalproject: true\n")
    with caplog.at_level(logging.WARNING):
        assert not multi_animal(config(individuals=["animal"]), tmp_path / TRAIN / "snapshot-010.pt")
    assert "config.yaml:2: 'multianimalproject' is there twice" in caplog.text
