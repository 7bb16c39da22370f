"""Notices a folder of videos where a video, or a folder of pictures, is expected."""

from __future__ import annotations

from pathlib import Path

from dlclive_core.errors import SourceError, UsageError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.plugins.catalog import PluginCatalog


def refuse_folder_of_videos(folder: Path, catalog: PluginCatalog) -> None:
    """Raise UsageError, with what to write instead, if a folder holds videos: its pictures alone are not what is meant."""
    infos = catalog.components(SourceInfo)
    pictures = {suffix for info in infos if info.opens_folders for suffix in info.opens}
    suffixes = {suffix for info in infos for suffix in info.opens} - pictures
    try:
        files = [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}") from None
    videos = [file for file in files if file.suffix.lower() in suffixes]
    if not videos:
        return
    patterns = " ".join(str(folder / f"*{suffix}") for suffix in sorted({video.suffix for video in videos}))
    has = f"{len(videos)} videos; give them" if len(videos) > 1 else "a video; give it"
    found = sorted({file.suffix for file in files if file.suffix.lower() in pictures})
    alone = f"; for its pictures alone, pass --source-option pattern=*{found[0]}" if found else ""
    raise UsageError(f"{folder} is a folder with {has} as {patterns}{alone}")
