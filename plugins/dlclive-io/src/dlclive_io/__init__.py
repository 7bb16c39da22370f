"""Video files, image folders, DeepLabCut tables, labelled videos and recordings that survive a crash, for dlclive.

Importing this package imports neither PyAV nor OpenCV nor pandas: each class is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlclive_io import hdf5_nodes
    from dlclive_io.foreign_file import foreign_errors
    from dlclive_io.labelling.add_frames import add_frames
    from dlclive_io.outliers.outlier_frames import OutlierFrames
    from dlclive_io.output_file import OutputFile
    from dlclive_io.recovery.recover import recover
    from dlclive_io.recovery.run_record import note_recovery
    from dlclive_io.replay.read_run import read_run
    from dlclive_io.replay.record_file import RecordFile
    from dlclive_io.replay.replay_record import ReplayRecord
    from dlclive_io.screen.display_window import DisplayWindow
    from dlclive_io.screen.web_display import WebDisplay
    from dlclive_io.tables.anipose_table import AniposeTable
    from dlclive_io.tables.journal_content import JournalContent
    from dlclive_io.tables.pose_journal import PoseJournal, remove_journal
    from dlclive_io.tables.pose_table import PoseTable
    from dlclive_io.tables.table_layout import TableLayout
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
    "JournalContent",
    "LabelledVideo",
    "OutlierFrames",
    "OutputFile",
    "PoseJournal",
    "PoseTable",
    "RecordFile",
    "ReplayRecord",
    "TableLayout",
    "TimestampTable",
    "VideoFile",
    "VideoRecording",
    "WebDisplay",
    "__version__",
    "add_frames",
    "foreign_errors",
    "hdf5_nodes",
    "note_recovery",
    "read_run",
    "recover",
    "remove_journal",
]

_MODULES = {
    "AniposeTable": "tables.anipose_table",
    "DisplayWindow": "screen.display_window",
    "ImageFolder": "video.image_folder",
    "JournalContent": "tables.journal_content",
    "LabelledVideo": "video.labelled_video",
    "OutlierFrames": "outliers.outlier_frames",
    "OutputFile": "output_file",
    "PoseJournal": "tables.pose_journal",
    "PoseTable": "tables.pose_table",
    "RecordFile": "replay.record_file",
    "ReplayRecord": "replay.replay_record",
    "TableLayout": "tables.table_layout",
    "TimestampTable": "tables.timestamp_table",
    "VideoFile": "video.video_file",
    "VideoRecording": "video.video_recording",
    "WebDisplay": "screen.web_display",
    "add_frames": "labelling.add_frames",
    "foreign_errors": "foreign_file",
    "note_recovery": "recovery.run_record",
    "read_run": "replay.read_run",
    "recover": "recovery.recover",
    "remove_journal": "tables.pose_journal",
}


def __getattr__(name: str) -> Any:
    if name == "hdf5_nodes":  # a module of public functions
        return import_module("dlclive_io.hdf5_nodes")
    if name in _MODULES:
        return getattr(import_module(f"dlclive_io.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
