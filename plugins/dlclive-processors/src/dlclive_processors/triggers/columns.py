"""Keypoints by name."""

from __future__ import annotations

from collections.abc import Sequence

from dlclive_core import Skeleton, UsageError


def columns_of(keypoints: Sequence[str], skeleton: Skeleton) -> tuple[int, ...] | None:
    """The columns of these keypoints; None for no names, which stands for all. Raises UsageError, with the nearest name."""
    return tuple(skeleton.index(name) for name in keypoints) or None


def names_of(option: str, value: Sequence[str]) -> tuple[str, ...]:
    """Check that an option is a list of different names. Raises UsageError."""
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str) or not name:
            raise UsageError(f"{option} has {name!r}; give names of keypoints")
    if len(set(names)) < len(names):
        raise UsageError(f"{option} names a keypoint twice: {', '.join(names)}")
    return tuple(names)
