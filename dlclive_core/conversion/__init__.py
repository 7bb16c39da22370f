"""Finished poses from one format to another."""

from dlclive_core.conversion.convert import Conversion, convert_poses
from dlclive_core.conversion.write_recording import write_recording

__all__ = ["Conversion", "convert_poses", "write_recording"]
