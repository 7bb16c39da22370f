"""Cameras for dlclive: webcams and network streams by OpenCV, Basler by pypylon, GenICam by harvesters.

Importing this package imports none of these: each class is imported when it is first asked for.
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
