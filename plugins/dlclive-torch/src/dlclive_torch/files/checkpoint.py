"""The content of a DeepLabCut model file: its configuration and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from dlclive_core import ModelError
from dlclive_core.runtimes import CONFIG_NAME, is_detector_snapshot, read_config, sha256
from dlclive_torch.files.archives import read_pt
from dlclive_torch.files.plain_values import TooLargeError, plain_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The content of a model file.

    Attributes:
        path: the file.
        format: "deeplabcut-export" or "deeplabcut-snapshot".
        config: the configuration as DeepLabCut wrote it, with enumerations and paths as text.
        pose: name -> weights of the pose network.
        detector: name -> weights of the detector; None if the file has no detector.
        sha256: hash of the file, in hexadecimal.
    """

    path: Path
    format: Literal["deeplabcut-export", "deeplabcut-snapshot"]
    config: Mapping[str, Any]
    pose: Mapping[str, Tensor]
    detector: Mapping[str, Tensor] | None
    sha256: str


def read_checkpoint(path: Path) -> Checkpoint:
    """Read an export, or a snapshot with the `pytorch_config.yaml` beside it.

    Raises:
        ModelError: the file is neither, or is damaged.
        UnsafeFileError: unpickling the file would execute code.
    """
    content = _content(path)
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds {_a(content)}, not a DeepLabCut model; give DeepLabCut's export or snapshot")
    if content and all(isinstance(value, Tensor) for value in content.values()):
        raise ModelError(f"{path} holds weights without a configuration; export the model with deeplabcut.export_model")
    if "pose" in content or "config" in content:
        config = content.get("config")
        if not isinstance(config, Mapping):
            raise ModelError(f"{path} is an export without 'config'; export the model again")
        detector = content.get("detector")
        return Checkpoint(
            path=path,
            format="deeplabcut-export",
            config=config,
            pose=_weights(content, "pose", path),
            detector=_weights(content, "detector", path) if detector else None,
            sha256=sha256(path),
        )
    if "model" in content and "metadata" in content:
        return Checkpoint(
            path=path,
            format="deeplabcut-snapshot",
            config=_config_beside(path),
            pose=_weights(content, "model", path),
            detector=None,
            sha256=sha256(path),
        )
    keys = ", ".join(repr(str(key)[:60]) for key in list(content)[:8]) or "nothing"
    raise ModelError(
        f"{path} is neither a DeepLabCut export ('config', 'pose') nor a snapshot ('model', 'metadata'); it holds {keys}"
    )


def read_detector(path: Path) -> Mapping[str, Tensor]:
    """Read the weights of a detector from a detector's snapshot, or from an export that includes one.

    Raises:
        ModelError: the file has no detector, or is damaged.
        UnsafeFileError: unpickling the file would execute code.
    """
    content = _content(path)
    if isinstance(content, dict) and content.get("detector"):
        return _weights(content, "detector", path)
    if isinstance(content, dict) and "model" in content and "metadata" in content:
        return _weights(content, "model", path)
    raise ModelError(f"{path} holds no detector; give snapshot-detector-*.pt, or an export with its detector")


def _weights(content: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Tensor]:
    weights = content.get(key)
    if not isinstance(weights, Mapping):
        raise ModelError(f"{path} holds no weights under {key!r}; export the model again")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ModelError(f"{path} holds {_a(value)} as weight {str(name)[:60]!r}; export the model again")
    total, size = sum(value.numel() * value.itemsize for value in weights.values()), path.stat().st_size
    if total > 2 * size:  # names for the same numbers: a network of any size would fit
        raise ModelError(f"{path} has {size} bytes, and its weights would have {total}; export the model again")
    return weights


def _config_beside(path: Path) -> Mapping[str, Any]:
    if is_detector_snapshot(path):
        raise ModelError(f"{path} is a snapshot of a detector; give the pose network's snapshot beside it")
    config_path = path.with_name(CONFIG_NAME)
    if not config_path.exists():
        raise ModelError(
            f"{path} is a snapshot and needs {CONFIG_NAME} beside it; leave it in its training folder, or copy both files"
        )
    return read_config(config_path)


def _content(path: Path) -> Any:
    """What is in a file, as plain values."""
    try:
        return plain_values(read_pt(path))
    except TooLargeError as error:
        raise ModelError(f"{path} is no DeepLabCut model: {error}; export the model again") from None


def _a(value: object) -> str:
    return f"a {type(value).__name__}"
