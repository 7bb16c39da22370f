"""The parts of an export: which exporters lead to a format, on which frames, and how near the result has to be."""

from dlclive_core.export.bounds import BOUND_BOX_PX, BOUNDS, Bound
from dlclive_core.export.exporters import check_exporters, make_exporters
from dlclive_core.export.frames import CALIBRATED, Frames, choose_frames
from dlclive_core.export.route import Step, find_route

__all__ = [
    "BOUNDS",
    "BOUND_BOX_PX",
    "CALIBRATED",
    "Bound",
    "Frames",
    "Step",
    "check_exporters",
    "choose_frames",
    "find_route",
    "make_exporters",
]
