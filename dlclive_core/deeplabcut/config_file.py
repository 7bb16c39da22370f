"""DeepLabCut's YAML files, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlclive_core.errors import ModelError

CONFIG_NAME = "pytorch_config.yaml"


def read_config(path: Path) -> Mapping[str, Any]:
    """Read the content of a `pytorch_config.yaml` or `config.yaml` safely. Raises ModelError if that is not possible."""
    from dlclive_core.text.decoding import TextError, read_text
    from dlclive_core.text.yaml_1_2 import load  # here, because `import dlclive_core` loads numpy and pluggy only

    try:
        loaded = load(read_text(path))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    except TextError as error:
        raise ModelError(error.at(path)) from None
    if not isinstance(loaded, dict):
        raise ModelError(f"{path} does not contain settings; expected a file of DeepLabCut's, such as {CONFIG_NAME}")
    return loaded
