"""What a failure of the heartbeat process means, as an error of one line."""

from __future__ import annotations

import os

from dlclive_core import DataError, DLCLiveError, OutputError
from dlclive_processors.output.lease import Failure, Report


def failure_error(report: Report, port: str) -> DLCLiveError:
    """What was wrong, where, and what to do next: OutputError, or DataError for the file of events."""
    number = report.numbers[0]
    why = os.strerror(number) if number else "it is in use or is not a serial port"
    texts = {
        Failure.NO_PORT: f"port {port} cannot be opened: {why}; give a port that exists and that no other program has open",
        Failure.NO_ANSWER: f"no answer from {port}; upload firmware/dlclive_output to the board, or give another port",
        Failure.WRONG_VERSION: f"the device on {port} has the firmware of another version; upload firmware/dlclive_output",
        Failure.TOO_SLOW: f"answers of the device on {port} take {number} ms, longer than its watchdog allows; "
        "connect it directly",
        Failure.UNPLUGGED: f"port {port} is gone; plug the device in and start again",
        Failure.SILENT: f"the device on {port} answers no more; look at its cable and start again",
        Failure.RESTARTED: f"the device on {port} restarted; look at its power supply and start again",
        Failure.EVENTS: f"the events of {port} cannot be written: {os.strerror(number)}; give a file on a disk with room",
    }
    kind = DataError if report.code == Failure.EVENTS else OutputError
    return kind(texts[Failure(report.code)])
