"""A processor of DeepLabCut-live that lies in a file of the user's, run as it is: `deeplabcut-live:mouse.py::Reward`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dlclive_core import ArrayProcessor, RunInfo, UsageError
from dlclive_processors.deeplabcut_live.processor_file import load_class, loading_error
from dlclive_processors.deeplabcut_live.processor_options import constructor_arguments
from dlclive_processors.deeplabcut_live.saved_file import SavedFile, save_method
from dlclive_processors.deeplabcut_live.stand_in import dlclive_importable


class ProcessorFromFile(ArrayProcessor):
    """Runs a class with `process(pose, **kwargs)` from a `.py` file, as DeepLabCut-live and its GUI do.

    The file is executed when this object is created, to learn the options of the class; see `load_class` for what that means.
    The class is constructed when a run begins, in the thread that calls its `process`, because such constructors open ports.
    For a new run it is constructed anew. At the end, its `stop()` is called, if it has one, and then, with the option `save`,
    its `save(file)`. `ArrayProcessor` says what `process` and `set_dlc_cfg` get.

    Args:
        file: `file.py::Class`, or `file.py` if there is a single processor in it.
        save: the file to write at the end, also of a run that failed.
        overwrite: whether that file may be replaced.
        options: those of the class: declared in its `PROCESSOR_PARAMS`, or else its constructor's. Texts are converted to the
            declared types, or to those of the constructor's annotations or defaults.

    Raises:
        UsageError: the file, the class or an option does not exist, or has a wrong value.
        PluginError, DependencyError, OutputError: the file or the constructor (in `open`) raised.
        OutputExistsError, DataError: `save` cannot be written (in `open`), or was not (in `close`).
    """

    def __init__(self, file: str, *, save: Path | None = None, overwrite: bool = False, **options: Any) -> None:
        self._loaded = load_class(file)
        self._arguments = constructor_arguments(self._loaded.cls, options, self._loaded.where)
        self._file = SavedFile(save, overwrite) if save is not None else None
        self._save: Callable[[str], Any] | None = None
        self._stop: Callable[[], Any] | None = None
        self._saved: int | None = None
        super().__init__(_NotOpen(self._loaded.where))

    @property
    def name(self) -> str:
        return str(self._loaded.cls.__name__)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file of `save`, if it was asked for, and those of a class that names its own."""
        return (*super().outputs, *(() if self._file is None else (self._file.path,)))

    @property
    def statistics(self) -> Mapping[str, float]:
        """The object's own, if it has any, and `files_saved`: how many files its `save` wrote."""
        return {**super().statistics, **({} if self._saved is None else {"files_saved": self._saved})}

    @property
    def close_limit(self) -> float:
        """A minute for an object that writes its file, however long the run was."""
        return super().close_limit if self._file is None else 60.0

    def open(self, run: RunInfo) -> None:
        """Construct the class."""
        self.close()
        self._saved = None
        if self._file is not None:
            self._file.check()
        processor = self._constructed()
        self._adapt(processor)
        stop = getattr(processor, "stop", None)
        self._stop = stop if callable(stop) else None
        save = save_method(processor, self.name) if self._file is not None else None
        super().open(run)
        self._save = save

    def close(self) -> None:
        """Stop the object, and let it write its file. Safe to call twice."""
        stop, self._stop = self._stop, None
        save, self._save = self._save, None
        with ExitStack() as stack:  # all of them, in reverse order, even if one raises
            if save is not None:
                stack.callback(self._write, save)
            stack.callback(super().close)
            if stop is not None:
                stack.callback(stop)

    def _constructed(self) -> Any:
        path = Path(self._loaded.file).expanduser()
        try:
            with dlclive_importable():  # a constructor may import what the file needs
                return self._loaded.cls(**self._arguments)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            raise loading_error(error, f"{self._loaded.where} cannot be created", path) from error

    def _write(self, save: Callable[[str], Any]) -> None:
        assert self._file is not None
        self._saved = 0
        self._saved = len(self._file.write(save, f"{self.name}.save"))


class _NotOpen:
    """In place of the object, before it is constructed."""

    def __init__(self, where: str) -> None:
        self._where = where

    def process(self, pose: Any, **kwargs: Any) -> Any:
        raise UsageError(f"{self._where} is not open; call open() before process(), or run it in a Session")
