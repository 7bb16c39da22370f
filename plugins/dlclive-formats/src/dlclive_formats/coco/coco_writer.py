"""Writes COCO's JSON, frame by frame."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import PoseRecording, PoseRows, RecordingInfo, file_name_part
from dlclive_formats.points import found, triples
from dlclive_formats.recording_facts import to_facts

ANIMAL, UNIQUE = 1, 2
"""The ids of the categories."""
UNIQUE_NAME = "single"
"""Of the category of keypoints that exist once in the scene: DeepLabCut's name."""

FACTS, FRAME_COUNT = "dlclive", "frame_count"
"""What is known of the recording, in `info`."""

_VISIBLE = 2


def write_dataset(file: IO[str], recording: PoseRecording, path: Path, category: str) -> None:
    """Write a data set. The recording is read twice, for the images and for the annotations, so that neither is kept."""
    info = recording.info
    stem = file_name_part(Path(info.source).stem) or path.stem
    file.write(f'{{"info": {_text(_about(recording))},\n"licenses": [],\n')
    file.write(f'"categories": {_text(_categories(info, category))},\n"images": [\n')
    _write_list(file, (image for rows in recording.blocks() for image in _images(rows, info, stem)))
    file.write('],\n"annotations": [\n')
    # COCO's evaluation takes an annotation with the id 0 for a missing one.
    numbered = enumerate((found for rows in recording.blocks() for found in _annotations(rows, info)), 1)
    _write_list(
        file, ({"id": number} | annotation | {"segmentation": [], "iscrowd": 0} for number, annotation in numbered)
    )
    file.write("]}\n")


def write_results(file: IO[str], recording: PoseRecording) -> None:
    """Write a list of results, as COCO's evaluation takes them."""
    file.write("[\n")
    _write_list(file, (found for rows in recording.blocks() for found in _annotations(rows, recording.info)))
    file.write("]\n")


def _write_list(file: IO[str], items: Iterable[dict[str, Any]]) -> None:
    separator = ""
    for item in items:
        file.write(separator + _text(item))
        separator = ",\n"
    file.write("\n" if separator else "")


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _about(recording: PoseRecording) -> dict[str, Any]:
    info = recording.info
    about: dict[str, Any] = {
        "description": f"Keypoints that {info.card.scorer or 'a network'} found in {info.source or 'a recording'}",
        "version": "1.0",
        "contributor": "dlclive",
        "keypoints": "pixel indices: (0, 0) is the centre of the top left pixel",
        "bbox": "measured from the corner of the image: (0.5, 0.5) is the centre of the top left pixel",
        "image_id": "the number of the frame, from 0",
    }
    if info.started_at is not None:
        about |= {"year": info.started_at.year, "date_created": info.started_at.isoformat()}
    return about | {FACTS: to_facts(info) | {FRAME_COUNT: recording.frame_count}}


def _categories(info: RecordingInfo, name: str) -> list[dict[str, Any]]:
    skeleton = info.card.skeleton
    categories: list[dict[str, Any]] = [
        {
            "id": ANIMAL,
            "name": name,
            "supercategory": "animal",
            "keypoints": skeleton.keypoints,
            "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges],
        }
    ]
    if info.card.unique_keypoints:
        categories.append(
            {
                "id": UNIQUE,
                "name": UNIQUE_NAME,
                "supercategory": "scene",
                "keypoints": info.card.unique_keypoints,
                "skeleton": [],
            }
        )
    return categories


def _images(rows: PoseRows, info: RecordingInfo, stem: str) -> Iterator[dict[str, Any]]:
    size = {} if info.frame_size is None else {"width": info.frame_size[0], "height": info.frame_size[1]}
    for number, seconds in zip(rows.numbers.tolist(), rows.seconds.tolist(), strict=True):
        image = {"id": number, "file_name": f"{stem}_{number:06d}.png", **size}
        if math.isfinite(seconds):
            image["seconds"] = seconds
            if info.started_at is not None:
                with suppress(OverflowError):  # no year has four digits any more
                    image["date_captured"] = (info.started_at + timedelta(seconds=seconds)).isoformat()
        yield image


def _annotations(rows: PoseRows, info: RecordingInfo) -> Iterator[dict[str, Any]]:
    """Those of the animals and of the unique keypoints of which a keypoint was found."""
    for index, number in enumerate(rows.numbers.tolist()):
        for individual, points in enumerate(rows.keypoints[index]):
            if found(points).any():
                track = {"track_id": individual + 1} if info.card.multi_animal else {}
                yield _annotation(number, ANIMAL, points) | track
        if found(rows.unique[index]).any():
            yield _annotation(number, UNIQUE, rows.unique[index])


def _annotation(image: int, category: int, points: NDArray[np.float64]) -> dict[str, Any]:
    where = found(points)
    corner, end = points[where, :2].min(axis=0), points[where, :2].max(axis=0)
    with np.errstate(over="ignore"):  # JSON has no infinity
        width, height = np.nan_to_num(end - corner)
        area = float(np.nan_to_num(width * height))
    scores = np.where(where, points[:, 2], 0.0)
    known = scores[where & np.isfinite(scores)]
    return {
        "image_id": image,
        "category_id": category,
        "keypoints": triples(points, np.full(len(points), _VISIBLE)),
        "keypoint_scores": [score if np.isfinite(score) else None for score in scores.tolist()],
        "num_keypoints": int(where.sum()),
        "bbox": [*corner.tolist(), float(width), float(height)],
        "area": area,
        "score": float((known / len(known)).sum()) if len(known) else 1.0,
    }
