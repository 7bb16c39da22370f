"""The sink that writes COCO's JSON when the session ends."""

from __future__ import annotations

from pathlib import Path

from dlclive_formats.coco.coco_format import SUFFIX, CocoFormat
from dlclive_formats.session.format_sink import FormatSink


class CocoSink(FormatSink):
    """Writes poses as COCO's JSON for keypoints, as `CocoFormat`.

    Args:
        path: ends in .json.
        results: write the bare list that COCO's evaluation takes as detections, without names and times.
        category: name of the animals' category.
        overwrite: replace an existing file.
    """

    format, suffixes = "coco", (SUFFIX,)

    def __init__(self, path: Path, results: bool = False, category: str = "animal", overwrite: bool = False) -> None:
        super().__init__(path, CocoFormat, overwrite=overwrite, results=results, category=category)
