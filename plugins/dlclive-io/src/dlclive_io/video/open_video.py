"""Opening a video file with FFmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from dlclive_core import DataError, SourceError
from dlclive_io.video.ffmpeg_name import ffmpeg_name

if TYPE_CHECKING:
    from av.container import InputContainer


def open_video(path: Path) -> InputContainer:
    """Raises SourceError or DataError, in one line."""
    if not path.exists():
        raise SourceError(f"no video at {path}: check the path")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; give a video file, or use the source 'images'")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty: the recording or the copy failed")
        return av.open(ffmpeg_name(path), metadata_errors="replace")  # a video's title may be in any encoding
    except PermissionError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    except (FFmpegError, OSError) as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{path} cannot be read as a video ({reason}): it is damaged, truncated or not a video"
        ) from None
