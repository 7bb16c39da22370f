"""Whose plans are given to TensorRT: those that were built by this user on this computer.

TensorRT reads a plan by loading and running what is in it, and has no way to read one safely. So the SHA-256 of every plan that
is built here is noted in the user's cache, where only this user can write. A plan that is not noted is a stranger's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dlclive_core import UnsafeFileError
from dlclive_tensorrt.cache_folder import cache_folder, is_private, make_private
from dlclive_tensorrt.engine_file import PlanFacts


def trust_plans(plans: Iterable[PlanFacts]) -> None:
    """Note plans as this user's own. Raises OSError."""
    folder = _register()
    make_private(folder)
    for plan in plans:
        (folder / plan.sha256).touch()


def are_trusted(plans: Iterable[PlanFacts]) -> bool:
    """Whether all of these plans are noted, in a folder that only this user can write to."""
    folder = _register()
    return is_private(folder) and all((folder / plan.sha256).is_file() for plan in plans)


def refuse_untrusted(plans: Iterable[PlanFacts], path: Path) -> None:
    """UnsafeFileError if one of the plans of a file is a stranger's."""
    if not are_trusted(plans):
        raise UnsafeFileError(
            f"{path.name} was not built by you on this computer, and reading an engine runs what is in it: export it here, "
            f"dlclive export MODEL.onnx {path.name}, or, if you know who made it, run: python -m dlclive_tensorrt trust {path}"
        )


def _register() -> Path:
    return cache_folder() / "built"
