"""From a path to a model file."""

from pathlib import Path

import pytest

from dlclive_core import DependencyError, ModelNotFoundError, PluginCatalog, UnsupportedModelError, load_model
from dlclive_core.deeplabcut.locate import locate_model

SUFFIXES = {".pt", ".onnx"}


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_a_file_is_itself(tmp_path: Path) -> None:
    make(tmp_path, "a.pt", "b.pt")
    assert locate_model(tmp_path / "a.pt", SUFFIXES) == tmp_path / "a.pt"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("snapshot-050.pt", "snapshot-best-040.pt", "snapshot-100.pt"), "snapshot-best-040.pt"),
        (("snapshot-050.pt", "snapshot-200.pt", "snapshot-1000.pt"), "snapshot-1000.pt"),
        (("snapshot-050.pt", "snapshot-detector-200.pt"), "snapshot-050.pt"),
        (
            ("snapshot-050.pt", "._snapshot-050.pt", "._snapshot-best-100.pt", "._pytorch_config.yaml"),
            "snapshot-050.pt",
        ),
    ],
)
def test_a_training_folder_means_its_best_snapshot(tmp_path: Path, names: tuple[str, ...], chosen: str) -> None:
    make(tmp_path, "pytorch_config.yaml", *names)
    assert locate_model(tmp_path, SUFFIXES).name == chosen


def test_hidden_files_are_not_models(tmp_path: Path) -> None:
    """macOS leaves `._name` files beside every file on disks that cannot hold its attributes."""
    make(tmp_path, "model.onnx", "._model.onnx", ".DS_Store", "Thumbs.db", "desktop.ini", "more/._model.pt")
    assert locate_model(tmp_path, SUFFIXES) == tmp_path / "model.onnx"


def test_a_project_with_one_model_is_that_model(tmp_path: Path) -> None:
    train = "dlc-models-pytorch/iteration-0/openOct30-trainset95shuffle1/train"
    make(tmp_path, "config.yaml", "videos/a.mp4", f"{train}/pytorch_config.yaml", f"{train}/snapshot-best-010.pt")
    assert locate_model(tmp_path, SUFFIXES) == tmp_path / train / "snapshot-best-010.pt"


def test_two_models_are_named(tmp_path: Path) -> None:
    make(tmp_path, "a.pt", "b.onnx")
    with pytest.raises(ModelNotFoundError, match=r"contains 2 models; choose one of them: a\.pt, b\.onnx"):
        locate_model(tmp_path, SUFFIXES)


def test_no_model_says_what_was_found(tmp_path: Path) -> None:
    make(tmp_path, "notes.txt", "snapshot-050.pt")  # a snapshot without its configuration is no model
    with pytest.raises(ModelNotFoundError, match=r"no model in .*found notes\.txt, snapshot-050\.pt"):
        locate_model(tmp_path, SUFFIXES)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file or folder"):
        locate_model(tmp_path / "gone.pt", SUFFIXES)


def test_without_a_runtime_the_install_command_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.pt", "b.txt")
    nothing = PluginCatalog([])
    with pytest.raises(DependencyError, match="pip install dlclive-torch"):
        load_model(tmp_path / "a.pt", catalog=nothing)
    with pytest.raises(UnsupportedModelError, match=r"b\.txt is not a model file"):
        load_model(tmp_path / "b.txt", catalog=nothing)
