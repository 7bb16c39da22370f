"""A pickle reader that accepts a fixed set of names and rejects all others."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import IO, Any

from dlclive_core import DLCLiveError, ModelError, UnsafeFileError
from dlclive_torch.files.bounded_pickle import BoundedUnpickler
from dlclive_torch.files.stand_ins import Loader, StorageType, stand_in


class RestrictedUnpickler(BoundedUnpickler):
    """Reads one pickle. Looks up every name in `stand_ins` and imports nothing.

    Args:
        stream: positioned at the beginning of the pickle.
        path: the file, for error messages.
        load: returns the data of a storage; None if the pickle must not refer to storages.
    """

    def __init__(self, stream: IO[bytes], path: Path, load: Loader | None = None) -> None:
        super().__init__(stream, encoding="utf-8")
        self._path = path
        self._load = load

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name; UnsafeFileError if it has none."""
        substitute = stand_in(module, name)
        if substitute is None:
            function = f"{module}.{name}"[:200]
            raise UnsafeFileError(
                f"{self._path} would run {function!r} when read, which no DeepLabCut model needs; nothing was "
                "run. If you trust the file, export the model again with deeplabcut.export_model"
            )
        return substitute

    def persistent_load(self, pid: Any) -> Any:
        """Return the storage that torch.save refers to."""
        kind, storage, key, _, count, *view = pid
        if self._load is None or kind != "storage" or not isinstance(storage, StorageType) or any(view):
            raise pickle.UnpicklingError(f"a reference to {kind!r}")
        return self._load(storage, str(key), int(count))

    def read(self) -> Any:
        """Return the content of the pickle; ModelError if it is damaged."""
        try:
            return self.load()
        except DLCLiveError:
            raise
        except Exception as error:  # a damaged pickle can raise almost anything: IndexError, KeyError, TypeError, ...
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(
                f"{self._path} is damaged or not a PyTorch file ({reason}); copy or export it again"
            ) from None
