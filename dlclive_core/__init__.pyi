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
    TableFormat,
)
from .conversion import Conversion, convert_poses, write_recording
from .data.annotation import AnnotatedFrame, AnnotationReport
from .data.card import ModelCard
from .data.clock_rate import ClockRate
from .data.colour_order import swap_red_blue
from .data.estimate import Estimate, RunInfo
from .data.foreign_card import foreign_card
from .data.frame import Frame, as_rgb, check_image
from .data.frame_set import FrameSet, View
from .data.latency_trial import LatencyTrial
from .data.marks import Marks
from .data.names import file_name_part, printable
from .data.option_checks import check_number, check_whole
from .data.pose import Pose
from .data.pose_3d import Pose3D
from .data.pose_recording import PoseRecording, PoseRows, ReadRecording, RecordingInfo, split_rows
from .data.progress import Progress
from .data.recorded_run import RecordedFrame, RecordedRun, black_image, pose_digest
from .data.recorded_times import RecordedTime, TimesInOrder, is_times, read_times
from .data.recovery import RecoveredFile, RecoveryReport
from .data.run_clock import ReplayClock, RunClock
from .data.skeleton import Skeleton
from .data.student_facts import StudentFacts
from .data.trigger_event import Reason, TriggerEvent
from .distillation import (
    ConfidenceBin,
    Distances,
    Distilled,
    DistillPlan,
    DistillProgress,
    HumanErrors,
    Judgement,
    distill_model,
)
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
    first_of,
    nearest,
)
from .export.export import Export, export_model
from .export.parity import Parity, compare_models
from .hookspecs import (
    AnnotationInfo,
    ComponentInfo,
    DistillerInfo,
    ExporterInfo,
    FormatInfo,
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
from .models.cascade import Cascade
from .models.deeplabcut_live import detection_options_from_deeplabcut_live
from .models.detection import DetectionOptions, FollowingBox
from .models.load import load_model
from .models.network import Detector, Network, Setting
from .plugins.builtin.memory import MemorySink
from .plugins.catalog import PluginCatalog
from .plugins.specs import read_value
from .profiles import Profile
from .regions import (
    Chain,
    Crop,
    CropTransform,
    FollowingCrop,
    Region,
    Resize,
    regions_from_deeplabcut_live,
)
from .session import ArrayProcessor, Rig, Session, SessionReport, Tolerant, replay
from .session.array_processor import as_processor
from .session.pose_arrays import best_animal, finite_keypoints
from .views import CalibratedCamera, Calibration, MultiViewRig

__version__: str

__all__ = [
    "AnnotatedFrame",
    "AnnotationInfo",
    "AnnotationReport",
    "ArrayProcessor",
    "CalibratedCamera",
    "Calibration",
    "Cascade",
    "Chain",
    "ClockRate",
    "Component",
    "ComponentInfo",
    "ConfidenceBin",
    "ConfigurationError",
    "Conversion",
    "Crop",
    "CropTransform",
    "DLCLive",
    "DLCLiveError",
    "DataError",
    "DependencyError",
    "DetectionOptions",
    "Detector",
    "Device",
    "Distances",
    "DistillPlan",
    "DistillProgress",
    "Distilled",
    "DistillerInfo",
    "DryOutput",
    "EndOfStream",
    "Estimate",
    "Export",
    "Exporter",
    "ExporterInfo",
    "FileLock",
    "FollowingBox",
    "FollowingCrop",
    "FormatInfo",
    "Frame",
    "FrameError",
    "FrameSet",
    "FrameSource",
    "HumanErrors",
    "Judgement",
    "LatencyProbe",
    "LatencyTrial",
    "Marks",
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
    "PoseRecording",
    "PoseRows",
    "Processor",
    "ProcessorInfo",
    "Profile",
    "Progress",
    "ReadRecording",
    "ReaderInfo",
    "Reason",
    "RecordedFrame",
    "RecordedRun",
    "RecordedTime",
    "RecordingInfo",
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
    "StudentFacts",
    "TableFormat",
    "TimesInOrder",
    "Tolerant",
    "TriggerEvent",
    "UnsafeFileError",
    "UnsupportedModelError",
    "UsageError",
    "View",
    "__version__",
    "as_processor",
    "as_rgb",
    "best_animal",
    "black_image",
    "check_image",
    "check_number",
    "check_whole",
    "compare_models",
    "convert_poses",
    "create_file",
    "detection_options_from_deeplabcut_live",
    "distill_model",
    "draft_beside",
    "export_model",
    "file_name_part",
    "finite_keypoints",
    "first_of",
    "foreign_card",
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
    "regions_from_deeplabcut_live",
    "replay",
    "split_rows",
    "swap_red_blue",
    "take_name",
    "write_recording",
    "write_whole",
]
