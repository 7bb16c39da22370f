"""One frame of OpenPose's output as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_formats.points import HALF, found, missing, read_triples, triples

VERSION = 1.3
OWN, SECONDS, UNIQUE, RECORDING = "dlclive", "seconds", "unique_keypoints_2d", "recording"
"""What dlclive adds to a frame. Programs that read OpenPose's files ask for fields by name and pass over others."""

LONGEST = 8 << 20
"""Bytes of a file. A hundred animals with a hundred keypoints take 600 kB."""

_MOST_PEOPLE = 1000  # individuals of a card
_POSE = "pose_keypoints_2d"
_OTHERS = (
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "hand_right_keypoints_2d",
    "pose_keypoints_3d",
    "face_keypoints_3d",
    "hand_left_keypoints_3d",
    "hand_right_keypoints_3d",
)


def frame_text(keypoints: NDArray[np.float64], own: dict[str, Any]) -> str:
    """A frame's JSON.

    Args:
        keypoints: (N, K, 3) of the individuals; those without a keypoint are left out.
        own: what dlclive adds; nothing for a frame without a pose.
    """
    people = [
        {"person_id": [number], _POSE: _triples(points)} | {name: [] for name in _OTHERS}
        for number, points in enumerate(keypoints)
        if found(points).any()
    ]
    frame = {"version": VERSION, "people": people}
    return json.dumps(frame if not own else frame | {OWN: own}, allow_nan=False)


def own_values(seconds: float, unique: NDArray[np.float64]) -> dict[str, Any]:
    """What dlclive adds to a frame: its time, and the keypoints that exist once in the scene, (U, 3)."""
    own: dict[str, Any] = {SECONDS: seconds if np.isfinite(seconds) else None}
    return own | {UNIQUE: _triples(unique)} if len(unique) else own


def read_frame(path: Path) -> dict[str, Any]:
    """A frame's JSON: a mapping with a list of `people`, each a mapping. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise ValueError(f"it is larger than {LONGEST >> 20} MiB")
        frame = json.loads(data)
        people = frame.get("people") if isinstance(frame, dict) else None
        if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
            raise ValueError("it has no list of people")
        if len(people) > _MOST_PEOPLE:
            raise ValueError(f"it has {len(people)} people; {_MOST_PEOPLE} is the most")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
        raise DataError(f"{path} cannot be read as OpenPose's JSON: {what}") from None
    return frame


def person_points(person: dict[str, Any], path: Path) -> NDArray[np.float64]:
    """(K, 3) positions and confidences of a person's body; K is 0 for a person without one. Raises DataError."""
    return points_of(person.get(_POSE, []), path)


def points_of(values: Any, path: Path) -> NDArray[np.float64]:
    """(K, 3) positions and confidences. Raises DataError."""
    try:
        points = read_triples(values)
    except ValueError as error:
        raise DataError(f"{path} cannot be read as OpenPose's JSON: {error}") from None
    lost = ~found(points) | ((points == (HALF, HALF, 0.0)).all(axis=1))
    points[lost] = missing(int(lost.sum()))
    return points


def person_id(person: dict[str, Any]) -> int:
    """The number of a person; -1 for one that has none."""
    number = person.get("person_id", -1)
    if isinstance(number, list):
        number = number[0] if number else -1
    return number if type(number) is int and 0 <= number < 1 << 62 else -1


def _triples(points: NDArray[np.float64]) -> list[float]:
    # A confidence that is unknown is 1: 0 would mean a keypoint that was not found.
    return triples(points, np.where(np.isfinite(points[:, 2]), points[:, 2], 1.0))
