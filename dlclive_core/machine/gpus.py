"""NVIDIA's GPUs, as their own tool tells: nothing is loaded for it."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache


@cache
def gpu_names() -> tuple[str, ...]:
    """Their names in the order of their numbers; empty where there is none, or no tool that tells. Asked for once."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())
