"""The state of the machine during a measurement. Imports no library to determine it."""

from __future__ import annotations

import os
from pathlib import Path

from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.gpus import gpu_facts
from dlclive_core.machine.system import system_info

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def machine_state() -> dict[str, object]:
    """`system_info` with cores, memory, load and GPUs, for JSON."""
    return {
        **system_info(),
        "cores_used": usable_cores(),
        "memory_gb": _memory_gb(),
        "governor": _read(_GOVERNOR),
        "load": load(),
        "gpus": gpu_facts(),
    }


def load() -> list[float] | None:
    """The load averages over 1, 5 and 15 minutes; None if the system does not provide them."""
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
