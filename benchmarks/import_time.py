"""Import times: `import dlclive_core` and `dlclive --help` against `import numpy, pluggy`, interleaved.

    python benchmarks/import_time.py [--rounds 30]

Each command runs in a fresh interpreter and is timed from start to exit, with the compiled files in a separate cache. A round runs
all commands once; the ratio is the median of the ratios per round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from dlclive_core.machine.system import system_info

BASE = "import numpy, pluggy"
COMMANDS = {
    BASE: ["-c", BASE],
    "import dlclive_core": ["-c", "import dlclive_core"],
    "from dlclive_core import ProcessorInfo, hookimpl": ["-c", "from dlclive_core import ProcessorInfo, hookimpl"],
    "from dlclive_core import DLCLive, Session, load_model": [
        "-c",
        "from dlclive_core import DLCLive, Session, load_model",
    ],
    "dlclive --help": ["-m", "dlclive_core", "--help"],
    "dlclive analyze --help": ["-m", "dlclive_core", "analyze", "--help"],
    "dlclive plugins list": ["-m", "dlclive_core", "plugins", "list"],
}


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """The duration of one run."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as cache:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        for arguments in COMMANDS.values():  # compile everything
            seconds(arguments, environment)
        times: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, arguments in COMMANDS.items():
                times[name].append(seconds(arguments, environment))
    info = system_info()
    print(f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}, {rounds} rounds\n")
    print("| command | median, s | p95, s | ratio to the first |\n|---|---|---|---|")
    for name, values in times.items():
        ratio = statistics.median(value / base for value, base in zip(values, times[BASE], strict=True))
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"| `{name}` | {statistics.median(values):.3f} | {p95:.3f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
