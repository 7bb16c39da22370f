"""The main function of the heartbeat process. Standard library and pyserial only."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time

from dlclive_processors.output.channel import Line, ProcessChannel
from dlclive_processors.output.event_file import EventFile
from dlclive_processors.output.heartbeat import Heartbeat, HeartbeatFailed
from dlclive_processors.output.lease import Failure, Report, ReportKind
from dlclive_processors.output.platform_channel import open_line, process_channel
from dlclive_processors.output.priority import request_realtime_priority
from dlclive_processors.output.protocol import ON_VALUES, PROBE_VALUES

# Signals to the process group are meant for the session, which then ends this process.
if sys.platform == "win32":
    _IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    _IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE)


def main() -> None:
    """Open the port, send beats, and end with the output off."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    for name in ("baud", "channel", "width", "period", "duration", "led", "led-width"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--patience", type=float)
    parser.add_argument("--origin", type=float)
    parser.add_argument("--events", type=int)
    parser.add_argument("--events-file")
    parser.add_argument("--wake", type=int)
    parser.add_argument("--connect", type=int)
    parser.add_argument("--session", type=int)
    options = parser.parse_args()

    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    try:
        channel = process_channel(options.wake, options.connect)
    except OSError:  # the session is gone
        raise SystemExit(1) from None
    try:
        _run(channel, options)
    finally:
        channel.close()


def _run(channel: ProcessChannel, options: argparse.Namespace) -> None:
    request_realtime_priority()
    try:
        line = open_line(options.port, options.baud, portable=options.connect is not None)
    except (OSError, ValueError) as error:  # pyserial's SerialException is an OSError
        _report_failure(channel, Failure.NO_PORT, getattr(error, "errno", None) or 0)
        raise SystemExit(1) from None
    pulses = ON_VALUES.pack(options.channel, options.width, options.period, options.duration)
    try:
        events = EventFile(_events_descriptor(options), options.origin)
    except OSError as error:
        _report_failure(channel, Failure.EVENTS, error.errno or 0)
        raise SystemExit(1) from None
    try:
        _beat(line, pulses, channel, events, options)
    finally:
        events.close()
        line.close()


def _events_descriptor(options: argparse.Namespace) -> int | None:
    """Of the events file, which was inherited or is opened by its name; None without one. Raises OSError."""
    if options.events_file is None:
        return options.events
    if sys.platform == "win32":
        flags = os.O_BINARY
    else:
        flags = os.O_NOFOLLOW
    return os.open(options.events_file, os.O_WRONLY | os.O_APPEND | flags)


def _beat(line: Line, pulses: bytes, channel: ProcessChannel, events: EventFile, options: argparse.Namespace) -> None:
    probe = None
    if options.led is not None:
        probe = PROBE_VALUES.pack(options.led, options.channel, options.led_width)
    heartbeat = Heartbeat(line, pulses, channel, events, options.session, probe)
    try:
        limits = heartbeat.greet(options.patience)
        values = limits.channels, limits.watchdog_us, limits.pulse_us, limits.train_us, limits.duty_permille
        heartbeat.report(ReportKind.READY, numbers=values)
        heartbeat.run()
    except HeartbeatFailed as end:
        events.add("failed", reason=end.failure.name.lower().replace("_", " "), sent=time.perf_counter())
        heartbeat.report(ReportKind.FAILED, code=end.failure, numbers=(end.number,))
        raise SystemExit(1) from None
    except OSError as error:
        events.add("failed", reason="unplugged", sent=time.perf_counter())
        heartbeat.report(ReportKind.FAILED, code=Failure.UNPLUGGED, numbers=(error.errno or 0,))
        raise SystemExit(1) from None
    except Exception:
        events.add("failed", reason="unexpected", sent=time.perf_counter())
        heartbeat.report(ReportKind.FAILED, code=Failure.UNEXPECTED)
        raise
    finally:
        with contextlib.suppress(OSError):  # whatever happened
            heartbeat.switch_off()
            time.sleep(0.002)


def _report_failure(channel: ProcessChannel, failure: Failure, number: int) -> None:
    now = time.perf_counter()
    channel.write(Report(ReportKind.FAILED, failure, 0, now, 0.0, 0.0, 0.0, (number, 0, 0, 0, 0)).pack())
