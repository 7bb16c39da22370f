"""Builds the runner for a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dlclive.core.runner import BaseRunner
from dlclive.engine import Engine

_RUNNER = ("device", "precision", "single_animal", "dynamic", "top_down_config")
_TENSORFLOW = ("tf_config", "precision")
_OURS = (".pt", ".onnx", ".xml", ".engine")
_CONFIGURATIONS = ("pytorch_config.yaml", "config.yaml")


def build_runner(model_type: str, model_path: str | Path, **kwargs: Any) -> BaseRunner:
    """Build the runner for a model; it loads the model later, in `load_model` or `init_inference`.

    Args:
        model_type: "pytorch", "onnx", "openvino", "tensorrt"; "base": what the path says. A model file says more than the type
            "pytorch", which programs pass for every model: an `.onnx` file is run as one.
        model_path: a model file; or a training folder, an export folder, or a project with one model.
        kwargs: of `PyTorchRunner`; others are ignored.

    Raises:
        UsageError: an unknown `model_type`; also a ValueError.
        DLCLiveError: a TensorFlow model.
    """
    engine, name, path = Engine.from_model_type(model_type), model_type.lower(), Path(model_path)
    is_tensorflow = engine is Engine.TENSORFLOW and not (name in ("base", "tensorrt") and _is_ours(path))
    if is_tensorflow or ((path / "pose_cfg.yaml").is_file() and not _is_ours(path)):
        from dlclive.pose_estimation_tensorflow.runner import TensorFlowRunner

        of_tensorflow = "base" if name == "tensorflow" else model_type
        return TensorFlowRunner(model_path, of_tensorflow, **filter_keys(_TENSORFLOW, kwargs))
    # Through the modules, so that a caller may replace the class.
    options = filter_keys(_RUNNER, kwargs)
    if name in ("onnx", "openvino", "tensorrt"):
        from dlclive.core import model_runner

        return model_runner.ModelRunner(model_path, name, **options)
    from dlclive.pose_estimation_pytorch import runner

    return runner.PyTorchRunner(model_path, **options)


def filter_keys(valid: Collection[str], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `kwargs` whose names are in `valid`."""
    return {name: value for name, value in kwargs.items() if name in valid}


def _is_ours(path: Path) -> bool:
    """Whether a path may hold a model that dlclive runs: not a folder of TensorFlow's, and not an empty one."""
    if not path.is_dir():
        return path.suffix.lower() not in (".pb", ".tflite")
    return any(child.suffix.lower() in _OURS or child.name in _CONFIGURATIONS for child in path.iterdir())
