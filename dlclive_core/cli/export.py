"""`dlclive export`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dlclive_core.cli.argument_order import check_export_order
from dlclive_core.cli.arguments import parse_named_values
from dlclive_core.cli.output import print_json, stdout, warn
from dlclive_core.cli.picture_shape import shape_warning
from dlclive_core.errors import UsageError
from dlclive_core.export import BOUND_BOX_PX, CALIBRATED
from dlclive_core.export.bounds import weak_comparison
from dlclive_core.export.export import export_model
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.spread_frames import spread_frames

_COMPARED = 20
_CALIBRATED = 132  # every fourth frame verifies the export, the others calibrate it


def run_export(
    model: str,
    target: Path,
    precision: str,
    size: str | None,
    video: Path | None,
    max_error: float | None,
    settings: Sequence[str],
    *,
    program: str = "",
    overwrite: bool,
    json: bool,
) -> None:
    """Export, compare both models, and print their differences."""
    options = parse_named_values(settings, "--exporter-option", "an exporter option", "frozen_norms=true")
    catalog = PluginCatalog.installed()
    check_export_order(model, target, catalog)
    program = program.strip().lower()
    clip = None if video is None else source_for(video, catalog)
    precision = precision.lower()
    frame_count = _CALIBRATED if precision in CALIBRATED or options else _COMPARED
    width_height = None if size is None else parse_size(size, "--size")
    images = None if clip is None else spread_frames(clip, frame_count)
    if width_height is not None and images:
        picture = (images[0].shape[1], images[0].shape[0])
        line = shape_warning("--size", width_height, picture, "makes a model that refuses whole pictures")
        if line:
            warn(line)
    export = export_model(
        model,
        target,
        precision=precision,
        size=width_height,
        frames=images,
        max_error=max_error,
        options=options,
        overwrite=overwrite,
        program=program,
        catalog=catalog,
    )
    parity = export.parity
    if warning := weak_comparison(parity):
        warn(f"warning: {warning}")
    if json:
        facts = {
            "target": str(export.target),
            "files": [str(file) for file in export.files],
            "detector": None if export.detector is None else str(export.detector),
            "error_px": export.error_px,
            "bound_px": export.bound_px,
            "measured": export.error_label,
            "bound_confidence": export.bound_confidence,
            "rounding": None if export.rounding is None else asdict(export.rounding),
            "warning": warning,
        }
        print_json({**facts, **asdict(parity), "card": asdict(export.card)})
        return
    size_mb = sum(file.stat().st_size for file in export.files if file != export.detector) / 1e6
    stdout().print(
        f"{export.target} ({size_mb:.1f} MB, {export.card.precision}): differs from its source by {export.error_px:.4f} px "
        f"{export.error_label} (allowed: {export.bound_px:.2g} px); largest difference {parity.max_px:.4f} px, "
        f"{parity.max_confident_px:.4f} px over confident keypoints ({parity.confident} of {parity.keypoints} keypoints, "
        f"{parity.images} frames), {parity.max_confidence:.1e} in confidence",
        markup=False,
    )
    if program:
        names = " and ".join(file.name for file in reversed(export.files))
        stdout().print(f"For {program}: {names} in {export.target.parent}; keep the files together", markup=False)
    if export.rounding is not None:
        stdout().print(f"The bound is wider than usual: {export.rounding}", markup=False)
    if export.detector is not None:
        stdout().print(
            f"{export.detector} ({export.detector.stat().st_size / 1e6:.1f} MB): its detector; keep both files "
            f"together; boxes differ by {parity.box_px:.4f} px ({parity.boxes} boxes; allowed: {BOUND_BOX_PX} px)",
            markup=False,
        )


def parse_size(text: str, option: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT to (width, height) in pixels. Raises UsageError, naming the option."""
    match = re.fullmatch(r"(\d+)\s*[xX,]\s*(\d+)", text.strip())
    if match is None or int(match[1]) < 1 or int(match[2]) < 1:
        raise UsageError(f"{option} takes WIDTHxHEIGHT, for example 320x240; got {text!r}")
    return int(match[1]), int(match[2])
