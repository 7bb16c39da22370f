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
        if Path(path).is_dir() and not _is_tensorflow(Path(path)):
            raise UnsupportedModelError(
                f"no model in {path}: give a {', '.join(SUFFIXES)} file, or a folder with one or with pytorch_config.yaml"
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


def _is_tensorflow(folder: Path) -> bool:
    """Whether it holds what DeepLabCut 2 wrote: a configuration, a graph or a snapshot."""
    return any(
        child.name == "pose_cfg.yaml" or child.suffix.lower() in (".pb", ".pbtxt", ".index", ".tflite", ".meta")
        for child in folder.iterdir()
    )
