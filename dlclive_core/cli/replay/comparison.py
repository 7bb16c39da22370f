"""Compares the events of a replay with those that were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlclive_core.cli.replay.event_file import read_events
from dlclive_core.errors import DataError, shown
from dlclive_core.text.counted import counted


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result for one events file.

    Attributes:
        same: whether the events are the same.
        text: what was compared, and the first difference.
    """

    same: bool
    text: str


def compare(recorded: Path, replayed: Path, *, before_close: int | None) -> Comparison:
    """Compare two events files. Raises DataError if one cannot be read.

    Files of triggers are compared byte for byte. Those of outputs hold what only the device knows, so their commands are
    compared: which, why, and at which frame.

    Args:
        before_close: for a run that did not end in order: the size of the replayed file before the processors were closed.
            The recorded file may go on where the record ends.
    """
    table = read_events(recorded)
    if table is not None and table[0] == "output":
        return _compare_commands(recorded, replayed, is_whole=before_close is None)
    first, second = _content(recorded), _content(replayed)
    if before_close is None:
        return _identical(first) if first == second else Comparison(False, _difference(first, second))
    second = second[:before_close]
    if not first.startswith(second):
        return Comparison(False, _difference(first, second))
    more = first[len(second) :].count(b"\n")
    return Comparison(True, _identical(second).text + _later(more))


def _identical(content: bytes) -> Comparison:
    return Comparison(True, f"identical, {counted(max(0, content.count(bytes((10,))) - 1), 'event')}")


def _later(events: int) -> str:
    """What to say of events that the run had after the end of the record."""
    return f"; {counted(events, 'later event')} not in the record" if events else ""


def _compare_commands(recorded: Path, replayed: Path, *, is_whole: bool) -> Comparison:
    first, second = (
        [(event.event, event.reason, event.frame) for event in (read_events(path) or ("output", []))[1]]
        for path in (recorded, replayed)
    )
    if not is_whole:
        second = [command for command in second if command[1] != "end"]
        first = first[: len(second)]
    for number, (one, other) in enumerate(zip(first, second, strict=False), 1):
        if one != other:
            return Comparison(
                False, f"command {number}: recorded {' '.join(map(str, one))}, replayed {' '.join(map(str, other))}"
            )
    if len(first) != len(second):
        return Comparison(False, f"commands: {len(first)} recorded, {len(second)} replayed")
    return Comparison(True, f"identical, {counted(len(first), 'command')}")


def _difference(first: bytes, second: bytes) -> str:
    """The first line that differs."""
    lines = first.splitlines(), second.splitlines()
    for number, (one, other) in enumerate(zip(*lines, strict=False), 1):
        if one != other:
            return f"line {number}: recorded {_shown(one)}, replayed {_shown(other)}"
    longer, who = (lines[0], "recorded") if len(lines[0]) > len(lines[1]) else (lines[1], "replayed")
    number = min(map(len, lines))
    return f"line {number + 1}: only {who}: {_shown(longer[number])}" if number < len(longer) else "its line ends"


def _shown(line: bytes) -> str:
    return shown(line.decode("utf-8", "backslashreplace"), 120)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
