"""Reads COCO's JSON for keypoints, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, PoseRecording, PoseRows, ReadRecording
from dlclive_formats.coco.coco_index import CocoIndex
from dlclive_formats.coco.coco_plan import UNIQUE_SLOT, CocoPlan, plan_of
from dlclive_formats.json_elements import elements, read_element
from dlclive_formats.points import found, is_number, missing, read_triples
from dlclive_formats.rows import frames_at_once

_LOOKED_AT = 1000  # elements
_MARKS = {"images": {"id", "file_name"}, "annotations": {"image_id"}, "categories": {"id"}}
_MARKS[""] = {"image_id", "keypoints"}  # a list of results


def is_coco(path: Path) -> bool:
    """Whether a file is COCO's, by the first elements of its lists."""
    with suppress(OSError, DataError), path.open("rb") as file:
        if file.read(4).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"[", b""):
            return False
        file.seek(0)
        for element in islice(elements(file, path), _LOOKED_AT):
            marks = _MARKS.get(element.key)
            if marks is not None and isinstance(element.value, dict) and marks <= element.value.keys():
                return True
    return False


def read_coco(path: Path) -> PoseRecording:
    """Open a data set, or a list of results.

    In a data set of another program the number of a frame is the last number in the name of its image's file, if each image has
    one of its own, else the image's id; in a list of results it is the `image_id`. Individuals are those of the `track_id`,
    or else numbered in each image. A confidence is that of `keypoint_scores`, the third value of a keypoint where that is
    no visibility, the annotation's `score`, or 1. Crowds and annotations without keypoints are left out.

    Raises:
        DataError: it is damaged, holds no keypoints, or those of several kinds of animals.
    """
    try:
        with path.open("rb") as file:
            index = CocoIndex(file, path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    plan = plan_of(index, path)
    return ReadRecording(plan.info, plan.frame_count, lambda: _blocks(plan, index, path))


def _blocks(plan: CocoPlan, index: CocoIndex, path: Path) -> Iterator[PoseRows]:
    card = plan.info.card
    animals, points, unique = len(card.individuals), len(card.skeleton), len(card.unique_keypoints)
    step = frames_at_once(plan.info)
    try:
        with path.open("rb") as file:
            for start in range(0, len(plan.numbers), step):
                stop = min(start + step, len(plan.numbers))
                keypoints = np.tile(missing(points), (stop - start, animals, 1, 1))
                single = np.tile(missing(unique), (stop - start, 1, 1))
                for frame in range(start, stop):
                    for place in range(plan.firsts[frame], plan.firsts[frame + 1]):
                        values = _points(file, index, int(plan.order[place]), path)
                        if plan.slots[place] == UNIQUE_SLOT:
                            single[frame - start] = values
                        else:
                            keypoints[frame - start, plan.slots[place]] = values
                yield PoseRows(plan.numbers[start:stop], plan.seconds[start:stop], keypoints, single)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def _points(file: IO[bytes], index: CocoIndex, place: int, path: Path) -> NDArray[np.float64]:
    """(K, 3) positions and confidences of an annotation."""
    start = int(index.starts[place])
    try:
        annotation = read_element(file, start, int(index.lengths[place]))
        points = read_triples(annotation["keypoints"])
        if len(points) != index.points[place]:
            raise ValueError("the file has changed")
        visible = points[:, 2] > 0
        points[:, 2] = _confidences(annotation, points[:, 2])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        text = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: an annotation cannot be read, at byte {start}: {text}") from None
    lost = ~(visible & found(points))
    points[lost] = missing(int(lost.sum()))
    return points


def _confidences(annotation: dict[str, Any], third: NDArray[np.float64]) -> Any:
    scores = annotation.get("keypoint_scores")
    if isinstance(scores, list) and len(scores) == len(third):
        return np.array(scores, np.float64)  # null becomes NaN
    if not np.isin(third, (0, 1, 2)).all():
        return third  # as many programs write results
    score: Any = annotation.get("score")
    return float(score) if is_number(score) else 1.0
