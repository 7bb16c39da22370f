"""Writes a SuperAnimal model as one exported file, with an installed DeepLabCut, which knows and downloads them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from dlclive_core import DataError, DependencyError, SourceError, draft_beside, take_name

_ZOO = "deeplabcut.pose_estimation_pytorch.modelzoo.utils"


def write_export(path: Path, super_animal: str, model_name: str, detector_name: str | None) -> None:
    """Write {"config", "pose", "detector"} as DeepLabCut's exporter does; an existing file is kept, with a warning.

    Raises:
        DependencyError: DeepLabCut is not installed.
        SourceError: the weights cannot be downloaded.
        DataError: the file cannot be written.
    """
    if path.exists():
        warnings.warn(f"{path} exists, and was not exported again", UserWarning, stacklevel=3)
        return
    zoo = deeplabcut_zoo(f"{path} was not written")
    import torch

    content: dict[str, Any] = {
        "config": configuration(zoo, super_animal, model_name, detector_name),
        "pose": _weights(zoo, super_animal, model_name),
        "detector": None if detector_name is None else _weights(zoo, super_animal, detector_name),
    }
    draft: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = draft_beside(path)
        torch.save(content, draft)
        take_name(draft, path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def deeplabcut_zoo(what: str) -> ModuleType:
    """DeepLabCut's module of the model zoo. Raises DependencyError, which begins with `what`."""
    if find_spec("deeplabcut") is None:
        raise DependencyError(
            f"{what}: DeepLabCut, which builds and downloads SuperAnimal models, is not installed; run: pip install "
            "'deeplabcut>=3', or export the model with deeplabcut.export_model elsewhere, and load that .pt file here"
        )
    return import_module(_ZOO)


def configuration(
    zoo: ModuleType,
    super_animal: str,
    model_name: str,
    detector_name: str | None,
    max_individuals: int = 30,
    device: str | None = None,
) -> dict[str, Any]:
    """DeepLabCut's configuration of a model, of builtin types."""
    built = zoo.load_super_animal_config(
        super_animal=super_animal,
        model_name=model_name,
        detector_name=detector_name,
        max_individuals=max_individuals,
        device=device,
    )
    values = _plain(built if isinstance(built, dict) else built.to_dict())
    assert isinstance(values, dict)
    return values


def download(zoo: ModuleType, super_animal: str, model_name: str) -> Path:
    """The file of a model's weights, downloaded if needed. Raises SourceError."""
    try:
        return Path(zoo.download_super_animal_snapshot(dataset=super_animal, model_name=model_name))
    except Exception as error:  # of many libraries
        raise SourceError(
            f"the weights of {super_animal}_{model_name} cannot be downloaded: {' '.join(str(error).split())[:300]}; check the "
            "network, and try again"
        ) from None


def _weights(zoo: ModuleType, super_animal: str, model_name: str) -> Any:
    import torch

    return torch.load(download(zoo, super_animal, model_name), map_location="cpu", weights_only=True)["model"]


def _plain(value: Any) -> Any:
    """The same value of builtin types: newer DeepLabCuts have enums and paths in it, which no safe loader reads."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(getattr(value, "value", value))
