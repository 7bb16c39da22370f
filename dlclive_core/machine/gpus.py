"""NVIDIA GPUs, as reported by nvidia-smi; loads no library."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

_FACTS = "name,driver_version,pstate,clocks.sm,clocks.max.sm,power.limit,memory.total"


@cache
def gpu_names() -> tuple[str, ...]:
    """The names of the GPUs by index; empty without a GPU or without nvidia-smi. Queried once."""
    return tuple(facts["name"] for facts in gpu_facts())


def gpu_facts() -> list[dict[str, str]]:
    """Current name, driver, clocks, power limit and memory of each GPU; empty without a GPU or without nvidia-smi."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, f"--query-gpu={_FACTS}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return [dict(zip(_FACTS.split(","), (cell.strip() for cell in line.split(",")), strict=False)) for line in lines]
