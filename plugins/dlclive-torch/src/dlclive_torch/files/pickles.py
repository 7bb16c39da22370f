"""A pickle reader that knows a handful of names and refuses all others."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import IO, Any

from dlclive_core import DLCLiveError, ModelError, UnsafeFileError
from dlclive_torch.files.bounded_pickle import BoundedUnpickler
from dlclive_torch.files.stand_ins import Loader, StorageType, stand_in


class RestrictedUnpickler(BoundedUnpickler):
    """Reads one pickle. Every name in it is looked up in `stand_ins`; nothing is imported.

    Args:
        stream: where the pickle begins.
        path: the file, for error messages.
        load: gives a storage's numbers; None where no storages may be.
    """

    def __init__(self, stream: IO[bytes], path: Path, load: Loader | None = None) -> None:
        super().__init__(stream, encoding="utf-8")
        self._path = path
        self._load = load

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of a name; UnsafeFileError if it has none."""
        found = stand_in(module, name)
        if found is None:
            wanted = f"{module}.{name}"[:200]
            raise UnsafeFileError(
                f"{self._path} asks to run {wanted!r} when it is read, which no DeepLabCut model needs; nothing "
                "was run. If you trust it, export the model again with deeplabcut.export_model"
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        """Return the storage that torch.save refers to."""
        kind, storage, key, _, count, *view = pid
        if self._load is None or kind != "storage" or not isinstance(storage, StorageType) or any(view):
            raise pickle.UnpicklingError(f"a reference to {kind!r}")
        return self._load(storage, str(key), int(count))

    def read(self) -> Any:
        """Return what the pickle holds; ModelError if it is damaged."""
        try:
            return self.load()
        except DLCLiveError:
            raise
        except Exception as error:  # a damaged pickle raises nearly anything: IndexError, KeyError, TypeError, ...
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(
                f"{self._path} is damaged or no PyTorch file ({reason}); copy or export it again"
            ) from None
