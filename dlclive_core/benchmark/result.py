"""A benchmark that is done: one row for each candidate, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dlclive_core.benchmark.accuracy import Accuracy
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.peak import Peak
from dlclive_core.benchmark.verdict import Verdict
from dlclive_core.data.card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A candidate's measurement and what it means.

    Attributes:
        measurement: the times.
        accuracy: against the reference; None where there is none, or the candidate has no poses.
        operations: of the network on its picture; NaN if not known.
        share: of the device's peak in this precision that the network reached, by the median time; NaN if not known.
        verdict: whether it can be so.
        bytes: of the model's file.
    """

    measurement: Measurement
    accuracy: Accuracy | None = None
    operations: float = float("nan")
    share: float = float("nan")
    verdict: Verdict = field(default_factory=Verdict)
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """All rows of one run.

    Attributes:
        source: the model's file, `sha256` of it, and `card` its card.
        clip: the frames; their pixels are not kept in reports.
        rounds: how often the frames were run.
        rate: at how many frames per second they came once more; None where they did not.
        reference: what the accuracy was measured against, or why it could not be, in words.
        peaks: by device.
        conditions: machine, versions and load, before; `load_after` after.
        notes: what the reader should know.
    """

    source: Path
    sha256: str
    card: ModelCard
    clip: Clip
    rounds: int
    rate: float | None = None
    rows: tuple[Row, ...]
    reference: str
    peaks: dict[str, Peak]
    conditions: dict[str, object]
    load_after: list[float] | None
    notes: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether at least one row was neither rejected nor failed."""
        return any(row.verdict.state in ("ok", "doubtful") for row in self.rows)
