"""The main function of the heartbeat process. Standard library and pyserial only."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import termios
import time

from dlclive_processors.output.device_link import DeviceLink
from dlclive_processors.output.event_file import EventFile
from dlclive_processors.output.heartbeat import Heartbeat, HeartbeatFailed
from dlclive_processors.output.lease import Failure, Report, ReportKind
from dlclive_processors.output.priority import request_realtime_priority
from dlclive_processors.output.protocol import ALL_CHANNELS, ON_VALUES, Type

LEASES, REPORTS = 0, 1  # the pipes are standard input and standard output


def main() -> None:
    """Open the port, send beats, and end with the output off."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    for name in ("baud", "channel", "width", "period", "duration"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--patience", type=float)
    parser.add_argument("--origin", type=float)
    parser.add_argument("--events", type=int)
    parser.add_argument("--wake", type=int)
    parser.add_argument("--session", type=int)
    options = parser.parse_args()

    # Signals to the process group are meant for the session, which then ends this process.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGTSTP", "SIGPIPE"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.set_blocking(LEASES, False)
    os.set_blocking(REPORTS, False)
    # Inherited descriptors keep their numbers, and `select` takes none above 1,023.
    wake = os.dup(options.wake)
    os.close(options.wake)
    os.set_blocking(wake, False)
    request_realtime_priority()

    import serial  # type: ignore[import-untyped]  # here, so that the rest of the package does not need it

    try:
        port = serial.Serial(options.port, options.baud, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
        _report_failure(Failure.NO_PORT, getattr(error, "errno", None) or 0)
        raise SystemExit(1) from None
    pulses = ON_VALUES.pack(options.channel, options.width, options.period, options.duration)
    events = EventFile(options.events, options.origin)
    try:
        _beat(port.fileno(), pulses, wake, events, options)
    finally:
        events.close()
        with contextlib.suppress(OSError):
            port.close()


def _beat(descriptor: int, pulses: bytes, wake: int, events: EventFile, options: argparse.Namespace) -> None:
    link = DeviceLink(descriptor)
    heartbeat = Heartbeat(link, pulses, LEASES, wake, REPORTS, events, options.session)
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
        with contextlib.suppress(OSError):  # always: off, and BYE so that a regular end is not counted as a trip
            link.send(Type.OFF, bytes((ALL_CHANNELS,)))
            link.send(Type.BYE)
            time.sleep(0.002)


def _report_failure(failure: Failure, number: int) -> None:
    now = time.perf_counter()
    with contextlib.suppress(OSError):
        os.write(REPORTS, Report(ReportKind.FAILED, failure, 0, now, 0.0, 0.0, 0.0, (number, 0, 0, 0, 0)).pack())
