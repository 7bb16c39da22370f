"""The package `dlclive` of deeplabcut-live 1.1.0, for scripts and programs that were written for it, on dlclive_core.

Names are imported when they are first used: importing the package loads neither torch nor OpenCV. Importing it beside an
installed deeplabcut-live is an ImportError, because both would own this folder.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dlclive._installed import refuse_deeplabcut_live
from dlclive.version import VERSION, __version__

if TYPE_CHECKING:
    from dlclive.display import Display
    from dlclive.dlclive import DLCLive
    from dlclive.engine import Engine
    from dlclive.processor import Processor

refuse_deeplabcut_live()

_HOMES = {
    "DLCLive": "dlclive.dlclive",
    "Display": "dlclive.display",
    "Engine": "dlclive.engine",
    "Processor": "dlclive.processor",
    "benchmark_videos": "dlclive.benchmark",
    "download_benchmarking_data": "dlclive.benchmark",
    "get_available_backends": "dlclive.utils",
}

__all__ = ["VERSION", "DLCLive", "Display", "Engine", "Processor", "__version__"]


def __getattr__(name: str) -> object:
    if name == "_AVAILABLE_BACKENDS":
        return import_module("dlclive.utils").get_available_backends()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
