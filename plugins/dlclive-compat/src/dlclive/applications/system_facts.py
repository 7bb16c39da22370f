"""What machine and which packages a measurement is from."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def get_system_info() -> dict[str, Any]:
    """The machine and its software; values are of builtin types.

    Returns:
        host_name: without spaces.
        op_sys: name and version of the operating system.
        python: name of the environment's folder.
        device_type: "GPU" if PyTorch finds one, otherwise "CPU".
        device: a list with the name of the GPU, or of the processor.
        freeze: a list of "name==version" of all installed packages.
        python_version: `sys.version`.
        git_hash: the commit from which this package was installed, or None.
        dlclive_version: of this package.
    """
    gpu = _gpu()
    return {
        "host_name": platform.node().replace(" ", ""),
        "op_sys": platform.platform(),
        "python": Path(sys.prefix).name,
        "device_type": "CPU" if gpu is None else "GPU",
        "device": [_processor() if gpu is None else gpu],
        "freeze": sorted({_pinned(found) for found in distributions() if found.metadata["Name"]}, key=str.lower),
        "python_version": sys.version,
        "git_hash": _commit(),
        "dlclive_version": _version(),
    }


def _gpu() -> str | None:
    if find_spec("torch") is None:
        return None
    import torch

    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _pinned(found: Distribution) -> str:
    return f"{found.metadata['Name']}=={found.version}"


def _commit() -> str | None:
    """The commit that pip recorded, if it installed from git: the folder that holds us may be any repository."""
    try:
        recorded = json.loads(distribution("dlclive-compat").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    commit = recorded.get("vcs_info", {}).get("commit_id") if isinstance(recorded, dict) else None
    return commit if isinstance(commit, str) else None


def _version() -> str:
    import dlclive

    return str(dlclive.__version__)
