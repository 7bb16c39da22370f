"""The trials of `dlclive latency` as numbers: a table, JSON and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlclive_core.cli.output import print_table, stdout
from dlclive_core.data.latency_trial import LatencyTrial

_COLUMNS = "trial,lit_at_s,latency_ms,frame,age_ms,rest_ms,interval_s"


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of durations, in milliseconds. Jitter is `sd_ms` (standard deviation, n - 1) and `iqr_ms`."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    sd_ms: float
    iqr_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """None if there are no durations. Percentiles interpolate linearly between order statistics."""
        if not seconds:
            return None
        values = 1e3 * np.asarray(seconds, dtype=np.float64)
        q25, p50, q75, p95, p99 = (float(value) for value in np.percentile(values, (25, 50, 75, 95, 99)))
        sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        return cls(len(values), float(values.mean()), p50, p95, p99, float(values.max()), sd, q75 - q25)

    def to_dict(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in self.__slots__}


def trials_to_dict(trials: Sequence[LatencyTrial], false_answers: int, round_trip: float) -> dict[str, Any]:
    """The numbers of all trials, for run.json and `--json`."""
    answered = [trial for trial in trials if trial.latency is not None]
    parts = {
        "latency": [trial.latency for trial in answered if trial.latency is not None],
        "age": [trial.age for trial in answered if trial.frame is not None],
        "rest": [trial.rest for trial in answered if trial.rest is not None],
    }
    spreads = {name: Spread.of(seconds) for name, seconds in parts.items()}
    return {
        "trials": len(trials),
        "answered": len(answered),
        "missed": len(trials) - len(answered),
        "false_answers": false_answers,
        "round_trip_ms": round(1e3 * round_trip, 4),
        **{name: spread.to_dict() if spread else None for name, spread in spreads.items()},
    }


def trials_csv(trials: Sequence[LatencyTrial]) -> str:
    """A line for each trial; what is unknown is empty."""
    lines = [_COLUMNS]
    for trial in trials:
        values = (
            str(trial.number),
            f"{trial.lit_at:.6f}",
            _milliseconds(trial.latency),
            "" if trial.frame is None else str(trial.frame),
            _milliseconds(trial.age),
            _milliseconds(trial.rest),
            f"{trial.interval:.4f}",
        )
        lines.append(",".join(values))
    return "\n".join(lines) + "\n"


def print_trials(values: dict[str, Any]) -> None:
    """Print the numbers on standard output."""
    names = {
        "latency": "LED to output, by the device's clock",
        "age": "of it: capture to command, by the host's clock",
        "rest": "of it: exposure, camera, transport, serial line",
    }
    columns = ("p50_ms", "p95_ms", "p99_ms", "max_ms", "sd_ms", "iqr_ms")
    rows = [
        (text, *(f"{values[name][column]:.2f}" for column in columns)) for name, text in names.items() if values[name]
    ]
    print_table(
        f"Latency from glass to output: {values['answered']} of {values['trials']} LEDs answered",
        ("", "p50 ms", "p95 ms", "p99 ms", "max ms", "sd ms", "IQR ms"),
        rows,
    )
    stdout().print(
        f"missed {values['missed']}, false answers {values['false_answers']}; round trip to the device "
        f"{values['round_trip_ms']:.2f} ms",
        markup=False,
    )


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None or math.isnan(seconds) else f"{1e3 * seconds:.3f}"
