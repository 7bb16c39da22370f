"""The GUI's own worker on both packages, in turns in one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.parity.partner import Partner

_WARM = 2  # frames that are not timed: the first loads the network


@dataclass
class GuiRow:
    """What came out of a worker.

    Attributes:
        frames: given to it, one by one.
        calls: of the processor; `with_time` of these had a `frame_time`.
        received: messages that the client of the processor's socket got.
    """

    package: str
    seconds: float = 0.0
    timed: int = 0
    frames: int = 0
    poses: int = 0
    calls: int = 0
    with_time: int = 0
    in_order: bool = False
    recorded: int = 0
    received: int = 0
    error: str = ""
    partner: Partner | None = field(default=None, repr=False)

    @property
    def fps(self) -> float:
        return self.timed / self.seconds if self.seconds else 0.0

    @property
    def sees_all(self) -> bool:
        """Whether the processor was given every frame once, with its time, and passed it on."""
        counts = {self.frames, self.poses, self.calls, self.with_time, self.recorded, self.received}
        return counts == {self.frames} and self.in_order and not self.error

    def line(self) -> str:
        return (
            f"| {self.package} | {self.frames} | {self.fps:.1f} | {self.calls} | {self.with_time} | {self.received} | "
            f"{self.error} |"
        )


def gui_rows(commands: dict[str, list[str]], count: int, block: int, logs: Path) -> list[GuiRow]:
    """Run the workers in turns of `block` frames, `count` frames each."""
    rows = [
        GuiRow(package, partner=Partner(command, logs / f"gui-{number}.log", threads=1))
        for number, (package, command) in enumerate(commands.items())
    ]
    for row in rows:
        _ask(row, {"run": [0, _WARM]})
    for first in range(_WARM, count, block):
        for row in rows:
            reply = _ask(row, {"run": [first, min(first + block, count)]})
            if "seconds" in reply:
                row.seconds += reply["seconds"]
                row.timed += min(first + block, count) - first
    for row in rows:
        for name, value in _ask(row, {"counts": True}).items():
            setattr(row, name, value)
        if row.partner is not None:
            row.partner.close()
    return rows


def _ask(row: GuiRow, request: dict[str, Any]) -> dict[str, Any]:
    if row.error or row.partner is None:
        return {}
    try:
        reply = row.partner.ask(request)
    except (RuntimeError, BrokenPipeError) as error:
        reply = {"error": str(error)}
    row.error = reply.pop("error", "")
    return reply
