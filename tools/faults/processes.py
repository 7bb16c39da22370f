"""Live sessions in their own processes: stopped by signals, hanging, and with a wall clock that jumps."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import av
import pandas as pd

from tools.faults.host_process import HOST_ENVIRONMENT, host_command
from tools.faults.row import Row


@contextmanager
def host(scenario: str, folder: Path, **environment: str):
    command = host_command("session_host", scenario, folder)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**HOST_ENVIRONMENT, **environment}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stop_once(number: int, moment: random.Random) -> tuple[float, str]:
    """Seconds from the signal until the process ends, and the problem with its files ("" if there is none)."""
    with tempfile.TemporaryDirectory() as name, host("files", Path(name)) as process:
        folder = Path(name)
        assert process.stdout.readline() == "armed\n"
        time.sleep(moment.uniform(0.1, 2.0))
        began = time.perf_counter()
        process.send_signal(number)
        code = process.wait(30)
        took = time.perf_counter() - began
        if code != 128 + number:
            return took, f"exit code {code}"
        report = json.loads((folder / "report.json").read_text())
        try:
            table, times = pd.read_hdf(folder / "poses.h5"), pd.read_csv(folder / "times.csv")
            with av.open(str(folder / "video.mkv")) as video:
                shown = sum(1 for _ in video.decode(video=0))
        except (OSError, ValueError) as error:
            return took, f"{type(error).__name__}: {error}"
        left = [path.name for path in folder.iterdir() if path.suffix == ".part"]
        written = [sink["written"] for sink in report["sinks"]]
        if left or [len(table.dropna(how="all")), len(times), shown] != [written[0], written[2], written[3]]:
            return took, f"left {left}; rows {len(table)}, {len(times)}, {shown} of {written}"
        return took, "" if report["complete"] else "incomplete"


def stopped(runs: int) -> Row:
    """SIGINT and SIGTERM at random moments."""
    moment = random.Random(0)
    took, problems = [], []
    for number in (signal.SIGINT, signal.SIGTERM):
        for _ in range(runs):
            seconds, problem = stop_once(number, moment)
            took.append(seconds)
            problems += [problem] if problem else []
    measured = f"ended after {max(took):.2f} s at most; "
    measured += f"{len(took) - len(problems)} of {len(took)} with all files final and complete"
    if problems:
        measured += f" ({problems[0]})"
    return Row(
        "SIGINT, SIGTERM while recording",
        "signals at random moments",
        "files final and readable <= 2 s; exit code 130, 143",
        measured,
        len(took),
        not problems,
        max(took) <= 2,
    )


def stopped_twice(runs: int) -> Row:
    """A second Ctrl-C while a sink is still finishing after the first."""
    took, codes = [], set()
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, host("slow", Path(name)) as process:
            assert process.stdout.readline() == "armed\n"
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            began = time.perf_counter()
            process.send_signal(signal.SIGINT)
            codes.add(process.wait(30))
            took.append(time.perf_counter() - began)
    measured = f"ended after {max(took):.2f} s at most, exit code {', '.join(map(str, codes))}"
    return Row(
        "second Ctrl-C while files are being finished",
        "SIGINT twice, with a sink that takes 1 s per pose",
        "ends <= 0.5 s, 130",
        measured,
        runs,
        codes == {130},
        max(took) <= 0.5,
    )


def hangs(runs: int) -> Row:
    """A processor that sleeps for ten seconds."""
    delays, written, dumps, names_processor = [], [], [], True
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, host("hang", Path(name)) as process:
            out, err = process.communicate(timeout=60)
        result = json.loads(out.splitlines()[-1])
        delays.append(result["event_after"])
        written.append(result["written"])
        dumps.append(err.count("Current thread"))
        names_processor &= "processor Hanging" in result["text"] and "in process" in err
    measured = f"reported {1e3 * max(delays):.0f} ms after the deadline at most; "
    measured += f"stacks dumped {'once' if set(dumps) == {1} else dumps}; the sink wrote {min(written)} poses meanwhile"
    holds = set(dumps) == {1} and min(written) > 0 and names_processor
    return Row(
        "processor hangs",
        "sleep(10) in process()",
        "event <= 100 ms after the deadline, stack dump, sinks keep writing",
        measured,
        runs,
        holds,
        max(delays) <= 0.1,
    )


STEP = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
/* The wall clock jumps by the seconds of the last jump(); other clocks are unchanged. */
static volatile int step;
void jump(int seconds) { step = seconds; }
int clock_gettime(clockid_t which, struct timespec *out) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(which, out);
    if (which == CLOCK_REALTIME && !code) out->tv_sec += step;
    return code;
}
"""


def wall_clock(runs: int) -> Row:
    """The wall clock jumps an hour forwards and backwards during a session."""
    fault, injected = "wall clock jumps by an hour", "clock_gettime of the process, in C"
    bound = "intervals unchanged; wall time stored once, with the clock"
    if shutil.which("gcc") is None:
        return Row(fault, injected, bound, "not tried: there is no C compiler", 0, True)
    problems, longest = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "step.c").write_text(STEP)
        library = folder / "step.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(folder / "step.c"), "-ldl"], check=True)
        for number in range(runs):
            for step in (3600, -3600):
                run_folder = folder / f"{number}{step}"
                run_folder.mkdir()
                with host("clock", run_folder, LD_PRELOAD=str(library), WALL_STEP=str(step)) as process:
                    out, err = process.communicate(timeout=60)
                if process.returncode:
                    problems.append(err[-300:])
                    continue
                result = json.loads(out.splitlines()[-1])
                longest = max(longest, result["latency_max"])
                if abs(result["wall_step"] - step) > 5:
                    problems.append(f"the clock did not jump: {result['wall_step']:.1f} s")
                if not (
                    0 <= result["latency_min"] <= result["latency_max"] < 1
                    and result["duration"] < 20
                    and result["stalls"] < 5
                ):
                    problems.append(str(result))
                times = pd.read_csv(run_folder / "times.csv")
                if not times["frame"].is_monotonic_increasing or len(times) != result["written"]:
                    problems.append("times out of order")
    measured = f"longest latency {1e3 * longest:.0f} ms, rows in order, in {2 * runs - len(problems)} of {2 * runs}" + (
        f" ({problems[0]})" if problems else ""
    )
    return Row(fault, injected, bound, measured, 2 * runs, not problems)
