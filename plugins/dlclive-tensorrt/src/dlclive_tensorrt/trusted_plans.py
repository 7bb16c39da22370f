"""The plans that may be passed to TensorRT: those that this user built on this computer.

TensorRT executes code in a plan when it reads it, and offers no safe way to read one. So the SHA-256 of every plan built here
is recorded in the user's cache, where only this user can write. A plan that is not recorded is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dlclive_core import UnsafeFileError
from dlclive_tensorrt.cache_folder import cache_folder, is_private, make_private
from dlclive_tensorrt.engine_file import PlanFacts


def trust_plans(plans: Iterable[PlanFacts]) -> None:
    """Record plans as trusted. Raises OSError."""
    folder = _registry()
    make_private(folder)
    for plan in plans:
        (folder / plan.sha256).touch()


def are_trusted(plans: Iterable[PlanFacts]) -> bool:
    """Whether all plans are recorded, in a folder that only this user can write to."""
    folder = _registry()
    return is_private(folder) and all((folder / plan.sha256).is_file() for plan in plans)


def refuse_untrusted(plans: Iterable[PlanFacts], path: Path) -> None:
    """Raise UnsafeFileError if a plan of the file is not trusted."""
    if not are_trusted(plans):
        raise UnsafeFileError(
            f"{path.name} was not built by you on this computer, and loading an engine executes code in it: export it here, "
            f"dlclive export MODEL.onnx {path.name}, or, if you trust its author, run: python -m dlclive_tensorrt trust {path}"
        )


def _registry() -> Path:
    return cache_folder() / "built"
