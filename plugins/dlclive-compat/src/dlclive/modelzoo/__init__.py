"""The SuperAnimal models of DeepLabCut's model zoo. DeepLabCut builds and downloads them; the lists need nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlclive.modelzoo.superanimal_export import configuration, deeplabcut_zoo, download, write_export
from dlclive_core import UsageError, nearest

__all__ = [
    "download_super_animal_snapshot",
    "export_modelzoo_model",
    "list_available_combinations",
    "list_available_models",
    "list_available_projects",
    "load_super_animal_config",
]

_MODELZOO_PATH = Path(__file__).parent
"""This folder, as in deeplabcut-live; nothing is kept in it."""

_DETECTORS = ("fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn_v2", "ssdlite")
_COMBINATIONS = {
    "superanimal_bird": ("resnet_50",),
    "superanimal_humanbody": ("rtmpose_x",),
    "superanimal_quadruped": ("hrnet_w32", "resnet_50", "rtmpose_s"),
    "superanimal_topviewmouse": ("hrnet_w32", "resnet_50"),
}
"""Project -> pose networks whose weights have been published."""


def list_available_projects() -> list[str]:
    """The SuperAnimal projects."""
    return sorted(_COMBINATIONS)


def list_available_models() -> list[str]:
    """The networks of all projects, detectors included."""
    return sorted({*_DETECTORS, *(model for models in _COMBINATIONS.values() for model in models)})


def list_available_combinations() -> list[str]:
    """`<project>_<network>` of those whose weights have been published; deeplabcut-live lists any project with any network."""
    return [f"{project}_{model}" for project in list_available_projects() for model in _COMBINATIONS[project]]


def export_modelzoo_model(
    export_path: str | Path, super_animal: str, model_name: str, detector_name: str | None = None
) -> None:
    """Write a SuperAnimal model as one `.pt` file for `DLCLive`, with an installed DeepLabCut 3.

    An existing file is kept, with a warning.

    Raises:
        UsageError: there is no such model.
        DependencyError: DeepLabCut is not installed.
        SourceError: the weights cannot be downloaded.
        DataError: the file cannot be written.
    """
    _check(super_animal, model_name, detector_name)
    write_export(Path(export_path), super_animal, model_name, detector_name)


def load_super_animal_config(
    super_animal: str,
    model_name: str,
    detector_name: str | None = None,
    max_individuals: int = 30,
    device: str | None = None,
) -> dict[str, Any]:
    """DeepLabCut's configuration of a model. Raises as `export_modelzoo_model`."""
    _check(super_animal, model_name, detector_name)
    zoo = deeplabcut_zoo(f"there is no configuration of {super_animal}_{model_name} here")
    return configuration(zoo, super_animal, model_name, detector_name, max_individuals, device)


def download_super_animal_snapshot(dataset: str, model_name: str) -> Path:
    """Download the weights of a network or a detector with DeepLabCut. Raises as `export_modelzoo_model`."""
    is_detector = model_name in _DETECTORS
    _check(dataset, None if is_detector else model_name, model_name if is_detector else None)
    return download(deeplabcut_zoo(f"{dataset}_{model_name} was not downloaded"), dataset, model_name)


def _check(super_animal: str, model_name: str | None, detector_name: str | None) -> None:
    if super_animal not in _COMBINATIONS:
        raise UsageError(f"no SuperAnimal project {super_animal!r}: {nearest(super_animal, _COMBINATIONS)}")
    if model_name is not None and model_name not in _COMBINATIONS[super_animal]:
        raise UsageError(f"no {model_name!r} of {super_animal}: {nearest(model_name, _COMBINATIONS[super_animal])}")
    if detector_name is not None and detector_name not in _DETECTORS:
        raise UsageError(f"no detector {detector_name!r}: {nearest(detector_name, _DETECTORS)}")
