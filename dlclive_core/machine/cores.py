"""The number of cores available to an inference."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(cpus: Path = _CPUS, quota: Path = _QUOTA) -> int:
    """Physical cores that this process may use. Two threads of a core count once; a container's CPU quota is respected.

    One thread of convolutions keeps a core's arithmetic units busy, so that a second thread on the same core only interferes.
    Outside Linux, returns Python's CPU count.

    Args:
        cpus: the folder in which Linux describes its processors.
        quota: the file with a container's CPU quota.
    """
    try:
        allowed = os.sched_getaffinity(0)  # type: ignore[attr-defined,unused-ignore]
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
    cores = {_siblings(cpus, cpu) for cpu in allowed}
    return max(1, min(len(cores), _quota(quota)))


def _siblings(cpus: Path, cpu: int) -> str:
    """The list of threads of a processor's core, as text that identifies the core."""
    try:
        return (cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def _quota(file: Path) -> int:
    """The CPU quota of a container in whole cores, at least one; a very large number without a quota."""
    try:
        time, period = file.read_text(encoding="ascii").split()
        return max(1, int(time) // int(period))
    except (OSError, ValueError):
        return 1 << 16
