"""How large a file can become in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

FAT = 2**32 - 1
"""Bytes: FAT32, the file system of many USB sticks and memory cards, stores the size in four bytes."""

_FAT_NAMES = {"vfat", "msdos", "fat", "fat32", "fat16"}


def largest_file(folder: Path) -> int | None:
    """The largest size in bytes, by the file system and the limits of this process; None if neither is known to limit it."""
    limits = [limit for limit in (_of_process(), FAT if _file_system(folder) in _FAT_NAMES else None) if limit]
    return min(limits, default=None)


def _of_process() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if soft == resource.RLIM_INFINITY else soft


def _file_system(folder: Path) -> str:
    """The name of the folder's file system in lower case; empty if unknown."""
    folder = folder.resolve()
    if sys.platform == "win32":
        import ctypes

        name = ctypes.create_unicode_buffer(64)
        ctypes.windll.kernel32.GetVolumeInformationW(folder.anchor, None, 0, None, None, None, name, len(name))
        return name.value.lower()
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""  # not Linux
    return file_system_in(lines, folder)


def file_system_in(mounts: list[str], folder: Path) -> str:
    """The type of the file system that holds a folder, from the lines of Linux's `mountinfo`."""
    depth, kind = -1, ""
    for line in mounts:
        mount, _, file_system = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not file_system:
            continue
        point = Path(fields[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            depth, kind = len(point.parts), file_system.split(" ")[0].lower()
    return kind
