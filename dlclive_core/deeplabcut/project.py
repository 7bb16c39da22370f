"""What a DeepLabCut project says of the models in it, in its `config.yaml`."""

from __future__ import annotations

import logging
from pathlib import Path

from dlclive_core.deeplabcut.config_file import read_config
from dlclive_core.errors import ModelError

_log = logging.getLogger(__name__)

PROJECT_CONFIG = "config.yaml"
MODEL_FOLDERS = ("exported-models-pytorch", "dlc-models-pytorch")
"""Folders of a project in which models lie."""

_PREFIXES = 3
"""Folders between a project and its model folders that DeepLabCut's `modelprefix` may add, at most."""


def is_multi_animal(model: Path) -> bool | None:
    """Whether the project around a model's file is a multi-animal one; None if the file is in no project that says so."""
    config = _project_config(model)
    if config is None:
        return None
    try:
        says = read_config(config).get("multianimalproject")
    except ModelError as error:
        _log.warning("%s; whether the project has several animals is taken from the model's own configuration", error)
        return None
    return says if isinstance(says, bool) else None


def _project_config(model: Path) -> Path | None:
    parents = list(model.absolute().parents)
    for depth, folder in enumerate(parents):
        if folder.name in MODEL_FOLDERS:
            above = parents[depth + 1 : depth + 2 + _PREFIXES]
            return next((item / PROJECT_CONFIG for item in above if (item / PROJECT_CONFIG).is_file()), None)
    return None
