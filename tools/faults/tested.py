"""Faults covered by the test suites: their tests are run, and the result is a row."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.faults.row import Row

ROOT = Path(__file__).parent.parent.parent
IO, OUTPUT = "plugins/dlclive-io/tests", "plugins/dlclive-processors/tests"

TESTED = (
    (
        "damaged video",
        "flipped bytes, lost packets, truncated videos, files that are not videos",
        "lost frames counted, no silent truncation; one-line error, exit code 5",
        f"{IO}/test_damaged_video.py",
    ),
    (
        "file that cannot grow, each sink",
        "RLIMIT_FSIZE",
        "one-line error; written rows readable",
        f"{IO}/test_full_disk.py",
    ),
    (
        "two runs on one output; an output that exists",
        "two sinks on one path",
        "the second run is refused",
        f"{IO}/test_pose_table.py::test_two_runs_cannot_write_one_file "
        f"{IO}/test_pose_table.py::test_an_existing_file_is_not_replaced",
    ),
    (
        "noise, and wrong, partial and late replies on the serial port",
        "the simulator",
        "resynchronises; output safe; round trips correct",
        f"{OUTPUT}/test_serial_output.py -k noise or wrong or delay or late",
    ),
)


def tested(fault: str, injected: str, bound: str, tests: str) -> Row:
    """Run the tests of an entry of TESTED."""
    files, _, keyword = tests.partition(" -k ")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files.split()]
    command += ["-k", keyword] if keyword else []
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = process.stdout.strip().splitlines()[-1] if process.stdout.strip() else process.stderr[-200:]
    count = int(match[1]) if (match := re.search(r"(\d+) passed", last)) else 0
    measured = "tests: " + re.sub(r" in [\d.]+s.*", "", last)
    return Row(fault, injected, bound, measured, count, process.returncode == 0 and count > 0)
