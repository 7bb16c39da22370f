"""The kit for authors of runtimes and exporters: what `dlclive_core` itself does not list, and their packages need.

DeepLabCut's configurations and file names, the contracts of model files, and a few facts about this machine.
"""

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.card import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from dlclive_core.deeplabcut.config import (
    LOCREF_STD,
    HeatmapDecoding,
    PoseConfig,
    detector_normalisation,
    scorer_name,
)
from dlclive_core.deeplabcut.config_file import CONFIG_NAME, read_config
from dlclive_core.deeplabcut.labelling_project import LABELLED_DATA, LabellingProject, video_name
from dlclive_core.deeplabcut.locate import detector_beside
from dlclive_core.deeplabcut.snapshots import Snapshot, detector_snapshots, is_detector_snapshot
from dlclive_core.deeplabcut.video_sets import add_video_set, video_set_line
from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.json_text import json_text
from dlclive_core.machine.system import sha256
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.detector_file import find_detector
from dlclive_core.models.model_contracts import (
    CARD_KEY,
    CONDITIONS_INPUT,
    DETECTOR_KEY,
    DETECTOR_OUTPUTS,
    IMAGE_INPUT,
    check_detector,
    fix_input_size,
    refuse_other_program,
)
from dlclive_core.models.network import PeakWork
from dlclive_core.models.output_shapes import check_network
from dlclive_core.models.padding import pad
from dlclive_core.models.topdown.model import TopDownModel

__all__ = [
    "CARD_KEY",
    "CONDITIONS_INPUT",
    "CONFIG_NAME",
    "DETECTOR_KEY",
    "DETECTOR_OUTPUTS",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "IMAGE_INPUT",
    "LABELLED_DATA",
    "LOCREF_STD",
    "AssemblyRules",
    "BottomUpModel",
    "HeatmapDecoding",
    "LabellingProject",
    "Normalisation",
    "PeakWork",
    "PoseConfig",
    "Snapshot",
    "TopDownModel",
    "add_video_set",
    "check_detector",
    "check_network",
    "detector_beside",
    "detector_normalisation",
    "detector_snapshots",
    "find_detector",
    "fix_input_size",
    "is_detector_snapshot",
    "json_text",
    "pad",
    "read_config",
    "refuse_other_program",
    "scorer_name",
    "sha256",
    "usable_cores",
    "video_name",
    "video_set_line",
]
