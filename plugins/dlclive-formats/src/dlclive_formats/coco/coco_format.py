"""COCO's JSON for keypoints as a format."""

from __future__ import annotations

from pathlib import Path

from dlclive_core import DataError, PoseRecording, RecordingInfo, TableFormat, UsageError, open_unlinked
from dlclive_formats.coco.coco_reader import is_coco, read_coco
from dlclive_formats.coco.coco_writer import write_dataset, write_results

SUFFIX = ".json"


class CocoFormat(TableFormat):
    """A data set in COCO's JSON for keypoints, with predictions as annotations; or a list of results.

    Keypoints are x, y and visibility: 2, or 0, 0, 0 for one that was not found; their confidences are in `keypoint_scores`.
    Animals of a multi-animal project have a `track_id`, from 1. The id of an image is its frame's number, and `seconds` is when
    it was captured. Keypoints that exist once in the scene are a category of their own, "single".

    In COCO a keypoint's position is a pixel's index: the centre of the top left pixel is (0, 0), half a pixel from ours. A
    `bbox` is measured from the corner of the image, as ours.

    Args:
        results: write the bare list that COCO's evaluation takes as detections. It has no names and no times.
        category: name of the animals' category.
    """

    def __init__(self, results: bool = False, category: str = "animal") -> None:
        self._results, self._category = results, category

    def recognizes(self, path: Path) -> bool:
        """Whether a file has COCO's images, annotations or categories near its beginning, or is a list of results."""
        return is_coco(path)

    def read(self, path: Path) -> PoseRecording:
        """Open a data set or a list of results. See `read_coco`."""
        return read_coco(path)

    def check(self, info: RecordingInfo) -> None:
        """Refuse poses in space, and unique keypoints in a list of results."""
        if info.dimensions != 2:
            raise UsageError("COCO holds positions in pixels, not in space: write a table (.h5, .csv)")
        if self._results and info.card.unique_keypoints:
            raise UsageError("a list of results has no place for unique keypoints: write a data set, without results")

    def write(self, recording: PoseRecording, path: Path) -> tuple[Path, ...]:
        """Write one file. Raises DataError."""
        try:
            with open_unlinked(path, "x", encoding="utf-8", newline="\n") as file:
                if self._results:
                    write_results(file, recording)
                else:
                    write_dataset(file, recording, path, self._category)
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
        return (path,)
