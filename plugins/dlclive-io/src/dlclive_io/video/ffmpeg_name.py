"""Names of files as FFmpeg takes them literally."""

from __future__ import annotations

from pathlib import Path


def ffmpeg_name(path: Path) -> str:
    """The name under which FFmpeg opens this very file.

    FFmpeg takes a name with a colon, such as `12:30.mp4`, for an address whose part before the colon is the protocol.
    """
    return f"file:{path}"
