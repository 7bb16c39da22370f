"""The library that a model needs, told by its type or its path."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from dlclive_core import UsageError, nearest

_TYPES = {
    "pytorch": "pytorch",
    "onnx": "onnx",
    "openvino": "openvino",
    "tensorflow": "tensorflow",
    "base": "tensorflow",
    "lite": "tensorflow",
    "tflite": "tensorflow",
    "tensorrt": "tensorflow",
}
_RUN = ("base", "pytorch", "onnx", "openvino", "tensorrt")  # the others are known in order to be refused with advice
SUFFIXES = {".pt": "pytorch", ".onnx": "onnx", ".xml": "openvino", ".engine": "tensorrt"}


class Engine(Enum):
    """The library that runs a model. deeplabcut-live has the first two.

    There, the model type "tensorrt" is one of TensorFlow's, and stays so in `from_model_type`. `.engine` files are TensorRT's.
    """

    TENSORFLOW = "tensorflow"
    PYTORCH = "pytorch"
    ONNX = "onnx"
    OPENVINO = "openvino"
    TENSORRT = "tensorrt"

    @classmethod
    def from_model_type(cls, model_type: str) -> Engine:
        """The engine of a `model_type` of `DLCLive`, in any case. Raises UsageError, a ValueError, for an unknown one."""
        if model_type.lower() not in _TYPES:
            raise UsageError(f"Unknown model type: {model_type}; {nearest(model_type.lower(), _RUN)}")
        return cls(_TYPES[model_type.lower()])

    @classmethod
    def from_model_path(cls, model_path: str | Path) -> Engine:
        """The engine of a model file, or of a folder with TensorFlow's graph and `pose_cfg.yaml`.

        Raises:
            FileNotFoundError: there is nothing at this path.
            UsageError: it is neither; also a ValueError.
        """
        path = Path(model_path)
        if not path.exists():
            raise FileNotFoundError(f"no such model: {path}")
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            return cls(SUFFIXES[path.suffix.lower()])
        if (path / "pose_cfg.yaml").is_file() and any(path.glob("*.pb")):
            return cls.TENSORFLOW
        raise UsageError(
            f"Could not determine engine: {path} is neither a {', '.join(SUFFIXES)} file nor a folder with "
            "pose_cfg.yaml and a .pb file"
        )
