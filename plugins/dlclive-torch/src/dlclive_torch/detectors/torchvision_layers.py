"""The only module that imports torchvision, and only when a detector is built."""

from __future__ import annotations

import importlib
from typing import Any

from dlclive_core import DependencyError


def import_torchvision(module: str) -> Any:
    """Return `torchvision.<module>`.

    Raises:
        DependencyError: torchvision is not installed, or does not match the installed PyTorch.
    """
    try:
        return importlib.import_module(f"torchvision.{module}")
    except (ImportError, RuntimeError, OSError) as error:  # its compiled extension raises the last two
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DependencyError(
            f"detectors need torchvision, which cannot be imported ({reason}); run: pip install torchvision"
        ) from error


def make_layers(model: str, **options: Any) -> Any:
    """Build a torchvision detection model without weights and without a download.

    Args:
        model: the name of a function in torchvision.models.detection.
        options: arguments of this function.
    """
    factory = getattr(import_torchvision("models.detection"), model)
    return factory(weights=None, weights_backbone=None, progress=False, **options)
