"""The kit for authors of runtimes and exporters: what they need beyond the names of `dlclive_core`.

A runtime's plugin imports from `dlclive_core`, from here and, in its tests, from `dlclive_core.testing`; deeper modules may
change in any release. Importing this module loads numpy and pluggy, nothing heavier.
"""

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.card import IMAGENET_MEAN, IMAGENET_STD, Normalisation
from dlclive_core.deeplabcut.config import (
    CONFIG_NAME,
    LOCREF_STD,
    HeatmapDecoding,
    PoseConfig,
    detector_normalisation,
    read_config,
    scorer_name,
)
from dlclive_core.deeplabcut.locate import detector_beside, detector_snapshots
from dlclive_core.errors import nearest, one_line
from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.system import sha256
from dlclive_core.models.exported_file import (
    CARD_KEY,
    CONDITIONS_INPUT,
    DETECTOR_OUTPUTS,
    IMAGE_INPUT,
    check_detector,
    find_detector,
    join_detections,
    resolve_input_size,
)
from dlclive_core.models.network import Arrays
from dlclive_core.models.padding import pad

__all__ = [
    "CARD_KEY",
    "CONDITIONS_INPUT",
    "CONFIG_NAME",
    "DETECTOR_OUTPUTS",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "IMAGE_INPUT",
    "LOCREF_STD",
    "Arrays",
    "AssemblyRules",
    "HeatmapDecoding",
    "Normalisation",
    "PoseConfig",
    "check_detector",
    "detector_beside",
    "detector_normalisation",
    "detector_snapshots",
    "find_detector",
    "join_detections",
    "nearest",
    "one_line",
    "pad",
    "read_config",
    "resolve_input_size",
    "scorer_name",
    "sha256",
    "usable_cores",
]
