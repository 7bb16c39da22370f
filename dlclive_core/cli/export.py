"""`dlclive export`."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.catalog import PluginCatalog
from dlclive_core.cli.output import print_json, stdout
from dlclive_core.errors import EndOfStream, UsageError
from dlclive_core.export import BOUND_BOX_PX, export_model
from dlclive_core.frame import as_rgb
from dlclive_core.sources import source_for

_FRAMES = 10


def run_export(
    model: str,
    target: Path,
    precision: str,
    size: str | None,
    frames: Path | None,
    max_error: float | None,
    *,
    overwrite: bool,
    json: bool,
) -> None:
    """Export, compare, and say how near the two are."""
    catalog = PluginCatalog.installed()
    export = export_model(
        model,
        target,
        precision=precision,
        size=None if size is None else parse_size(size, "--size", "HEIGHTxWIDTH"),
        frames=None if frames is None else _first_frames(frames, catalog),
        max_error=max_error,
        overwrite=overwrite,
        catalog=catalog,
    )
    parity = export.parity
    if json:
        detector = None if export.detector is None else str(export.detector)
        facts = {"target": str(export.target), "detector": detector, "bound_px": export.bound_px, **asdict(parity)}
        print_json({**facts, "card": asdict(export.card)})
        return
    stdout().print(
        f"{export.target} ({export.target.stat().st_size / 1e6:.1f} MB, {export.card.precision}): largest difference "
        f"{parity.max_px:.4f} px, {parity.max_confident_px:.4f} px where confidence is over 0.6 "
        f"({parity.confident} of {parity.keypoints} keypoints, {parity.images} frames; allowed {export.bound_px} px), "
        f"{parity.max_confidence:.1e} in confidence",
        markup=False,
    )
    if export.detector is not None:
        stdout().print(
            f"{export.detector} ({export.detector.stat().st_size / 1e6:.1f} MB): its detector, to be kept beside it; boxes "
            f"within {parity.box_px:.4f} px ({parity.boxes} boxes; allowed {BOUND_BOX_PX} px)",
            markup=False,
        )


def parse_size(text: str, option: str, form: str) -> tuple[int, int]:
    """Two whole numbers with an x between them."""
    match = re.fullmatch(r"(\d+)\s*[xX,]\s*(\d+)", text.strip())
    if match is None or int(match[1]) < 1 or int(match[2]) < 1:
        raise UsageError(f"{option} takes {form}, for example 240x320; got {text!r}")
    return int(match[1]), int(match[2])


def _first_frames(path: Path, catalog: PluginCatalog) -> list[NDArray[np.uint8]]:
    images: list[NDArray[np.uint8]] = []
    with source_for(path, catalog) as source:
        source.open()
        try:
            while len(images) < _FRAMES:
                images.append(as_rgb(source.read(1.0).image))
        except EndOfStream:
            pass
    return images
