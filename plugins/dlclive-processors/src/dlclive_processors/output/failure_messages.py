"""Failures of the heartbeat process as one-line errors."""

from __future__ import annotations

import os

from dlclive_core import DataError, DLCLiveError, OutputError
from dlclive_processors.output.lease import Failure, Report
from dlclive_processors.output.protocol import LONGEST_WATCHDOG, SHORTEST_WATCHDOG, VERSION


def failure_error(report: Report, port: str) -> DLCLiveError:
    """The error for a failure: OutputError, or DataError for the events file."""
    number = report.numbers[0]
    reason = os.strerror(number) if number else "it is in use or is not a serial port"
    texts = {
        Failure.NO_PORT: f"port {port} cannot be opened: {reason}; choose a port that exists and is not open elsewhere",
        Failure.NO_ANSWER: f"no answer from {port}; upload firmware/dlclive_output to the board, or choose another port",
        Failure.WRONG_VERSION: f"the device on {port} has version {number} of the firmware, and this dlclive needs "
        f"{VERSION}; upload firmware/dlclive_output",
        Failure.TOO_SLOW: f"answers of the device on {port} take {number} ms, longer than its watchdog allows; "
        "connect it directly",
        Failure.UNPLUGGED: f"port {port} is gone; plug the device in and start again",
        Failure.SILENT: f"the device on {port} stopped answering; check its cable and start again",
        Failure.RESTARTED: f"the device on {port} restarted; check its power supply and start again",
        Failure.WATCHDOG: f"the device on {port} has a watchdog of {number / 1e3:g} ms; it must be "
        f"{SHORTEST_WATCHDOG / 1e3:g} to {LONGEST_WATCHDOG / 1e3:g} ms: correct the limits in its sketch and upload it again",
        Failure.UNKNOWN_STATUS: f"the device on {port} answered with the unknown status {number}; "
        "upload firmware/dlclive_output of this version",
        Failure.UNEXPECTED: f"the heartbeat process of {port} failed and switched off; please report the message above",
        Failure.EVENTS: f"the events of {port} cannot be written: {os.strerror(number)}; choose a disk with space",
    }
    kind = DataError if report.code == Failure.EVENTS else OutputError
    return kind(texts[Failure(report.code)])
