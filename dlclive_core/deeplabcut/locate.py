"""From a user's path to the one model file that it means."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dlclive_core.deeplabcut.config_file import CONFIG_NAME
from dlclive_core.deeplabcut.project import MODEL_FOLDERS
from dlclive_core.deeplabcut.snapshots import list_snapshots
from dlclive_core.errors import ModelNotFoundError

_DETECTOR = ".detector"
KEPT = ".dlclive"
"""Suffix of the folder beside a model that holds exported variants for its profile; they do not count as other models."""


def locate_model(path: str | Path, suffixes: Collection[str]) -> Path:
    """The model file that a path means.

    A file stands for itself. A folder can be a training folder (`pytorch_config.yaml` and `snapshot-*.pt`: the best snapshot,
    or else the last), an export folder, or a whole DeepLabCut project with one model.

    Args:
        suffixes: of model files, for example {".pt", ".onnx"}.

    Raises:
        ModelNotFoundError: there is no model, or more than one; the message lists what is there.
    """
    path = Path(path).expanduser()
    if path.is_file():
        return path
    if not path.exists():
        raise ModelNotFoundError(f"no such file or folder: {path}")
    models = _in_folder(path, suffixes)
    if not models:
        for folder in _search_folders(path):
            models += _in_folder(folder, suffixes)
    if len(models) == 1:
        return models[0]
    if not models:
        content = ", ".join(sorted(item.name for item in path.iterdir())[:8]) or "nothing"
        raise ModelNotFoundError(
            f"no model in {path}: expected {', '.join(sorted(suffixes))}, or {CONFIG_NAME} with snapshot-*.pt; found {content}"
        )
    names = ", ".join(str(item.relative_to(path)) for item in models[:8])
    raise ModelNotFoundError(f"{path} contains {len(models)} models; choose one of them: {names}")


def detector_beside(path: Path, suffix: str | None = None) -> Path:
    """The file of the detector that belongs to an exported network: `model.onnx` -> `model.detector.onnx`.

    Args:
        path: the network's file.
        suffix: of the detector's file; None: that of `path`.
    """
    return path.with_name(f"{path.stem}{_DETECTOR}{path.suffix if suffix is None else suffix}")


def _in_folder(folder: Path, suffixes: Collection[str]) -> list[Path]:
    files = sorted(
        item
        for item in folder.iterdir()
        if item.is_file()
        and item.suffix.lower() in suffixes
        and not item.stem.endswith(_DETECTOR)
        and not _is_hidden(item)
    )
    snapshots = list_snapshots(folder)
    known = {item.path for item in (*snapshots.poses, *snapshots.detectors)}
    others = [item for item in files if item not in known and not item.name.startswith("snapshot-")]
    if snapshots.poses and (folder / CONFIG_NAME).is_file():
        return [snapshots.poses[-1].path, *others]
    return others


def _is_hidden(path: Path) -> bool:
    """Whether a file is not a user's own, such as the `._name` in which macOS keeps attributes on other disks."""
    return path.name.startswith(".")


def _search_folders(path: Path) -> list[Path]:
    """The folders below a project, or a part of it, that can contain models."""
    roots = [path / name for name in MODEL_FOLDERS if (path / name).is_dir()] or [path]
    folders = {item.parent for root in roots for item in root.rglob("*") if item.is_file() and item.parent != path}
    return sorted(folder for folder in folders if not any(part.endswith(KEPT) for part in folder.parts))
