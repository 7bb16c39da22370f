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
        state: "ok", "doubtful" (unreliable), "rejected" (impossible) or "failed" (did not run).
        why: the reason in one line; empty if ok.
    """

    state: Literal["ok", "doubtful", "rejected", "failed"] = "ok"
    why: str = ""

    @property
    def label(self) -> str:
        return f"{self.state}: {self.why}" if self.why else self.state


def verdict_on(measurement: Measurement, others: Sequence[Measurement], operations: float, peak: Peak) -> Verdict:
    """Check whether a measurement is plausible.

    Args:
        others: measurements of the same run, to compare with the same setting on larger inputs.
        operations: operations of the network on its input; NaN if unknown.
        peak: peak performance of the device.
    """
    if measurement.failure:
        return Verdict("failed", measurement.failure)
    if reason := _fell_back(measurement):
        return Verdict("rejected", reason)
    reached = operations / measurement.p50
    most = peak.flops.get(measurement.candidate.precision)
    if most is not None and reached > peak.tolerance * most:
        return Verdict(
            "rejected",
            f"{reached / 1e9:.0f} GFLOP/s exceeds {peak.tolerance:g} times the measured peak ({most / 1e9:.0f}): timing must "
            "have stopped before the device finished",
        )
    if (
        measurement.sd > measurement.mean and not measurement.candidate.follow
    ):  # inputs of a following crop vary in size
        return Verdict(
            "doubtful",
            f"the standard deviation ({1000 * measurement.sd:.1f} ms) exceeds the mean ({1000 * measurement.mean:.1f} ms)",
        )
    for other in others:
        if _is_same_but_larger(measurement, other) and measurement.p50 > other.p50:
            return Verdict(
                "doubtful",
                f"slower than on an input four times as large ({1000 * other.p50:.2f} ms): not the network's own time",
            )
    return Verdict()


def _fell_back(measurement: Measurement) -> str:
    """The reason to reject a candidate that ran on a device other than the requested one; else empty."""
    requested, actual = measurement.candidate.device, measurement.device
    name = actual.split()[0] if actual else ""
    if requested == "auto" or name == requested or name.startswith(f"{requested}:"):
        return ""
    return f"requested on {requested}, but ran on {actual or 'an unknown device'}"


def _is_same_but_larger(small: Measurement, large: Measurement) -> bool:
    a, b = small.candidate, large.candidate
    if (a.setting, a.options) != (b.setting, b.options) or large.failure or a.follow or b.follow:
        return False
    if small.input_size is None or large.input_size is None:
        return False
    return small.input_size[0] * small.input_size[1] <= _QUARTER * large.input_size[0] * large.input_size[1] * 1.01
