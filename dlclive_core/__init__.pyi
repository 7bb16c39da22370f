"""The public names, for type checkers, `dir()` and lazy loading: a name is imported from here when it is first used."""

from .components import Component, Device, Exporter, FrameSource, LatencyProbe, PoseModel, Processor, Sink
from .data.card import ModelCard
from .data.clock_rate import ClockRate
from .data.estimate import Estimate, RunInfo
from .data.frame import Frame, as_rgb, check_image
from .data.latency_trial import LatencyTrial
from .data.names import file_name_part, printable
from .data.pose import Pose
from .data.progress import Progress
from .data.recovery import RecoveredFile, RecoveryReport
from .data.skeleton import Skeleton
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
    ProcessorInfo,
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
from .regions import Chain, Crop, CropTransform, FollowingCrop, Region, Resize
from .session import Rig, Session, SessionReport, Tolerant

__version__: str

__all__ = [
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
    "FrameSource",
    "LatencyProbe",
    "LatencyTrial",
    "MemorySink",
    "ModelCard",
    "ModelError",
    "ModelNotFoundError",
    "Network",
    "OutputError",
    "OutputExistsError",
    "Parity",
    "PluginCatalog",
    "PluginError",
    "Pose",
    "PoseModel",
    "Processor",
    "ProcessorInfo",
    "Progress",
    "RecoveredFile",
    "RecoveryInfo",
    "RecoveryReport",
    "Region",
    "Resize",
    "Rig",
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
    "Tolerant",
    "UnsafeFileError",
    "UnsupportedModelError",
    "UsageError",
    "__version__",
    "as_rgb",
    "check_image",
    "compare_models",
    "create_file",
    "draft_beside",
    "export_model",
    "file_name_part",
    "hookimpl",
    "install_command",
    "load_model",
    "nearest",
    "open_unlinked",
    "printable",
    "take_name",
    "write_whole",
]
