"""`python -m dlclive_tensorrt trust FILE.engine`: trust an engine as if it had been built on this computer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dlclive_core import DLCLiveError
from dlclive_tensorrt.engine_file import read_engine
from dlclive_tensorrt.trusted_plans import trust_plans


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the plans of an engine as trusted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dlclive_tensorrt", description=__doc__)
    parser.add_argument("command", choices=["trust"])
    parser.add_argument("engine", type=Path, help="an engine from an author you trust: loading it executes code in it")
    options = parser.parse_args(arguments)
    try:
        card, _ = read_engine(options.engine)
    except DLCLiveError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    trust_plans(card.plans)
    sys.stdout.write(
        f"{options.engine} is trusted: {card.model.net_type}, built on {card.gpu} with TensorRT {card.tensorrt}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
