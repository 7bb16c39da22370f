"""How many cores an inference may use."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(cpus: Path = _CPUS, quota: Path = _QUOTA) -> int:
    """Physical cores that this process may run on: two threads of one core count once, a container's quota is kept.

    Convolutions keep the arithmetic units of a core busy with one thread, so a second one on the same core only disturbs.
    Where the system does not tell (outside Linux), as many as Python counts.

    Args:
        cpus: the folder in which Linux describes its processors.
        quota: the file with the quota of a container.
    """
    try:
        allowed = os.sched_getaffinity(0)  # type: ignore[attr-defined,unused-ignore]
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
    cores = {_siblings(cpus, cpu) for cpu in allowed}
    return max(1, min(len(cores), _quota(quota)))


def _siblings(cpus: Path, cpu: int) -> str:
    """The threads of the core that a processor belongs to: one word for each core."""
    try:
        return (cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def _quota(file: Path) -> int:
    """Whole cores of a container, at least one; very many where there is no limit."""
    try:
        time, period = file.read_text(encoding="ascii").split()
        return max(1, int(time) // int(period))
    except (OSError, ValueError):
        return 1 << 16
