"""Verdicts: which measurements are implausible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.peak import Peak

_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a row can be trusted.

    Attributes:
        state: "ok"; "doubtful": not reliable; "rejected": impossible; "failed": it did not run.
        why: in one line; empty if ok.
    """

    state: Literal["ok", "doubtful", "rejected", "failed"] = "ok"
    why: str = ""

    @property
    def label(self) -> str:
        return f"{self.state}: {self.why}" if self.why else self.state


def verdict_on(measurement: Measurement, others: Sequence[Measurement], operations: float, peak: Peak) -> Verdict:
    """Judge one measurement.

    Args:
        others: of the same run; among them the same setting on larger pictures.
        operations: of the network on its picture; NaN if not known.
        peak: of the device.
    """
    if measurement.failure:
        return Verdict("failed", measurement.failure)
    if fallen := _fell_back(measurement):
        return Verdict("rejected", fallen)
    reached = operations / measurement.p50
    most = peak.flops.get(measurement.candidate.precision)
    if most is not None and reached > peak.tolerance * most:
        return Verdict(
            "rejected",
            f"{reached / 1e9:.0f} GFLOP/s are more than {peak.tolerance:g} times what this machine reached "
            f"({most / 1e9:.0f}): timing stopped before the device had finished",
        )
    if measurement.sd > measurement.mean and not measurement.candidate.follow:  # whose pictures are of two sizes
        return Verdict(
            "doubtful",
            f"the standard deviation ({1000 * measurement.sd:.1f} ms) exceeds the mean ({1000 * measurement.mean:.1f} ms)",
        )
    for other in others:
        if _is_same_but_larger(measurement, other) and measurement.p50 > other.p50:
            return Verdict(
                "doubtful",
                f"slower than on an input four times as large ({1000 * other.p50:.2f} ms): this is not the network's time",
            )
    return Verdict()


def _fell_back(measurement: Measurement) -> str:
    """Whether another device computed than the one that was asked for; why it is thought so."""
    asked, found = measurement.candidate.device, measurement.device
    word = found.split()[0] if found else ""
    if asked == "auto" or word == asked or word.startswith(f"{asked}:"):
        return ""
    return f"requested on {asked}, it ran on {found or 'an unknown device'}"


def _is_same_but_larger(small: Measurement, large: Measurement) -> bool:
    a, b = small.candidate, large.candidate
    if (a.setting, a.options) != (b.setting, b.options) or large.failure or a.follow or b.follow:
        return False
    if small.seen is None or large.seen is None:
        return False
    return small.seen[0] * small.seen[1] <= _QUARTER * large.seen[0] * large.seen[1] * 1.01
