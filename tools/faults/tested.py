"""Faults whose tests are elsewhere: they are run, and their result is a row."""

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
        "bytes flipped, packets lost, films cut, files that are none",
        "lost frames counted, never silently short; one line, exit code 5",
        f"{IO}/test_damaged_video.py",
    ),
    (
        "file that cannot grow, each sink",
        "RLIMIT_FSIZE",
        "one line that says so; what was written can be read",
        f"{IO}/test_full_disk.py",
    ),
    (
        "two runs on one output; an output that exists",
        "two sinks on one path",
        "the second refuses",
        f"{IO}/test_pose_table.py::test_two_runs_cannot_write_one_file {IO}/test_pose_table.py::test_what_is_there_stays",
    ),
    (
        "noise, wrong, half and late answers on the serial port",
        "the simulator",
        "resynchronises; output safe; round trips right",
        f"{OUTPUT}/test_serial_output.py -k noise or wrong or delay or late",
    ),
)


def tested(fault: str, how: str, bound: str, where: str) -> Row:
    """Run the tests of one of TESTED."""
    files, _, chosen = where.partition(" -k ")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files.split()]
    words += ["-k", chosen] if chosen else []
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-200:]
    count = int(match[1]) if (match := re.search(r"(\d+) passed", last)) else 0
    measured = "tests: " + re.sub(r" in [\d.]+s.*", "", last)
    return Row(fault, how, bound, measured, count, done.returncode == 0 and count > 0)
