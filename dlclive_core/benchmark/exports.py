"""Files for runtimes that do not read the model as it is: each format and precision is exported once, into a folder."""

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

_COMPARED = 6  # frames on which an export is compared: the measurement compares it on all of them
WINDOW = "window"
"""The option of exporters that make a file for windows, too; see `Exports.for_windows`."""

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
    """The files of a model in other formats, made when they are first asked for.

    Their error is not judged here, because the measurement shows it: an export that is far off is a row that says so.

    Args:
        source: the model.
        folder: an empty one that the files may go into.
        frames: of the clip, to compare on.
        calibration: gives frames to calibrate on; called once, when the first file needs them. None: there are none.
        tell: is told, in one line, what takes a while.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        frames: Images,
        calibration: Callable[[], Images] | None,
        catalog: PluginCatalog,
        tell: Callable[[str], None],
    ) -> None:
        self._source, self._folder, self._catalog, self._tell = source, folder, catalog, tell
        self._compared = [frames[place] for place in _spread(len(frames), _COMPARED)]
        self._calibration = calibration
        self._calibrated_on: Images | None = None
        self._made: dict[_Key, Path | Failure] = {}

    def suffix_for(self, info: RuntimeInfo, precision: str) -> str | None:
        """The nearest format that a runtime reads and that can be made in this precision; None if there is none."""
        ways = []
        for place, suffix in enumerate(info.reads):
            try:
                route = find_route(self._catalog, self._source.suffix.lower(), suffix, precision)
            except DLCLiveError:
                continue
            ways.append((len(route), place, suffix))
        return min(ways)[2] if ways else None

    @property
    def can_calibrate(self) -> bool:
        """Whether there are frames to calibrate on."""
        return self._calibration is not None

    def file(self, suffix: str, precision: str, size: tuple[int, int] | None) -> Path:
        """The file in a format and precision; `size` (width, height) counts only for formats of one size.

        Raises what went wrong when it was first asked for: DLCLiveError, MemoryError, or a library's RuntimeError.
        """
        return self._file(_Key(suffix, precision, size if has_fixed_size(suffix, self._catalog) else None))

    def for_windows(self, file: Path, window: tuple[int, int]) -> Path:
        """The same file again, made for windows of (width, height), where that can be; else the file itself."""
        key = next((key for key, made in self._made.items() if made == file), None)
        if key is None or not self.can_calibrate or not self._takes_window(key):
            return file
        try:
            return self._file(replace(key, window=window))
        except (DLCLiveError, MemoryError, RuntimeError) as error:  # often: windows change nothing in this network
            self._tell(f"windows are tried on the file as it is: {one_line(error)}")
            return file

    def _takes_window(self, key: _Key) -> bool:
        route = find_route(self._catalog, self._source.suffix.lower(), key.suffix, key.precision)
        return any(WINDOW in inspect.signature(self._catalog.factory(step.info)).parameters for step in route)

    def _file(self, key: _Key) -> Path:
        if key not in self._made:
            try:
                self._made[key] = self._make(key)
            except (DLCLiveError, MemoryError, RuntimeError) as error:
                self._made[key] = error
        made = self._made[key]
        if isinstance(made, Path):
            return made
        raise made

    def _make(self, key: _Key) -> Path:
        suffix, precision, size = key.suffix, key.precision, key.size
        folder = self._folder / f"{precision}{key.label.replace(' for ', '-').replace(' ', '-')}{suffix}"
        folder.mkdir()
        target = folder / f"{self._source.stem}{suffix}"
        self._tell(f"exporting {self._source.name} to {suffix} in {precision}{key.label}")
        calibrates = precision in CALIBRATED or key.window is not None
        frames = self._frames_to_calibrate() if calibrates else self._compared
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

    def _frames_to_calibrate(self) -> Images:
        if self._calibration is None:
            raise UsageError("int8 is calibrated on a clip of the animal: give a video")
        if self._calibrated_on is None:
            self._tell("reading the video for frames to calibrate on")
            self._calibrated_on = self._calibration()
        return self._calibrated_on


def _spread(length: int, count: int) -> list[int]:
    return np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()
