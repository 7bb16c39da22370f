"""The machine and package versions, for reports; and file hashes."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from dlclive_core.machine.known_packages import REPORTED


def system_info() -> dict[str, object]:
    """The machine, Python, and the versions of the known packages, for reports; imports none of them."""
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
        "packages": {name: installed for name in REPORTED if (installed := installed_version(name))},
    }


def installed_version(distribution: str) -> str:
    """The version of an installed distribution, "" if it is not installed."""
    try:
        return version(distribution) or ""
    except Exception:  # not installed, or its metadata is damaged, for which importlib.metadata has several errors
        return ""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor()
