"""The messages of ZeroMQ and MQTT as plain values, and their encodings. `docs/streams.md` has the schema."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DependencyError, Estimate, RunInfo, TriggerEvent, install_command
from dlclive_streams.changes import Change
from dlclive_streams.checks import check_choice
from dlclive_streams.pose_names import individual_names
from dlclive_streams.run_times import RunTimes

VERSION = 1
"""Of the schema: grows when a field changes its meaning or disappears; fields may be added without."""

Encoding = Literal["json", "msgpack"]
ENCODINGS: tuple[Encoding, ...] = ("json", "msgpack")


class PoseMessages:
    """Makes a message of each pose of a run, numbered from 0."""

    def __init__(self, run: RunInfo) -> None:
        self._run = run
        self._times = RunTimes(run)
        self._next = 0

    def message(self, estimate: Estimate) -> dict[str, Any]:
        """The message of one frame; missing coordinates, and numbers that are not finite, are None."""
        pose, frame, card = estimate.pose, estimate.frame, self._run.card
        sequence, self._next = self._next, self._next + 1
        return {
            "version": VERSION,
            "session": self._run.name,
            "sequence": sequence,
            "frame": frame.index,
            "time": finite(self._times.since_start(frame)),
            "captured_at": finite(self._times.captured_at(frame)),
            "individuals": individual_names(pose, card.individuals),
            "keypoints": pose.skeleton.keypoints,
            "pose": _numbers(pose.keypoints),
            "unique_keypoints": card.unique_keypoints,
            "unique": [] if pose.unique is None else _numbers(pose.unique),
        }


def event_message(event: TriggerEvent) -> dict[str, Any]:
    """The message of an event of a trigger."""
    return {
        "version": VERSION,
        "trigger": event.trigger,
        "event": event.event,
        "begins": event.begins,
        "individual": event.individual,
        "frame": event.frame,
        "time": finite(event.time),
        "x": finite(event.x),
        "y": finite(event.y),
        "confidence": finite(event.confidence),
        "value": finite(event.value),
    }


def state_message(change: Change) -> dict[str, Any]:
    """The message of an output that is switched, or of its state."""
    return {
        "version": VERSION,
        "on": change.on,
        "reason": change.reason.label,
        "frame": change.frame,
        "age": finite(change.age),
        "decided_at": finite(change.decided_at),
    }


def check_encoding(encoding: Encoding) -> Encoding:
    """Return the encoding if it is known and its library is installed. Raises UsageError, DependencyError."""
    if check_choice("format", encoding, ENCODINGS) == "msgpack" and find_spec("msgpack") is None:
        raise DependencyError(f"format=msgpack needs msgpack; run: {install_command('dlclive-streams')}")
    return encoding


def encode(message: dict[str, Any], encoding: Encoding) -> bytes:
    """The message as bytes: JSON in ASCII, or msgpack."""
    if encoding == "msgpack":
        import msgpack

        return bytes(msgpack.packb(message, unicode_errors="backslashreplace"))  # a name may hold half a surrogate pair
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def finite(value: float) -> float | None:
    """The number, or None in place of NaN and infinity, which JSON does not have."""
    return float(value) if math.isfinite(value) else None


def _numbers(array: NDArray[np.float32]) -> list[Any]:
    """The array as nested lists: each float32 exactly, None where it is not finite."""
    if np.isfinite(array).all():
        return list(array.tolist())
    values = array.astype(object)
    values[~np.isfinite(array)] = None
    return list(values.tolist())
