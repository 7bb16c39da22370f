"""Video files, image folders, DeepLabCut tables, labelled videos and recordings that survive a crash, for dlclive.

Importing this package imports neither PyAV nor OpenCV nor pandas: each class is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlclive_io.recovery.recover import recover
    from dlclive_io.replay.read_run import read_run
    from dlclive_io.replay.record_file import RecordFile
    from dlclive_io.replay.replay_record import ReplayRecord
    from dlclive_io.screen.display_window import DisplayWindow
    from dlclive_io.screen.web_display import WebDisplay
    from dlclive_io.tables.anipose_table import AniposeTable
    from dlclive_io.tables.pose_table import PoseTable
    from dlclive_io.tables.timestamp_table import TimestampTable
    from dlclive_io.video.image_folder import ImageFolder
    from dlclive_io.video.labelled_video import LabelledVideo
    from dlclive_io.video.video_file import VideoFile
    from dlclive_io.video.video_recording import VideoRecording

__version__ = "0.1.0"

__all__ = [
    "AniposeTable",
    "DisplayWindow",
    "ImageFolder",
    "LabelledVideo",
    "PoseTable",
    "RecordFile",
    "ReplayRecord",
    "TimestampTable",
    "VideoFile",
    "VideoRecording",
    "WebDisplay",
    "__version__",
    "read_run",
    "recover",
]

_MODULES = {
    "AniposeTable": "tables.anipose_table",
    "DisplayWindow": "screen.display_window",
    "ImageFolder": "video.image_folder",
    "LabelledVideo": "video.labelled_video",
    "PoseTable": "tables.pose_table",
    "RecordFile": "replay.record_file",
    "ReplayRecord": "replay.replay_record",
    "TimestampTable": "tables.timestamp_table",
    "VideoFile": "video.video_file",
    "VideoRecording": "video.video_recording",
    "WebDisplay": "screen.web_display",
    "read_run": "replay.read_run",
    "recover": "recovery.recover",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"dlclive_io.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
