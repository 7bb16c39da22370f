"""All faults by their command-line names, with their measurements in the short and the full form."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from tools.faults.cameras import failed_buffers, slow_reader, unplugged
from tools.faults.files import full_disk, killed
from tools.faults.kinds import KINDS
from tools.faults.laser import FAULTS, at_rest, laser
from tools.faults.live import changing_shape, raising, slow_consumer, slow_model, slow_sink, stall
from tools.faults.measurement import Measurement
from tools.faults.plugins import broken_plugin
from tools.faults.poses import invalid_poses
from tools.faults.processes import hangs, stopped, stopped_twice, wall_clock
from tools.faults.recording_cost import recording
from tools.faults.row import Row
from tools.faults.tested import TESTED, tested

SOAK = "soak"  # not in MEASUREMENTS: in the short form it runs in parallel with them


def _shapes(short: bool) -> Row:
    with tempfile.TemporaryDirectory() as name:
        return changing_shape(Path(name))


def _laser(fault: str, short: bool) -> Row:
    return laser(fault, 2 if short else 50)


def _slow_sink(computes: bool, short: bool) -> Row:
    if short:
        return slow_sink(2, computes=computes, seconds=3.0, percentile=50)
    return slow_sink(6, computes=computes, seconds=10.0)


def _recording(short: bool) -> Row:
    return recording(2, seconds=3.0, percentile=50) if short else recording(6, seconds=20.0)


def _tested(entry: tuple[str, str, str, str], short: bool) -> Row:
    return tested(*entry)


MEASUREMENTS = (
    *(Measurement("laser", partial(_laser, fault)) for fault in FAULTS),
    Measurement("idle", lambda short: at_rest(10.0 if short else 600.0)),
    Measurement("killed", lambda short: killed(4 if short else 50, longest=4.0)),
    Measurement("killed", lambda short: killed(2 if short else 20, longest=0.1)),
    Measurement("disk", lambda short: full_disk(1 if short else 5)),
    Measurement("recording", _recording),
    Measurement("stall", lambda short: stall(1 if short else 5, 1.0 if short else 5.0)),
    Measurement("slow-model", lambda short: slow_model(1 if short else 5, 3.0 if short else 10.0)),
    Measurement("slow-consumer", lambda short: slow_consumer(1, 3.0, 50) if short else slow_consumer(3)),
    Measurement("slow-sink", partial(_slow_sink, False)),
    Measurement("slow-sink", partial(_slow_sink, True)),
    Measurement("stop", lambda short: stopped(2 if short else 25)),
    Measurement("stop", lambda short: stopped_twice(1 if short else 20)),
    Measurement("hang", lambda short: hangs(1 if short else 5)),
    Measurement("raise", lambda short: raising(1000 if short else 10_000)),
    Measurement("shape", _shapes),
    Measurement("clock", lambda short: wall_clock(1 if short else 3)),
    Measurement("plugin", lambda short: broken_plugin(1 if short else 5)),
    Measurement("poses", lambda short: invalid_poses(2000 if short else 100_000)),
    Measurement("cameras", lambda short: failed_buffers(2 if short else 10)),
    Measurement("cameras", lambda short: unplugged(2 if short else 10)),
    Measurement("cameras", lambda short: slow_reader(2 if short else 10)),
    *(Measurement("tests", partial(_tested, entry)) for entry in TESTED),
    *(Measurement("kinds", partial(_tested, entry)) for entry in KINDS),
)

NAMES = (*dict.fromkeys(measurement.name for measurement in MEASUREMENTS), SOAK)
SHORT = tuple(name for name in NAMES if name not in ("tests", "kinds"))  # the test suite runs these tests itself
