"""The format NWB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlclive_io import hdf5_nodes

from dlclive_core import DataError, PoseRecording, RecordingInfo, TableFormat, UsageError
from dlclive_formats.names import paths_for
from dlclive_formats.nwb.options import NwbOptions
from dlclive_formats.nwb.read_nwb import WHAT, is_nwb, read_nwb

SUFFIX = ".nwb"


@dataclass(frozen=True, kw_only=True)
class NwbFormat(NwbOptions, TableFormat):
    """Neurodata Without Borders, with ndx-pose: one file for each animal, because NWB has one subject.

    Options describe the session. What is not given is left out, never made up; for several animals, `species`, `sex`, `age`
    and the like hold for all.

    Args:
        session_start: date, time and time zone, ISO 8601, of second 0, where the recording does not tell.
        session_description: what happened.
        identifier: of the file, different for each; by default the animal's name, the start of the session and eight random
            digits. movement shows it as the animal's name.
        experimenter: "Last, First", or a list of them.
        institution, lab, experiment_description: text.
        keywords: one, or a list.
        subject_id: the animal's name in the lab, where there is a single one; otherwise its name in the poses.
        subject_description: text.
        species: its Latin name.
        sex: M, F, O (other) or U (unknown).
        age: ISO 8601 duration: P90D.
        source_video: the video, if the recording does not name it. It is linked where it exists, by its relative path.
        fps: frames per second, for a recording without times.
        container: for reading: which PoseEstimation, if a file has several, such as "PoseEstimation" or
            "behavior/PoseEstimation".
    """

    container: str = ""

    def recognizes(self, path: Path) -> bool:
        """Whether it is an HDF5 file whose root says that it is NWB."""
        if not hdf5_nodes.is_hdf5(path):
            return False
        try:
            with hdf5_nodes.opened(path, WHAT) as file:
                return is_nwb(file)
        except DataError:
            return False

    def read(self, path: Path) -> PoseRecording:
        """Open the poses of a file. Nothing in it is executed, and no other file is opened. Raises DataError."""
        return read_nwb(path, self.container)

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError if NWB needs more than the recording tells."""
        if not len(info.card.skeleton):
            raise UsageError("an NWB file needs keypoints of an animal")
        super().check(info)

    def outputs(self, info: RecordingInfo, path: Path) -> tuple[Path, ...]:
        """`path` for one animal; for several, one file each: `out_mouse1.nwb`."""
        names = info.card.individuals
        return (path,) if len(names) == 1 else paths_for(path, names, (SUFFIX,))

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a recording in two passes, one for the times. Raises DataError, UsageError, OSError."""
        from dlclive_formats.nwb.write_nwb import write_nwb  # it imports pynwb: two seconds, and nothing for reading

        self.check(recording.info)
        paths = self.outputs(recording.info, path)
        write_nwb(recording, self, paths)
        return paths
