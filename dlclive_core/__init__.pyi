"""The public names, for type checkers, `dir()` and lazy loading: a name is imported from here when it is first used."""

from .components import (
    Component,
    Device,
    DryOutput,
    Exporter,
    FrameSource,
    LatencyProbe,
    Output,
    PartBuilder,
    PoseModel,
    Processor,
    Sink,
)
from .data.card import ModelCard
from .data.clock_rate import ClockRate
from .data.estimate import Estimate, RunInfo
from .data.frame import Frame, as_rgb, check_image
from .data.frame_set import FrameSet, View
from .data.latency_trial import LatencyTrial
from .data.names import file_name_part, printable
from .data.pose import Pose
from .data.pose_3d import Pose3D
from .data.progress import Progress
from .data.recorded_run import RecordedFrame, RecordedRun, black_image, pose_digest
from .data.recorded_times import RecordedTime, TimesInOrder, is_times, read_times
from .data.recovery import RecoveredFile, RecoveryReport
from .data.run_clock import ReplayClock, RunClock
from .data.skeleton import Skeleton
from .data.trigger_event import Reason, TriggerEvent
from .dlclive import DLCLive
from .errors import (
    ConfigurationError,
    DataError,
    DependencyError,
    DLCLiveError,
    EndOfStream,
    FrameError,
    ModelError,
    ModelNotFoundError,
    OptionError,
    OutputError,
    OutputExistsError,
    PluginError,
    SourceError,
    UnsafeFileError,
    UnsupportedModelError,
    UsageError,
    nearest,
)
from .export.export import Export, export_model
from .export.parity import Parity, compare_models
from .hookspecs import (
    ComponentInfo,
    ExporterInfo,
    OutputInfo,
    ProcessorInfo,
    ReaderInfo,
    RecoveryInfo,
    RuntimeInfo,
    SinkInfo,
    SourceInfo,
    hookimpl,
)
from .machine.file_lock import FileLock
from .machine.files import create_file, draft_beside, open_unlinked, take_name, write_whole
from .machine.known_packages import install_command
from .models.detection import DetectionOptions, FollowingBox
from .models.load import load_model
from .models.network import Detector, Network, Setting
from .plugins.builtin.memory import MemorySink
from .plugins.catalog import PluginCatalog
from .plugins.specs import read_value
from .regions import Chain, Crop, CropTransform, FollowingCrop, Region, Resize
from .session import ArrayProcessor, Rig, Session, SessionReport, Tolerant, replay
from .views import CalibratedCamera, Calibration, MultiViewRig

__version__: str

__all__ = [
    "ArrayProcessor",
    "CalibratedCamera",
    "Calibration",
    "Chain",
    "ClockRate",
    "Component",
    "ComponentInfo",
    "ConfigurationError",
    "Crop",
    "CropTransform",
    "DLCLive",
    "DLCLiveError",
    "DataError",
    "DependencyError",
    "DetectionOptions",
    "Detector",
    "Device",
    "DryOutput",
    "EndOfStream",
    "Estimate",
    "Export",
    "Exporter",
    "ExporterInfo",
    "FileLock",
    "FollowingBox",
    "FollowingCrop",
    "Frame",
    "FrameError",
    "FrameSet",
    "FrameSource",
    "LatencyProbe",
    "LatencyTrial",
    "MemorySink",
    "ModelCard",
    "ModelError",
    "ModelNotFoundError",
    "MultiViewRig",
    "Network",
    "OptionError",
    "Output",
    "OutputError",
    "OutputExistsError",
    "OutputInfo",
    "Parity",
    "PartBuilder",
    "PluginCatalog",
    "PluginError",
    "Pose",
    "Pose3D",
    "PoseModel",
    "Processor",
    "ProcessorInfo",
    "Progress",
    "ReaderInfo",
    "Reason",
    "RecordedFrame",
    "RecordedRun",
    "RecordedTime",
    "RecoveredFile",
    "RecoveryInfo",
    "RecoveryReport",
    "Region",
    "ReplayClock",
    "Resize",
    "Rig",
    "RunClock",
    "RunInfo",
    "RuntimeInfo",
    "Session",
    "SessionReport",
    "Setting",
    "Sink",
    "SinkInfo",
    "Skeleton",
    "SourceError",
    "SourceInfo",
    "TimesInOrder",
    "Tolerant",
    "TriggerEvent",
    "UnsafeFileError",
    "UnsupportedModelError",
    "UsageError",
    "View",
    "__version__",
    "as_rgb",
    "black_image",
    "check_image",
    "compare_models",
    "create_file",
    "draft_beside",
    "export_model",
    "file_name_part",
    "hookimpl",
    "install_command",
    "is_times",
    "load_model",
    "nearest",
    "open_unlinked",
    "pose_digest",
    "printable",
    "read_times",
    "read_value",
    "replay",
    "take_name",
    "write_whole",
]
