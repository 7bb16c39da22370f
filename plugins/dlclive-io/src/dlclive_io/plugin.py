"""The components of dlclive-io. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import AnnotationInfo, FormatInfo, ReaderInfo, RecoveryInfo, SinkInfo, SourceInfo, hookimpl

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
    ".h264",
    ".264",
    ".h265",
    ".hevc",
)
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

_INSTALL = "pip install dlclive-io"


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="video",
            summary="Reads a video file with exact frame numbers",
            factory="dlclive_io.video.video_file:VideoFile",
            requires=("av",),
            install_hint=_INSTALL,
            opens=VIDEO_SUFFIXES,
        ),
        SourceInfo(
            name="images",
            summary="Reads a folder of images in numeric order, a single image, or a TIFF stack",
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
            summary="Writes poses as a DeepLabCut table, HDF5 or CSV depending on the file's suffix",
            factory="dlclive_io.tables.pose_table:PoseTable",
            requires=("tables",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="anipose",
            summary="Writes poses in space as Anipose's table, CSV",
            factory="dlclive_io.tables.anipose_table:AniposeTable",
        ),
        SinkInfo(
            name="timestamps",
            summary="Writes capture time, inference time and latency of each frame, as CSV",
            factory="dlclive_io.tables.timestamp_table:TimestampTable",
        ),
        SinkInfo(
            name="outliers",
            summary="Keeps the frames that are worth labelling: unsure, jumping, or marked by the user",
            factory="dlclive_io.outliers.outlier_frames:OutlierFrames",
            requires=("cv2",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="replay",
            summary="Records the model's poses and all times to the last bit, for dlclive replay",
            factory="dlclive_io.replay.replay_record:ReplayRecord",
        ),
        SinkInfo(
            name="video",
            summary="Writes a video with the keypoints drawn on it",
            factory="dlclive_io.video.labelled_video:LabelledVideo",
            requires=("av", "cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="recording",
            summary="Records the raw frames in a video that survives a crash, with a table of timestamps",
            factory="dlclive_io.video.video_recording:VideoRecording",
            requires=("av", "cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="display",
            summary="Shows frames and keypoints in a window",
            factory="dlclive_io.screen.display_window:DisplayWindow",
            requires=("cv2", "colorcet"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="web",
            summary="Shows frames, keypoints, rate, latency and dropped frames in the browser",
            factory="dlclive_io.screen.web_display:WebDisplay",
            requires=("starlette", "uvicorn", "cv2", "colorcet"),
            install_hint="pip install starlette uvicorn",
        ),
    ]


@hookimpl
def dlclive_register_formats() -> list[FormatInfo]:
    return [
        FormatInfo(
            name="deeplabcut",
            summary="DeepLabCut's tables, .h5 and .csv: predictions, tracks and labels",
            factory="dlclive_io.deeplabcut.deeplabcut_format:DeepLabCutFormat",
            suffixes=(".h5", ".csv"),
            preference=10,
            requires=("h5py", "tables"),
            install_hint=_INSTALL,
        )
    ]


@hookimpl
def dlclive_register_recoveries() -> list[RecoveryInfo]:
    return [
        RecoveryInfo(
            name="files",
            summary="Completes the tables, timestamps and videos of a run that was killed",
            factory="dlclive_io.recovery.recover:recover",
            requires=("av", "tables"),
            install_hint=_INSTALL,
        )
    ]


@hookimpl
def dlclive_register_readers() -> list[ReaderInfo]:
    return [
        ReaderInfo(
            name="files",
            summary="Reads replay records, DeepLabCut tables and timestamps",
            factory="dlclive_io.replay.read_run:read_run",
            requires=("tables",),
            install_hint=_INSTALL,
        )
    ]


@hookimpl
def dlclive_register_annotations() -> list[AnnotationInfo]:
    return [
        AnnotationInfo(
            name="deeplabcut",
            summary="Puts kept frames into a DeepLabCut project, with machine labels",
            factory="dlclive_io.labelling.add_frames:add_frames",
            requires=("cv2", "tables"),
            install_hint=_INSTALL,
        )
    ]
