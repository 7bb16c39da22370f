"""How long `import dlclive_core` and `dlclive --help` take, against `import numpy, pluggy`.

The commands run in turns, each in a process of its own, so that a change of the machine's load meets all of them.

    python benchmarks/import_time.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BASELINE = "import numpy, pluggy"
COMMANDS = {
    BASELINE: ["-c", BASELINE],
    "import dlclive_core": ["-c", "import dlclive_core"],
    "from dlclive_core import *": ["-c", "from dlclive_core import *"],
    "dlclive --help": ["-m", "dlclive_core", "--help"],
    "dlclive plugins list": ["-m", "dlclive_core", "plugins", "list"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one process, from start to exit."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(rounds: int) -> None:
    """Print the medians and their ratios as a Markdown table."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            elapsed = seconds(arguments)
            if number:  # the first round fills the caches of the disk
                times[name].append(elapsed)
    baseline = statistics.median(times[BASELINE])
    print("| command | median s | min s | max s | ratio |")
    print("|---|---|---|---|---|")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"| `{name}` | {median:.3f} | {min(values):.3f} | {max(values):.3f} | {median / baseline:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
