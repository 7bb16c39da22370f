"""OpenPose's folders of JSON files as a format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, RecordingInfo, TableFormat, UsageError, open_unlinked
from dlclive_formats.openpose.frame_json import RECORDING, frame_text, own_values
from dlclive_formats.openpose.openpose_reader import has_only_frames, is_openpose, read_openpose
from dlclive_formats.recording_facts import to_facts
from dlclive_formats.rows import MOST_EMPTY_FRAMES

SUFFIX = "_json"
"""Of the folder: Pose2Sim looks for folders with "json" in their names."""

_NOBODY = np.empty((0, 0, 3))
_NAMES = {"openpose": "{}_{:012d}_keypoints.json", "pose2sim": "{}_{:06d}.json"}


class OpenPoseFormat(TableFormat):
    """A folder with a JSON file for each frame, as OpenPose writes it, version 1.3.

    A keypoint is x, y and confidence, 0, 0, 0 if it was not found. `person_id` is the number of the individual, from 0;
    individuals that were not found are left out. Where the confidence is unknown it is 1. The centre of the top left pixel is
    (0, 0), as in OpenCV, half a pixel from ours.

    Each file also has `dlclive.seconds`, when it was captured, and `dlclive.unique_keypoints_2d`, the keypoints that exist once
    in the scene; that of frame 0 has `dlclive.recording`, with the names of the keypoints, for which OpenPose has no place.

    Args:
        names: of the files: "openpose" is `mouse_000000000012_keypoints.json`, "pose2sim" `mouse_000012.json`, as Pose2Sim
            writes them. Pose2Sim reads both.
    """

    def __init__(self, names: Literal["openpose", "pose2sim"] = "openpose") -> None:
        if names not in _NAMES:
            raise UsageError(f"names must be {' or '.join(_NAMES)}, not {names!r}")
        self._pattern = _NAMES[names]

    def recognizes(self, path: Path) -> bool:
        """Whether a path is a folder with a file of a frame."""
        return is_openpose(path)

    def read(self, path: Path) -> PoseRecording:
        """Open a folder. See `read_openpose`."""
        return read_openpose(path)

    def check(self, info: RecordingInfo) -> None:
        """Refuse poses in space."""
        if info.dimensions != 2:
            raise UsageError("OpenPose's files hold positions in pixels: write a table (.h5, .csv) of poses in space")

    def may_replace(self, folder: Path) -> bool:
        """Whether each file in a folder may be that of a frame, by its name, and there is no other folder in it."""
        return has_only_frames(folder)

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write a folder, with a file for each frame up to the last one, also for those without a pose. Raises DataError."""
        stem = path.name[: -len(SUFFIX)] if path.name.lower().endswith(SUFFIX) else path.name
        following, facts = 0, {RECORDING: to_facts(recording.info)}
        spare = _Spare(recording)

        def add(number: int, keypoints: NDArray[np.float64], own: dict[str, Any]) -> None:
            own = facts | own if number == 0 else own
            with open_unlinked(path / self._pattern.format(stem, number), "x", encoding="utf-8") as file:
                file.write(frame_text(keypoints, own))

        try:
            path.mkdir()
            for rows in recording.blocks():
                for index, number in enumerate(rows.numbers.tolist()):
                    for empty in spare.between(following, number):
                        add(empty, _NOBODY, {})
                    add(number, rows.keypoints[index], own_values(rows.seconds[index], rows.unique[index]))
                    following = number + 1
            for empty in spare.between(following, recording.frame_count):
                add(empty, _NOBODY, {})
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
        return (path,)


class _Spare:
    """Counts the files of frames without a pose: a counter that jumped must not fill the disk."""

    def __init__(self, recording: PoseRecording) -> None:
        self._last, self._left = recording.frame_count - 1, MOST_EMPTY_FRAMES

    def between(self, start: int, stop: int) -> range:
        self._left -= max(0, stop - start)
        if self._left < 0:
            raise DataError(
                f"more than {MOST_EMPTY_FRAMES} frames are missing, up to frame {self._last}, and each has a file here; "
                "write .csv, or check the source's counter"
            )
        return range(start, stop)
