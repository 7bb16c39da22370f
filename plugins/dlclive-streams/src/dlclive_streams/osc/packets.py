"""OSC packets: every address has the same type tags in all of its messages, because readers with types rely on it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np

from dlclive_core import DependencyError, ModelCard, Pose, TriggerEvent, install_command, printable
from dlclive_streams.changes import Change
from dlclive_streams.osc.addresses import address_part, address_parts
from dlclive_streams.pose_names import UNIQUE_INDIVIDUAL, individual_names

LARGEST_PACKET = 8192
"""Bytes of a bundle: macOS sends UDP packets of at most 9216 bytes."""

_BUNDLE = b"#bundle\x00" + struct.pack(">Q", 1)  # time tag 1: at once
_FRAME = struct.Struct(">qqddi")
_KEYPOINT = struct.Struct(">qdfff")
_MOST_ANIMALS = 1000  # whose addresses are kept; identities of a tracker have no end


def message(address: str, arguments: Iterable[tuple[str, object]]) -> bytes:
    """One OSC message; an argument is its type tag and its value."""
    try:
        from pythonosc.osc_message_builder import OscMessageBuilder
    except ImportError as error:
        raise DependencyError(f"OSC cannot be used: {error}; run: {install_command('dlclive-streams')}") from None
    builder = OscMessageBuilder(address)
    for tag, value in arguments:
        builder.add_arg(value, tag)  # type: ignore[arg-type]
    return bytes(builder.build().dgram)


class PosePackets:
    """Makes the packets of each pose of a run.

    `<prefix>/frame` ",hhddi": number of the message, of the frame; time; Unix time of its capture; number of individuals.
    `<prefix>/pose/<individual>/<keypoint>` ",hdfff": number of the frame; time; x, y, confidence; (NaN, NaN, 0) if missing.

    The individuals of the project are sent with every frame, so that no receiver keeps the last position of one that is gone;
    others while they are there.

    Args:
        bundle: put the messages of a frame into bundles with the time tag "at once"; otherwise each is a packet.
    """

    def __init__(self, card: ModelCard, prefix: str = "", *, bundle: bool = True) -> None:
        self._card, self._prefix, self._bundle = card, prefix, bundle
        self._keypoints = address_parts(card.skeleton.keypoints)
        *parts, unique = self._parts = address_parts([*card.individuals, UNIQUE_INDIVIDUAL])
        self._project = {
            name: self._heads(part, self._keypoints) for name, part in zip(card.individuals, parts, strict=True)
        }
        blank: list[tuple[str, object]] = [("h", 0), ("h", 0), ("d", 0.0), ("d", 0.0), ("i", 0)]
        self._frame = message(f"{prefix}/frame", blank)[: -_FRAME.size]
        self._unique = self._heads(unique, address_parts(card.unique_keypoints))
        self._others: dict[str, list[bytes]] = {}
        self._missing = np.array([[np.nan, np.nan, 0]] * len(self._keypoints), np.float32)
        self._next = 0

    def packets(self, pose: Pose, frame: int, time: float, captured_at: float) -> list[bytes]:
        """The packets of one frame. Times in seconds, coordinates in pixels."""
        sequence, self._next = self._next, self._next + 1
        rows = dict(zip(individual_names(pose, self._card.individuals), pose.keypoints, strict=True))
        messages = [self._frame + _FRAME.pack(sequence, frame, time, captured_at, len(pose))]
        for name, heads in self._project.items():
            messages += _filled(heads, frame, time, rows.pop(name, self._missing).tolist())
        for name, row in rows.items():
            messages += _filled(self._other(name), frame, time, row.tolist())
        if pose.unique is not None:
            messages += _filled(self._unique, frame, time, pose.unique.tolist())
        return _bundles(messages) if self._bundle else messages

    def _other(self, name: str) -> list[bytes]:
        if name not in self._others:
            if len(self._others) >= _MOST_ANIMALS:
                self._others.clear()
            part = address_parts([*self._parts, name])[-1]
            self._others[name] = self._heads(part, self._keypoints)
        return self._others[name]

    def _heads(self, animal: str, keypoints: Sequence[str]) -> list[bytes]:
        """The messages of an animal's keypoints up to their arguments, which are 28 bytes."""
        blank: list[tuple[str, object]] = [("h", 0), ("d", 0.0), ("f", 0.0), ("f", 0.0), ("f", 0.0)]
        addresses = [f"{self._prefix}/pose/{animal}/{keypoint}" for keypoint in keypoints]
        return [message(address, blank)[: -_KEYPOINT.size] for address in addresses]


def state_packet(prefix: str, change: Change) -> bytes:
    """`<prefix>/state` ",ishdd": 1 or 0, why, number and age of the frame behind it, Unix time of the decision."""
    arguments = [("i", int(change.on)), ("s", change.reason.label), ("h", change.frame)]
    return message(f"{prefix}/state", [*arguments, ("d", change.age), ("d", change.decided_at)])


def event_packet(prefix: str, event: TriggerEvent) -> bytes:
    """`<prefix>/event/<trigger>` ",ssihdfff": individual, event, 1 if it begins, frame, time, x, y, value."""
    arguments = [
        ("s", printable(event.individual)),
        ("s", printable(event.event)),
        ("i", int(event.begins)),
        ("h", event.frame),
    ]
    numbers = [("d", event.time), ("f", _single(event.x)), ("f", _single(event.y)), ("f", _single(event.value))]
    return message(f"{prefix}/event/{address_part(event.trigger)}", [*arguments, *numbers])


def _filled(heads: Sequence[bytes], frame: int, time: float, points: Sequence[Sequence[float]]) -> list[bytes]:
    return [head + _KEYPOINT.pack(frame, time, *point) for head, point in zip(heads, points, strict=True)]


def _bundles(messages: Iterable[bytes]) -> list[bytes]:
    """The messages in as few bundles as possible, in their order."""
    bundles: list[bytes] = []
    parts, size = [_BUNDLE], len(_BUNDLE)
    for item in messages:
        if size + 4 + len(item) > LARGEST_PACKET and len(parts) > 1:
            bundles.append(b"".join(parts))
            parts, size = [_BUNDLE], len(_BUNDLE)
        parts += [struct.pack(">i", len(item)), item]
        size += 4 + len(item)
    return [*bundles, b"".join(parts)]


def _single(value: float) -> float:
    """The number as float32; one that is too large becomes infinite instead of an error."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))
