"""The runner for TensorFlow models, which says what to do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from dlclive.core.runner import BaseRunner
from dlclive.engine import SUFFIXES
from dlclive_core import UnsupportedModelError


class TensorFlowRunner(BaseRunner):
    """Raises UnsupportedModelError: dlclive has no TensorFlow."""

    def __init__(
        self, path: str | Path, model_type: str = "base", tf_config: Any = None, precision: str = "FP32"
    ) -> None:
        super().__init__(path)
        suffix = Path(path).suffix.lower()
        if suffix in SUFFIXES and Path(path).is_file():
            raise UnsupportedModelError(
                f"model_type names a model of TensorFlow, which dlclive does not run; a {suffix} file such as {path} needs no "
                "model_type: leave it out"
            )
        raise UnsupportedModelError(
            f"{path} is a TensorFlow model, which dlclive does not run: convert or train the "
            "project with DeepLabCut 3, and export it to a .pt file"
        )

    def close(self) -> None:
        """Never called: there is no such runner."""

    def get_pose(self, frame: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError

    def init_inference(self, frame: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError

    def read_config(self) -> NoReturn:
        raise NotImplementedError
