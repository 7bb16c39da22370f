"""Export a model to another format, and prove that it still gives the same pose."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.card import ModelCard
from dlclive_core.catalog import PluginCatalog, check_options
from dlclive_core.components import Exporter
from dlclive_core.errors import DataError, ModelError, OutputExistsError, UnsupportedModelError, UsageError
from dlclive_core.hookspecs import ExporterInfo
from dlclive_core.locate import detector_beside, locate_model
from dlclive_core.models import load_model, model_suffixes
from dlclive_core.parity import Parity, compare_models

BOUND_PX = {"fp32": 0.05, "fp16": 0.5}
"""How many pixels an exported model may differ by. In half precision only confident keypoints count: a heatmap with two
peaks of nearly the same height may choose the other one."""

BOUND_BOX_PX = 0.5
"""How many pixels the boxes of an exported detector may differ by, of those that it is at least 0.5 sure of."""

_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported, and how near it is to its source; `detector` is the file beside it, for top-down models."""

    target: Path
    card: ModelCard
    parity: Parity
    bound_px: float
    detector: Path | None = None


def export_model(
    source: str | Path,
    target: str | Path,
    *,
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    frames: Sequence[NDArray[np.uint8]] | None = None,
    max_error: float | None = None,
    overwrite: bool = False,
    catalog: PluginCatalog | None = None,
) -> Export:
    """Export a model and compare both in pixels; `target` appears only if they agree.

    Args:
        source: anything that `load_model` takes.
        target: the file to write; its suffix says the format.
        precision: "fp32" or "fp16".
        size: (height, width) to fix the input to.
        frames: (H, W, 3) uint8 RGB images to compare on; by default rendered pictures of a mouse.
        max_error: pixels; by default 0.05 for fp32, 0.5 for fp16 (over confident keypoints, where there are any).

    Raises:
        OutputExistsError: the target is there and `overwrite` was not given.
        ModelError: the export differs by more than the bound; nothing is written.
    """
    catalog = catalog or PluginCatalog.installed()
    source, target = locate_model(source, model_suffixes(catalog)), Path(target).expanduser()
    info = _exporter(catalog, source, target, precision)
    for file in (target, detector_beside(target)):
        if file.exists() and not overwrite:
            raise OutputExistsError(f"{file} is there already; choose another name or pass --overwrite")
    if not target.parent.is_dir():
        raise DataError(f"no such folder: {target.parent}")
    factory = catalog.factory(info)
    check_options(factory, (), f"exporter {info.name!r}")
    exporter: Exporter = factory()
    bound = max_error if max_error is not None else BOUND_PX.get(precision, 0.5)
    try:
        folder = tempfile.TemporaryDirectory(prefix=".dlclive-export-", dir=target.parent)
    except OSError as error:
        raise DataError(f"cannot write into {target.parent}: {error.strerror}") from None
    with folder as name:
        draft = Path(name) / target.name
        card = exporter.export(source, draft, precision=precision, size=size, frames=frames or ())
        with (
            load_model(source, device="cpu", precision="fp32", catalog=catalog) as reference,
            load_model(draft, device="cpu", catalog=catalog) as candidate,
        ):
            parity = compare_models(reference, candidate, _images(frames, reference.card, size))
        _judge(parity, bound, precision)
        detector = detector_beside(target) if detector_beside(draft).exists() else None
        if detector is not None:  # first, so that a network is never there without it
            detector_beside(draft).replace(detector)
        draft.replace(target)
    return Export(target, card, parity, bound, detector)


def _judge(parity: Parity, bound: float, precision: str) -> None:
    worst, where, advice = parity.max_px, "all keypoints", ""
    if precision != "fp32" and parity.confident:
        worst, where = parity.max_confident_px, "the confident keypoints"
    elif precision != "fp32":
        advice = "; no keypoint of these frames is confident: give frames that show the animal with --frames"
    if not parity.box_px <= BOUND_BOX_PX:
        raise ModelError(
            f"boxes of the exported detector differ by {parity.box_px:.3f} px (95 of 100 differ by less; {parity.boxes} boxes "
            f"in {parity.images} frames), more than the {BOUND_BOX_PX} px allowed; nothing was written"
        )
    if not worst <= bound:
        raise ModelError(
            f"the export differs from its source by up to {worst:.3f} px over {where} of {parity.images} frames, more "
            f"than the {bound} px allowed; nothing was written{advice}"
        )


def _exporter(catalog: PluginCatalog, source: Path, target: Path, precision: str) -> ExporterInfo:
    infos = catalog.components(ExporterInfo)
    fitting = [info for info in infos if (info.reads, info.writes) == (source.suffix.lower(), target.suffix.lower())]
    for info in fitting:
        if precision in info.precisions:
            return info
    if fitting:
        able = ", ".join(dict.fromkeys(name for info in fitting for name in info.precisions))
        raise UsageError(f"no precision {precision!r} for {target.suffix} files: choose from {able}")
    known = ", ".join(f"{info.reads} to {info.writes}" for info in infos) or "none; run: pip install dlclive-torch"
    raise UnsupportedModelError(
        f"no installed exporter from {source.suffix or source.name} to {target.suffix or target.name}; there are: {known}"
    )


def _images(
    frames: Sequence[NDArray[np.uint8]] | None, card: ModelCard, size: tuple[int, int] | None
) -> Sequence[NDArray[np.uint8]]:
    """What to compare on: the frames that were given, or rendered ones; cut to the size of the input, if it is fixed."""
    fixed = size or card.input_size if card.method == "bottom-up" else None
    return _pictures(fixed) if frames is None else _fit(frames, fixed)


def _pictures(size: tuple[int, int] | None) -> list[NDArray[np.uint8]]:
    from dlclive_core.demo.source import MouseSource

    height, width = size or (480, 640)
    with MouseSource(seed=1, frames=_FRAMES, size=(width, height)) as source:
        source.open()
        return [source.read(1.0).image for _ in range(_FRAMES)]


def _fit(frames: Sequence[NDArray[np.uint8]], size: tuple[int, int] | None) -> Sequence[NDArray[np.uint8]]:
    """Cut frames to a fixed input; a smaller frame cannot be used."""
    if not frames:
        raise UsageError("no frames to compare on")
    if size is None:
        return frames
    height, width = size
    for frame in frames:
        if frame.shape[0] < height or frame.shape[1] < width:
            raise UsageError(
                f"frames of {frame.shape[1]} x {frame.shape[0]} are smaller than the fixed input of {width} x {height}"
            )
    return [np.ascontiguousarray(frame[:height, :width]) for frame in frames]
