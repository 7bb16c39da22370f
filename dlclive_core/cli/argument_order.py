"""Notices arguments in the wrong order: `dlclive analyze mouse.mp4 model.onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_core.errors import UsageError
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.models.load import model_suffixes
from dlclive_core.plugins.catalog import PluginCatalog

_STUDENT = ".onnx"


def check_order(
    command: str, model: str, videos: Sequence[Path | None], catalog: PluginCatalog, *, last: Path | None = None
) -> None:
    """Raise UsageError, with the right order, if MODEL is a video or folder of images and one of the videos is a model.

    `last` is the argument after the videos, if the command has one.
    """
    models = model_suffixes(catalog)
    videos_of = {suffix for info in catalog.components(SourceInfo) for suffix in info.opens}
    first, swapped = Path(model), [video for video in videos if video is not None and video.suffix.lower() in models]
    if swapped and first.suffix.lower() not in models and (first.suffix.lower() in videos_of or not first.is_dir()):
        others = [first, *(video for video in videos if video is not None and video != swapped[0])]
        others += [] if last is None else [last]
        raise UsageError(
            f"the model comes first, before the videos: dlclive {command} {swapped[0]} {' '.join(map(str, others))}"
        )


def check_distill_order(model: str, videos: Sequence[Path], out: Path, catalog: PluginCatalog) -> None:
    """Raise UsageError, with the right order, if OUT is not the last argument or MODEL not the first."""
    written = [video for video in videos if video.suffix.lower() == _STUDENT]
    if out.suffix.lower() != _STUDENT:
        seen = {suffix for info in catalog.components(SourceInfo) for suffix in info.opens}
        if written or out.suffix.lower() in seen:
            target = written[0] if written else Path(f"OUT{_STUDENT}")
            others = [video for video in (*videos, out) if video != target]
            raise UsageError(
                f"the file to write comes last, after the videos: dlclive distill {model} "
                f"{' '.join(map(str, others))} {target}"
            )
    check_order("distill", model, [video for video in videos if video not in written], catalog, last=out)


def check_export_order(model: str, target: Path, catalog: PluginCatalog) -> None:
    """Raise UsageError, with the right order, if OUT is a model and MODEL, which does not exist, may be a file to write."""
    file, other = Path(model).expanduser(), target.expanduser()
    is_model = other.is_file() and other.suffix.lower() in model_suffixes(catalog)
    is_model = is_model or (other.is_dir() and any(other.glob("*.pt")))
    if is_model and file.suffix.lower() != ".pt" and not file.exists():  # no export ends in .pt: it is a mistyped name
        raise UsageError(
            f"no such file or folder: {model}; the model comes first, before the file to write: "
            f"dlclive export {target} {model}"
        )
