"""File names that FFmpeg takes literally."""

from __future__ import annotations

from pathlib import Path


def ffmpeg_name(path: Path) -> str:
    """The name under which FFmpeg opens exactly this file.

    FFmpeg treats a name with a colon, such as `12:30.mp4`, as a URL and the part before the colon as its protocol.
    """
    return f"file:{path}"
