"""The components of dlclive-cameras. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import SourceInfo, hookimpl


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="camera",
            summary="A webcam (number or device path) or a network stream (URL)",
            factory="dlclive_cameras.opencv_camera:OpenCVCamera",
            requires=("cv2",),
            install_hint="pip install dlclive-cameras",
        ),
        SourceInfo(
            name="basler",
            summary="A Basler camera, through pylon",
            factory="dlclive_cameras.basler:BaslerCamera",
            requires=("pypylon",),
            install_hint="pip install 'dlclive-cameras[basler]'",
        ),
        SourceInfo(
            name="genicam",
            summary="Any GenICam camera, through its manufacturer's GenTL producer",
            factory="dlclive_cameras.genicam_camera:GenICamCamera",
            requires=("harvesters",),
            install_hint="pip install 'dlclive-cameras[genicam]'",
        ),
    ]
