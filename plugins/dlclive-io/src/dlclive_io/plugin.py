"""What dlclive-io offers. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import RecoveryInfo, SinkInfo, SourceInfo, hookimpl

VIDEO_SUFFIXES = (
    ".mp4",
    ".avi",
    ".mkv",
    ".mov",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".webm",
    ".ts",
    ".mts",
    ".m2ts",
    ".mjpeg",
    ".mjpg",
    ".wmv",
    ".flv",
    ".asf",
    ".3gp",
    ".ogv",
)
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

_INSTALL = "pip install dlclive-io"


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="video",
            summary="Reads a video file, each frame with its exact number",
            factory="dlclive_io.video.video_file:VideoFile",
            requires=("av",),
            install_hint=_INSTALL,
            opens=VIDEO_SUFFIXES,
        ),
        SourceInfo(
            name="images",
            summary="Reads a folder of images in the order of their numbers, or one image",
            factory="dlclive_io.video.image_folder:ImageFolder",
            requires=("cv2",),
            install_hint=_INSTALL,
            opens=IMAGE_SUFFIXES,
            opens_folders=True,
        ),
    ]


@hookimpl
def dlclive_register_sinks() -> list[SinkInfo]:
    return [
        SinkInfo(
            name="tables",
            summary="Writes poses as DeepLabCut's table, HDF5 or CSV by the file's suffix",
            factory="dlclive_io.tables.pose_table:PoseTable",
            requires=("tables", "pandas"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="timestamps",
            summary="Writes when each frame was taken and how long its pose took, as CSV",
            factory="dlclive_io.tables.timestamp_table:TimestampTable",
        ),
        SinkInfo(
            name="video",
            summary="Writes a video with the keypoints drawn in",
            factory="dlclive_io.video.labelled_video:LabelledVideo",
            requires=("av", "cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="recording",
            summary="Records frames as they came, in a video that survives a crash, each with a row of times",
            factory="dlclive_io.video.video_recording:VideoRecording",
            requires=("av", "cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="display",
            summary="Shows frames with the keypoints drawn in, in a window",
            factory="dlclive_io.screen.display_window:DisplayWindow",
            requires=("cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="web",
            summary="Shows frames with the keypoints, rate, latency and drops, in a page of the browser",
            factory="dlclive_io.screen.web_display:WebDisplay",
            requires=("starlette", "uvicorn", "cv2", "colorcet"),
            install_hint="pip install 'dlclive-io[web]'",
        ),
    ]


@hookimpl
def dlclive_register_recoveries() -> list[RecoveryInfo]:
    return [
        RecoveryInfo(
            name="files",
            summary="Finishes tables, times and videos that a killed run left",
            factory="dlclive_io.recovery.recover:recover",
            requires=("av", "tables"),
            install_hint=_INSTALL,
        )
    ]
