"""What a measurement was made on, as far as it can be found out without loading anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.system import system_info

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_GPU = "name,driver_version,pstate,clocks.sm,clocks.max.sm,power.limit,memory.total"


def conditions() -> dict[str, object]:
    """Machine, versions, and how busy the machine is: `system_info` and more."""
    return {
        **system_info(),
        "cores_used": usable_cores(),
        "memory_gb": _memory_gb(),
        "governor": _read(_GOVERNOR),
        "load": load(),
        "gpus": _gpus(),
    }


def load() -> list[float] | None:
    """How many programs wanted to run over the last 1, 5 and 15 minutes; None where the system does not tell."""
    try:
        return [round(value, 2) for value in os.getloadavg()]
    except (AttributeError, OSError):
        return None


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _gpus() -> list[dict[str, str]]:
    """NVIDIA's GPUs with driver and clocks, as their own tool tells; empty where it is not there."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        done = subprocess.run(
            [tool, f"--query-gpu={_GPU}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    names = _GPU.split(",")
    return [
        dict(zip(names, (cell.strip() for cell in line.split(",")), strict=False)) for line in done.stdout.splitlines()
    ]
