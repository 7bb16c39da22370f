"""The sink that writes OpenPose's folder of JSON files when the session ends."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dlclive_formats.openpose.openpose_format import SUFFIX, OpenPoseFormat
from dlclive_formats.session.format_sink import FormatSink


class OpenPoseSink(FormatSink):
    """Writes poses as a folder with a JSON file for each frame, as `OpenPoseFormat`.

    Args:
        path: ends in _json.
        names: of the files: "openpose" is `mouse_000000000012_keypoints.json`, "pose2sim" `mouse_000012.json`.
        overwrite: replace an existing folder, if it holds nothing but such files.
    """

    format, suffixes = "openpose", (SUFFIX,)
    writes_folders = True

    def __init__(
        self, path: Path, names: Literal["openpose", "pose2sim"] = "openpose", overwrite: bool = False
    ) -> None:
        super().__init__(path, OpenPoseFormat, overwrite=overwrite, names=names)
