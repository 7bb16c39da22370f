"""How a file tells a frame without a pose from one in which no animal was found: NWB's labels for samples, `control`."""

from __future__ import annotations

from typing import Any

from dlclive_io import hdf5_nodes

LABELS = (
    "pose",
    "no pose: the frame was dropped or not analysed, and its time lies between those of its neighbours",
)
"""Of the labels 0 and 1."""


def marks_missing_poses(series: Any) -> bool:
    """Whether a series has our labels."""
    return hdf5_nodes.texts(series, "control_description") == LABELS
