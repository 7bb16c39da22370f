"""Reads the `config.yaml` of the DeepLabCut project around a model."""

from __future__ import annotations

import logging
from pathlib import Path

from dlclive_core.deeplabcut.config_file import read_config
from dlclive_core.errors import ModelError

_log = logging.getLogger(__name__)

PROJECT_CONFIG = "config.yaml"
MODEL_FOLDERS = ("exported-models-pytorch", "dlc-models-pytorch")
"""The folders of a project that contain models."""

_PREFIXES = 3
"""Most folders that DeepLabCut's `modelprefix` may add between a project and its model folders."""


def is_multi_animal(model: Path) -> bool | None:
    """Whether the project around a model's file has several animals; None if no project declares it."""
    config = _project_config(model)
    if config is None:
        return None
    try:
        value = read_config(config).get("multianimalproject")
    except ModelError as error:
        _log.warning("%s; the model's own configuration decides whether there are several animals", error)
        return None
    return value if isinstance(value, bool) else None


def _project_config(model: Path) -> Path | None:
    parents = list(model.absolute().parents)
    for depth, folder in enumerate(parents):
        if folder.name in MODEL_FOLDERS:
            above = parents[depth + 1 : depth + 2 + _PREFIXES]
            return next((item / PROJECT_CONFIG for item in above if (item / PROJECT_CONFIG).is_file()), None)
    return None
