"""The result of a benchmark: one row per candidate, and the common conditions."""

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
    """A candidate's measurement and its evaluation.

    Attributes:
        measurement: times and poses.
        accuracy: errors against the reference; None without a reference or without poses.
        operations: operations of the network on its input; NaN if unknown.
        share_of_peak: fraction of the device's peak in this precision, from the median time; NaN if unknown.
        verdict: whether the measurement is plausible.
        bytes: size of the model's files.
    """

    measurement: Measurement
    accuracy: Accuracy | None = None
    operations: float = float("nan")
    share_of_peak: float = float("nan")
    verdict: Verdict = field(default_factory=Verdict)
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """All rows of one run.

    Attributes:
        source: the model's file, `sha256` its hash, and `card` its card.
        clip: the frames; reports do not contain their pixels.
        rounds: number of passes over the frames.
        rate: frames per second of the replay; None without one.
        reference: description of the reference, or why there is none.
        peaks: peak performance by device.
        machine: hardware, versions and load before the benchmark; `load_after` is the load after it.
        notes: notes for the reader.
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
    machine: dict[str, object]
    load_after: list[float] | None
    notes: tuple[str, ...] = ()

    @property
    def has_usable_rows(self) -> bool:
        """Whether at least one row is neither rejected nor failed."""
        return any(row.verdict.state in ("ok", "doubtful") for row in self.rows)
