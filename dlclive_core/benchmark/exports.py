"""Exported files for runtimes that do not read the model's format; each format and precision is exported once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core.errors import DLCLiveError, UsageError, one_line
from dlclive_core.export import CALIBRATED, find_route
from dlclive_core.export.export import export_model
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.model_formats import has_fixed_size

_COMPARED = 6  # frames to verify an export on; the measurement compares it on all frames
WINDOW = "window"
"""The option of exporters that can make a file for windows; see `Exports.for_windows`."""

Images = Sequence[NDArray[np.uint8]]
Failure = DLCLiveError | MemoryError | RuntimeError


@dataclass(frozen=True, slots=True)
class _Key:
    suffix: str
    precision: str
    size: tuple[int, int] | None
    window: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        sized = "" if self.size is None else f" for {self.size[0]}x{self.size[1]}"
        return sized + ("" if self.window is None else " for windows")


class Exports:
    """The exported files of a model, created on first use.

    Exports are not checked against an error bound; the measurement shows their error.

    Args:
        source: the model.
        folder: an empty folder for the files.
        frames: frames of the clip to verify exports on.
        calibration: returns frames to calibrate on; called once, for the first file that needs them. None if there are none.
        report_step: receives a line before each slow step.
        may_begin: whether there is time for another export. Without it, every file that is not there yet fails.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        frames: Images,
        calibration: Callable[[], Images] | None,
        catalog: PluginCatalog,
        report_step: Callable[[str], None],
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_begin = may_begin
        self._source, self._folder, self._catalog, self._report_step = source, folder, catalog, report_step
        self._compared = [frames[index] for index in _spread(len(frames), _COMPARED)]
        self._calibration = calibration
        self._calibration_frames: Images | None = None
        self._results: dict[_Key, Path | Failure] = {}

    def suffix_for(self, info: RuntimeInfo, precision: str) -> str | None:
        """The format with the shortest export route that a runtime reads in this precision; None if there is none."""
        routes = []
        for rank, suffix in enumerate(info.reads):
            try:
                route = find_route(self._catalog, self._source.suffix.lower(), suffix, precision)
            except DLCLiveError:
                continue
            routes.append((len(route), rank, suffix))
        return min(routes)[2] if routes else None

    @property
    def can_calibrate(self) -> bool:
        """Whether there are frames to calibrate on."""
        return self._calibration is not None

    def file(self, suffix: str, precision: str, size: tuple[int, int] | None) -> Path:
        """The file in a format and precision; `size` (width, height) applies only to formats with a fixed input size.

        Raises the error of the export, also on later calls: DLCLiveError, MemoryError, or a library's RuntimeError.
        """
        return self._file(_Key(suffix, precision, size if has_fixed_size(suffix, self._catalog) else None))

    def for_windows(self, file: Path, window: tuple[int, int]) -> Path:
        """A variant of an exported file for windows of (width, height), or the file itself if there can be no variant."""
        key = next((key for key, result in self._results.items() if result == file), None)
        if key is None or not self.can_calibrate or not self._takes_window(key):
            return file
        try:
            return self._file(replace(key, window=window))
        except (
            DLCLiveError,
            MemoryError,
            RuntimeError,
        ) as error:  # often because windows change nothing in this network
            self._report_step(f"no separate file for windows: {one_line(error)}")
            return file

    def _takes_window(self, key: _Key) -> bool:
        route = find_route(self._catalog, self._source.suffix.lower(), key.suffix, key.precision)
        return any(WINDOW in inspect.signature(self._catalog.factory(step.info)).parameters for step in route)

    def _file(self, key: _Key) -> Path:
        if key not in self._results:
            try:
                self._results[key] = self._export(key)
            except (DLCLiveError, MemoryError, RuntimeError) as error:
                self._results[key] = error
        result = self._results[key]
        if isinstance(result, Path):
            return result
        raise result

    def _export(self, key: _Key) -> Path:
        if not self._may_begin():
            raise UsageError("not exported, as the time was over: increase --seconds")
        suffix, precision, size = key.suffix, key.precision, key.size
        folder = self._folder / f"{precision}{key.label.replace(' for ', '-').replace(' ', '-')}{suffix}"
        folder.mkdir()
        target = folder / f"{self._source.stem}{suffix}"
        self._report_step(f"exporting {self._source.name} to {suffix} in {precision}{key.label}")
        calibrates = precision in CALIBRATED or key.window is not None
        frames = self._read_calibration_frames() if calibrates else self._compared
        export_model(
            self._source,
            target,
            precision=precision,
            size=size,
            frames=frames,
            max_error=float("inf"),
            options={} if key.window is None else {WINDOW: key.window},
            catalog=self._catalog,
        )
        return target

    def _read_calibration_frames(self) -> Images:
        if self._calibration is None:
            raise UsageError("int8 needs calibration: pass a video of the animal")
        if self._calibration_frames is None:
            self._report_step("reading calibration frames from the video")
            self._calibration_frames = self._calibration()
        return self._calibration_frames


def _spread(length: int, count: int) -> list[int]:
    return np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()
