"""Notices arguments in the wrong order: `dlclive analyze mouse.mp4 model.onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_core.errors import UsageError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.models.load import model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog


def check_order(command: str, model: str, videos: Sequence[Path | None], catalog: PluginCatalog) -> None:
    """Raise UsageError, with the right order, if MODEL is a video or folder of images and one of the videos is a model."""
    models = model_suffixes(catalog)
    videos_of = {suffix for info in catalog.components(SourceInfo) for suffix in info.opens}
    first, swapped = Path(model), [video for video in videos if video is not None and video.suffix.lower() in models]
    if swapped and first.suffix.lower() not in models and (first.suffix.lower() in videos_of or not first.is_dir()):
        others = [first, *(video for video in videos if video is not None and video != swapped[0])]
        raise UsageError(
            f"the model comes first, before the videos: dlclive {command} {swapped[0]} {' '.join(map(str, others))}"
        )


def check_export_order(model: str, target: Path) -> None:
    """Raise UsageError, with the right order, if MODEL does not exist and OUT does."""
    if not Path(model).expanduser().exists() and target.expanduser().exists():
        raise UsageError(
            f"no such file or folder: {model}; the model comes first, before the file to write: "
            f"dlclive export {target} {model}"
        )
