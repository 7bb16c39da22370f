"""A stand-in for the package `dlclive`, for processor files that import their base class from it."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType

NAMES = {
    "dlclive": ("Processor", "DLCLive"),
    "dlclive.processor": ("Processor", "KalmanFilterPredictor"),
    "dlclive.processor.processor": ("Processor",),
    "dlclive.processor.kalmanfilter": ("KalmanFilterPredictor",),
}
"""What can be imported from it, by module."""
_HOMES = {
    "Processor": "dlclive_processors.deeplabcut_live.processor",
    "KalmanFilterPredictor": "dlclive_processors.deeplabcut_live.kalman_filter_predictor",
    "DLCLive": "dlclive_core",
}
_lock = threading.RLock()


def is_installed() -> bool:
    """Whether there is a package `dlclive`, such as that of deeplabcut-live."""
    if "dlclive" in sys.modules:
        return True
    spec = find_spec("dlclive")
    return spec is not None and spec.origin is not None  # a folder that happens to have this name has no origin


@contextmanager
def dlclive_importable() -> Iterator[None]:
    """While the block runs, `from dlclive import Processor` finds a base class, also where deeplabcut-live is not installed.

    An installed `dlclive` is used as it is. Otherwise its name is entered in `sys.modules`, and removed afterwards: the rest
    of the program must not take our few classes for the package. The classes themselves live on in their own modules.
    """
    with _lock:  # two sessions of a rig may build their processors at once
        if is_installed():
            yield
            return
        modules = {name: _module(name) for name in NAMES}
        for name, module in modules.items():
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(modules[parent], child, module)
        sys.modules.update(modules)
        try:
            yield
        finally:
            for name, module in modules.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]


def _module(name: str) -> ModuleType:
    module = ModuleType(name, "A stand-in by dlclive-processors; deeplabcut-live is not installed.")
    if any(other.startswith(f"{name}.") for other in NAMES):
        module.__path__ = []  # a package, in which nothing else is found

    def load(attribute: str) -> object:
        if attribute not in NAMES[name]:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        return getattr(importlib.import_module(_HOMES[attribute]), attribute)

    module.__getattr__ = load  # type: ignore[method-assign]
    return module
