"""The parts of an export: the route of exporters to a format, the frames to compare on, and the error bounds."""

from dlclive_core.export.bounds import BOUND_BOX_PX, BOUNDS, Bound
from dlclive_core.export.exporters import check_exporters, make_exporters
from dlclive_core.export.frames import CALIBRATED, ExportFrames, choose_frames
from dlclive_core.export.route import Step, find_route

__all__ = [
    "BOUNDS",
    "BOUND_BOX_PX",
    "CALIBRATED",
    "Bound",
    "ExportFrames",
    "Step",
    "check_exporters",
    "choose_frames",
    "find_route",
    "make_exporters",
]
