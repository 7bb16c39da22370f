"""Reads the events files of processors: those of triggers, and those of outputs."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from dlclive_core.errors import DataError

Kind = Literal["trigger", "output"]

_TRIGGER = ("frame", "time", "individual", "event")
_OUTPUT = ("event", "reason", "frame", "decided")
_LONGEST_LINE = 1 << 16
_MOST_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        frame: the frame's number.
        time: seconds from the start of the run.
        individual: whose event; empty for an output.
        event: its name, such as "enter" or "on".
        reason: of an output's command.
        value: what was measured; NaN without a measurement.
    """

    frame: int
    time: float
    individual: str
    event: str
    reason: str = ""
    value: float = math.nan


@dataclass(frozen=True, slots=True)
class Episode:
    """From a beginning to its end, in seconds; `end` is None if the file ends before."""

    individual: str
    begin: float
    end: float | None
    value: float


def read_events(path: Path) -> tuple[Kind, list[Event]] | None:
    """The events of a file, in order; None if the file has other columns. Raises DataError."""
    line = 1
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = csv.reader(_whole_lines(file))
            header = next(rows, [])
            kind: Kind
            if set(_TRIGGER) <= set(header):
                kind = "trigger"
            elif set(_OUTPUT) <= set(header):
                kind = "output"
            else:
                return None
            events = []
            for row in rows:
                line += 1
                cells = dict(zip(header, row, strict=True))
                event = _trigger_event(cells) if kind == "trigger" else _command(cells)
                if event is not None:
                    events.append(event)
                if len(events) > _MOST_EVENTS:
                    raise DataError(f"{path} has more than {_MOST_EVENTS} events")
            return kind, events
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path}, line {line}: {' '.join(str(error).split())[:200]}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def episodes(kind: Kind, events: list[Event]) -> list[Episode]:
    """Pair beginnings and ends: those of an individual alternate, and an output is switched on and off."""
    found: list[Episode] = []
    begun: dict[str, Event] = {}
    for event in events:
        if kind == "output" and (event.event == "on") == (event.individual in begun):
            continue  # switched off once more, at the end
        if event.individual in begun:
            first = begun.pop(event.individual)
            found.append(Episode(event.individual, first.time, event.time, first.value))
        else:
            begun[event.individual] = event
    found += [Episode(event.individual, event.time, None, event.value) for event in begun.values()]
    return sorted(found, key=lambda episode: (episode.begin, episode.individual))


def _whole_lines(file: IO[str]) -> Iterator[str]:
    while (line := file.readline(_LONGEST_LINE)).endswith("\n"):
        yield line
    if len(line) == _LONGEST_LINE:
        raise ValueError("the line is too long")


def _trigger_event(cells: dict[str, str]) -> Event:
    value = cells.get("value", "")
    return Event(
        frame=int(cells["frame"]),
        time=float(cells["time"]),
        individual=cells["individual"],
        event=cells["event"],
        value=float(value) if value else math.nan,
    )


def _command(cells: dict[str, str]) -> Event | None:
    """What the session commanded; None for what the device or its heartbeat did by itself."""
    if cells["event"] not in ("on", "off") or not cells["frame"] or not cells["decided"]:
        return None
    return Event(int(cells["frame"]), float(cells["decided"]), "", cells["event"], cells["reason"])
