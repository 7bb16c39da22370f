"""dlclive: real-time pose estimation of animals with DeepLabCut models.

This namespace is the public one; `dlclive_core.testing` is the other. Importing it loads numpy and pluggy, nothing
heavier.
"""

from dlclive_core.components import Component, Device, Exporter, FrameSource, PoseModel, Processor, Sink
from dlclive_core.data.card import ModelCard
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame import Frame, as_rgb, check_image
from dlclive_core.data.pose import Pose
from dlclive_core.data.progress import Progress
from dlclive_core.data.recovery import RecoveredFile, RecoveryReport
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.dlclive import DLCLive
from dlclive_core.errors import (
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
)
from dlclive_core.export.export import Export, export_model
from dlclive_core.export.parity import Parity, compare_models
from dlclive_core.hookspecs import (
    ComponentInfo,
    ExporterInfo,
    ProcessorInfo,
    RecoveryInfo,
    RuntimeInfo,
    SinkInfo,
    SourceInfo,
    hookimpl,
)
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.models.load import load_model
from dlclive_core.models.network import Detector, Network, Setting
from dlclive_core.plugins.builtin.memory import MemorySink
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.regions import Chain, Crop, CropTransform, FollowingCrop, Region, Resize
from dlclive_core.session import Rig, Session, SessionReport, Tolerant

__version__ = "0.1.0"

__all__ = [
    "Chain",
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
    "FollowingBox",
    "FollowingCrop",
    "Frame",
    "FrameError",
    "FrameSource",
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
    "export_model",
    "hookimpl",
    "load_model",
]
