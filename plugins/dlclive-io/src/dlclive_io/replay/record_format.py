"""The format of a replay record: a header and a block for each frame, one after the other.

A block is its length (u32), the CRC-32 of its content (u32), and the content; all numbers are little-endian. The first block
is JSON: the description of the run. Each further block is a frame: `_HEAD`, the model's pose as float32 (keypoints, unique
keypoints, boxes), for a student how unlike its training the frame is (float64), and the individuals' names as JSON. Every bit
of a time and of a pose is kept, because a replay that begins one bit off may end elsewhere. Blocks are only appended, so what
a killed run wrote is whole but for its last block.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    ModelCard,
    Pose,
    RecordedFrame,
    RunInfo,
    Skeleton,
    black_image,
    pose_digest,
)

MAGIC = b"dlclive replay\n"
VERSION = 2
"""Of the runs of students. All others have version 1, which an older dlclive-io reads."""
BLOCK = struct.Struct("<2I")
LONGEST_HEADER = 8 << 20
LONGEST_FRAME = 16 << 20

# Number, captured_at, device_time, posed_at; height, width, channels and flags; individuals, unique keypoints, boxes; digest.
_HEAD = struct.Struct("<q3d2I2B3II")
_HAS_TIME, _HAS_UNIQUE, _HAS_BOXES, _HAS_IDS, _HAS_UNLIKE = 1, 2, 4, 8, 16
_UNLIKE = struct.Struct("<d")
_MOST_PIXELS = 1 << 16


def block(content: bytes) -> bytes:
    """A block with this content."""
    return BLOCK.pack(len(content), zlib.crc32(content)) + content


def write_header(run: RunInfo) -> bytes:
    """The beginning of a file, up to the first frame."""
    values = {
        "version": 1 if run.card.student is None else VERSION,
        "card": json.loads(run.card.to_json()),
        "source": run.source,
        "name": run.name,
        "is_live": run.is_live,
        "frame_size": run.frame_size,
        "fps": None if run.fps is None else float(run.fps),
        "frame_count": None if run.frame_count is None else int(run.frame_count),
        "started_at": run.started_at.isoformat(),
        "started_clock": float(run.started_clock),
    }
    return MAGIC + block(json.dumps(values).encode())


def read_header(content: bytes, where: str) -> RunInfo:
    """The run that a header describes. Raises DataError, ModelError."""
    try:
        values: dict[str, Any] = json.loads(content)
        if values["version"] > VERSION:
            raise DataError(f"{where} was written by a newer dlclive-io: update it")
        size, fps, count = values["frame_size"], values["fps"], values["frame_count"]
        started_at, started_clock = datetime.fromisoformat(values["started_at"]), float(values["started_clock"])
        if not math.isfinite(started_clock) or not (fps is None or (math.isfinite(float(fps)) and fps > 0)):
            raise ValueError("a time that is none")
        return RunInfo(
            card=ModelCard.from_json(json.dumps(values["card"]), where),
            source=str(values["source"]),
            name=str(values["name"]),
            is_live=values["is_live"] is True,
            frame_size=None if size is None else (int(size[0]), int(size[1])),
            fps=None if fps is None else float(fps),
            frame_count=None if count is None else int(count),
            started_at=started_at,
            started_clock=started_clock,
        )
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"the header of {where} cannot be read: {type(error).__name__}: {error}") from None


def write_frame(estimate: Estimate) -> bytes:
    """The content of a frame's block."""
    frame = estimate.frame
    pose = estimate.pose if estimate.model_pose is None else estimate.model_pose  # one without animals is false
    shape = (*frame.image.shape, 0)[:3]
    flags, arrays, unlike, ids = 0, [pose.keypoints], b"", b""
    if frame.device_time is not None:
        flags |= _HAS_TIME
    if pose.unique is not None:
        flags |= _HAS_UNIQUE
        arrays.append(pose.unique)
    if pose.boxes is not None:
        flags |= _HAS_BOXES
        arrays.append(pose.boxes)
    if pose.unlike is not None:
        flags |= _HAS_UNLIKE
        unlike = _UNLIKE.pack(pose.unlike)
    if pose.ids is not None:
        flags |= _HAS_IDS
        ids = json.dumps(pose.ids).encode()
    head = _HEAD.pack(
        frame.index,
        frame.captured_at,
        frame.device_time if frame.device_time is not None else 0.0,
        estimate.inference_ended,
        *shape,
        flags,
        len(pose),
        0 if pose.unique is None else len(pose.unique),
        0 if pose.boxes is None else len(pose.boxes),
        pose_digest(estimate.pose),
    )
    return b"".join([head, *(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays), unlike, ids])


def read_frame(content: bytes, skeleton: Skeleton, source: str) -> RecordedFrame:
    """The frame of a block. Raises ValueError if it is not one of this skeleton."""
    if len(content) < _HEAD.size:
        raise ValueError("too short")
    index, captured_at, device_time, posed_at, height, width, channels, flags, *counts = _HEAD.unpack_from(content)
    individuals, unique, boxes, digest = counts
    if max(height, width) > _MOST_PIXELS or channels not in (0, 3) or not math.isfinite(captured_at):
        raise ValueError("no such frame")
    at = _HEAD.size

    def number() -> float:
        nonlocal at
        if _UNLIKE.size > len(content) - at:
            raise ValueError("too short for its pose")
        at += _UNLIKE.size
        return float(_UNLIKE.unpack_from(content, at - _UNLIKE.size)[0])

    def array(*shape: int) -> NDArray[np.float32]:
        nonlocal at
        size = 4 * math.prod(shape)
        if size > len(content) - at:
            raise ValueError("too short for its pose")
        at += size
        return np.frombuffer(content, "<f4", math.prod(shape), at - size).reshape(shape).astype(np.float32)

    pose = Pose(
        keypoints=array(individuals, len(skeleton), 3),
        skeleton=skeleton,
        unique=array(unique, 3) if flags & _HAS_UNIQUE else None,
        boxes=array(boxes, 5) if flags & _HAS_BOXES else None,
        unlike=number() if flags & _HAS_UNLIKE else None,
        ids=_names(content[at:]) if flags & _HAS_IDS else None,
    )
    if not flags & _HAS_IDS and at != len(content):
        raise ValueError("too long for its pose")
    frame = Frame(
        black_image((height, width, 3) if channels else (height, width)),
        index,
        captured_at,
        device_time if flags & _HAS_TIME else None,
        source,
    )
    return RecordedFrame(frame, pose, posed_at, digest)


def _names(content: bytes) -> tuple[str, ...]:
    try:
        names = json.loads(content)
    except RecursionError:
        raise ValueError("its names are not a list") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its names are not a list")
    return tuple(names)
