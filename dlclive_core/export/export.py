"""Exports a model to another format and verifies that it gives the same poses."""

from __future__ import annotations

import filecmp
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.locate import detector_beside, locate_model
from dlclive_core.errors import DataError, UsageError
from dlclive_core.export import CALIBRATED, check_exporters, choose_frames, find_route, make_exporters
from dlclive_core.export.bounds import bound_for, check_bound
from dlclive_core.export.parity import Parity, answers, compare_answers
from dlclive_core.export.program import answers_of_both, program_target
from dlclive_core.export.rounding import Rounding, measure_rounding
from dlclive_core.machine.file_lock import only_writer
from dlclive_core.machine.files import exists_error, output_folder, take_name
from dlclive_core.models.load import choose_runtime, load_model, model_suffixes
from dlclive_core.models.network import Network
from dlclive_core.plugins.catalog import PluginCatalog


@dataclass(frozen=True, slots=True)
class Export:
    """The files of an export, and their error against the source.

    Attributes:
        target: the file to pass to `load_model`.
        card: its model card.
        parity: distances of its keypoints from the source's, in pixels.
        bound_px: the error bound, `error_px` the error, and `error_label` the statistic of both, for messages.
        bound_confidence: the bound of the 95th percentile of the differences in confidence; infinite where they are not judged.
        rounding: what fp32 leaves open for this network, if that widened the bounds; None if they were kept as they are.
        detector: the detector's file, for top-down models.
        files: all written files, the target last.
    """

    target: Path
    card: ModelCard
    parity: Parity
    bound_px: float
    detector: Path | None = None
    error_px: float = 0.0
    error_label: str = ""
    bound_confidence: float = math.inf
    rounding: Rounding | None = None
    files: tuple[Path, ...] = ()


def export_model(
    source: str | Path,
    target: str | Path,
    *,
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    frames: Sequence[NDArray[np.uint8]] | None = None,
    max_error: float | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    overwrite: bool = False,
    program: str = "",
    catalog: PluginCatalog | None = None,
) -> Export:
    """Export a model and compare both in pixels; `target` is written only if they agree.

    If no exporter converts directly to the target's format and precision, two are chained with a temporary file. Exporters
    write into an empty folder beside the target. The files of the last one are then moved, the target last, so that it never
    exists without the files that belong to it.

    Args:
        source: anything that `load_model` takes.
        target: the file to write; its suffix selects the format. With `program`, the folder to write into; it is created if it
            is missing, and other files in it are left alone.
        precision: "fp32", "fp16", "bf16" or "int8", as far as the exporters to that format support it.
        size: (width, height) to fix the input to.
        frames: (H, W, 3) uint8 RGB images to compare on; by default rendered images of a mouse. Required for int8 and for
            options that calibrate: every fourth frame verifies the export, the others calibrate it.
        max_error: bound in pixels, in place of `dlclive_core.export.BOUNDS`: 0.05 over all keypoints in fp32 (up
            to 0.5 if fp32 itself leaves that much open for the network), 0.25 at the 99th percentile of the confident ones in
            half precision, 0.5 at their 95th percentile for calibrated exports.
        options: options of the exporters' constructors, for example {"frozen_norms": True}; each goes to every exporter that
            has it.
        program: another program that is to run the export, for example "bonsai". It is then compared as this program runs it.

    Raises:
        OutputExistsError: an output file exists and `overwrite` is False.
        DependencyError, ...: a requirement of an exporter is missing; all are checked before the first one starts.
        UsageError: invalid precision, size, options or frames, or no animal in the calibration frames.
        ModelError: the export differs by more than the bound; nothing is written.
    """
    catalog, precision = catalog or PluginCatalog.installed(), precision.lower()
    source, target = locate_model(source, model_suffixes(catalog)), Path(target).expanduser()
    arguments = (precision, size, frames, max_error, options, program, catalog)
    if program:
        folder, target = target, program_target(target, program, catalog)
        with output_folder(folder), only_writer(target):
            return _export(source, target, *arguments, overwrite=overwrite)
    if not target.parent.is_dir():
        raise DataError(f"no such folder: {target.parent}")
    with only_writer(target):
        return _export(source, target, *arguments, overwrite=overwrite)


def _export(
    source: Path,
    target: Path,
    precision: str,
    size: tuple[int, int] | None,
    frames: Sequence[NDArray[np.uint8]] | None,
    max_error: float | None,
    options: Mapping[str, Any],
    program: str,
    catalog: PluginCatalog,
    *,
    overwrite: bool,
) -> Export:
    steps = find_route(catalog, source.suffix.lower(), target.suffix.lower(), precision, program)
    exporters = make_exporters(catalog, steps, options)
    calibrate = precision in CALIBRATED or any(exporter.calibrates for exporter in exporters)
    _check_target(target, source, overwrite=overwrite)
    try:
        folder = tempfile.TemporaryDirectory(prefix=".dlclive-export-", dir=target.parent)
    except OSError as error:
        raise DataError(f"cannot write into {target.parent}: {error.strerror}") from None
    with folder as name, load_model(source, device="cpu", catalog=catalog) as reference:  # in the file's own precision
        check_exporters(exporters, steps, reference.card, size)
        images = choose_frames(reference, frames, size, calibrate=calibrate)
        draft = source
        for number, (step, exporter) in enumerate(zip(steps, exporters, strict=True), 1):
            step_folder = Path(name) / str(number)
            step_folder.mkdir()
            is_last = number == len(steps)
            before, draft = draft, step_folder / (target.name if is_last else target.stem + step.info.writes)
            step_frames = images.for_exporter if is_last or exporter.calibrates else ()
            card = exporter.export(before, draft, precision=step.precision, size=size, frames=step_frames)
        compared = [exporters[-1].shown(image) for image in images.compared]
        seen = None
        with exporters[-1].load(draft) or _load_draft(draft, catalog) as candidate:
            if program:
                poses, found = answers_of_both(reference, candidate, compared, exporters[-1].detection)
                seen = [answer.pose.boxes for answer in found]
            else:
                poses, found = answers(reference, compared), answers(candidate, compared)
            parity = compare_answers(poses, found)
        bound, rounding = bound_for(precision, max_error, calibrated=calibrate), None
        if bound.widens and not bound.is_kept(parity):  # only then, because it takes longer than the rest of the export
            rounding = measure_rounding(source, poses, compared, catalog, seen)
        bound = check_bound(parity, bound, precision, rounding)
        files = _move_files(draft, target, overwrite=overwrite)
    stem = detector_beside(target).stem  # the detector of an engine is still an ONNX file
    return Export(
        target=target,
        card=card,
        parity=parity,
        bound_px=bound.px,
        detector=next((file for file in reversed(files) if file.stem == stem), None),
        error_px=bound.error(parity),
        error_label=bound.label,
        bound_confidence=bound.confidence,
        rounding=rounding,
        files=files,
    )


def _check_target(target: Path, source: Path, *, overwrite: bool) -> None:
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target} is the model itself: choose another name for the export")
    if os.path.lexists(target) and not overwrite:
        raise exists_error(target)


def _load_draft(draft: Path, catalog: PluginCatalog) -> PoseModel:
    """Load the draft on the CPU, or if it cannot run there, on the first device of its runtime."""
    _, info = choose_runtime(draft, None, catalog)
    factory = catalog.factory(info)
    settings = factory.settings(draft) if issubclass(factory, Network) else ()
    devices = [setting.device for setting in settings]
    device = "cpu" if "cpu" in devices or not devices else devices[0]
    return load_model(draft, device=device, catalog=catalog)


def _move_files(draft: Path, target: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Move the files of the draft's folder beside the target, the draft last. Existing files may have the same content.

    If a name is taken meanwhile, the files that were moved before it are removed again.
    """
    drafts = sorted(draft.parent.iterdir(), key=lambda item: (item == draft, item.name))
    files = tuple(target.with_name(item.name) for item in drafts)
    for item, file in zip(drafts, files, strict=True):
        if os.path.lexists(file) and not overwrite and not _is_same(item, file):
            raise exists_error(file)
    moved = []
    for item, file in zip(drafts, files, strict=True):
        try:
            if overwrite:
                item.replace(file)
            else:
                take_name(item, file)
                moved.append(file)
        except FileExistsError:
            if _is_same(item, file):
                continue
            for earlier in moved:
                earlier.unlink()
            raise exists_error(file) from None
        except OSError as error:
            raise DataError(f"cannot write {file}: {error.strerror or error}") from None
    return files


def _is_same(draft: Path, file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and filecmp.cmp(draft, file, shallow=False)
