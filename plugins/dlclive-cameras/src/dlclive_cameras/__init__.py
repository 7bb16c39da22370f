"""Cameras for dlclive: webcams and network streams with OpenCV, Basler with pypylon, GenICam with harvesters.

Importing this package imports none of these libraries: each class is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlclive_cameras.basler import BaslerCamera
    from dlclive_cameras.genicam_camera import GenICamCamera
    from dlclive_cameras.opencv_camera import OpenCVCamera

__version__ = "0.1.0"

__all__ = ["BaslerCamera", "GenICamCamera", "OpenCVCamera", "__version__"]

_MODULES = {
    "BaslerCamera": "basler",
    "GenICamCamera": "genicam_camera",
    "OpenCVCamera": "opencv_camera",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"dlclive_cameras.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
