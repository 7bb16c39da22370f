"""The two container formats of torch.save: a zip archive since 2020, consecutive pickles before."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from dlclive_core import DLCLiveError, ModelError
from dlclive_torch.files.bounded_pickle import MOST_BYTES
from dlclive_torch.files.pickles import RestrictedUnpickler
from dlclive_torch.files.stand_ins import StorageType

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_MOST_DIRECTORY = 4 << 20  # bytes; a network with its optimiser has 10 000 records of a hundred bytes
_DIRECTORY_SIZE = 5  # its place in what zipfile reads at the end of an archive


def read_pt(path: Path) -> Any:
    """Return what torch.save wrote: containers of tensors on the CPU, numbers and strings.

    Raises:
        ModelError: the file cannot be read, is damaged, or is not a PyTorch file.
        UnsafeFileError: the file refers to something other than data.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(4) == _ZIP_MAGIC:
                return _read_zip(path)
            stream.seek(0)
            return _read_legacy(stream, path)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from None


def _read_zip(path: Path) -> Any:
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
            if len(names) != 1:
                raise ModelError(f"{path} is a zip archive, but torch.save did not write it: data.pkl is missing")
            folder = names[0].removesuffix("data.pkl")
            if folder + "constants.pkl" in archive.namelist():
                raise ModelError(f"{path} is a TorchScript program, not a DeepLabCut model; give DeepLabCut's export")
            for name in (names[0], folder + "byteorder"):
                if name in archive.namelist():
                    _check_record(archive.getinfo(name), MOST_BYTES)
            if folder + "byteorder" in archive.namelist() and archive.read(folder + "byteorder") != b"little":
                raise ModelError(f"{path} was written on a big-endian machine, which is not supported")
            storages: dict[str, Tensor] = {}
            left = path.stat().st_size

            def load(kind: StorageType, key: str, count: int) -> Tensor:
                nonlocal left
                if key not in storages:
                    left -= max(0, count) * kind.dtype.itemsize
                    if left < 0:  # records of an archive may overlap
                        raise zipfile.BadZipFile("its storages are larger than the file")
                    storages[key] = _zip_storage(archive, f"{folder}data/{key}", kind, count)
                return storages[key]

            with archive.open(names[0]) as stream:
                return RestrictedUnpickler(stream, path, load).read()
    except DLCLiveError:
        raise
    except Exception as error:  # a damaged archive can raise almost anything: BadZipFile, KeyError, UnicodeDecodeError
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"{path} is truncated or damaged ({reason}); copy or export it again") from None


def _check_directory(path: Path) -> None:
    """Refuse an archive that lists more records than any model has, before they are read."""
    with path.open("rb") as stream:
        end: Any = zipfile._EndRecData(stream)  # type: ignore[attr-defined,unused-ignore]
    if end is not None and end[_DIRECTORY_SIZE] > _MOST_DIRECTORY:
        raise zipfile.BadZipFile(f"its directory is larger than {_MOST_DIRECTORY >> 20} MiB")


def _check_record(record: zipfile.ZipInfo, most: int | None = None) -> None:
    if record.compress_type != zipfile.ZIP_STORED:  # torch.save never compresses, and a bomb does
        raise zipfile.BadZipFile(f"{record.filename} is compressed")
    if most is not None and record.file_size > most:
        raise zipfile.BadZipFile(f"{record.filename} is larger than {most >> 20} MiB")


def _zip_storage(archive: zipfile.ZipFile, name: str, kind: StorageType, count: int) -> Tensor:
    record = archive.getinfo(name)
    _check_record(record)
    if count < 0 or record.file_size < count * kind.dtype.itemsize:
        raise zipfile.BadZipFile(f"{name} is too short")
    return _numbers(archive.read(record), kind, count)


def _read_legacy(stream: IO[bytes], path: Path) -> Any:
    """Read magic number, version, system, the object, the keys of its storages, then the data of each storage."""
    if RestrictedUnpickler(stream, path).read() != _LEGACY_MAGIC:
        raise ModelError(f"{path} is not a PyTorch file; expected a DeepLabCut export or snapshot")
    version = RestrictedUnpickler(stream, path).read()
    system = RestrictedUnpickler(stream, path).read()
    if version != _LEGACY_VERSION or not isinstance(system, dict) or not system.get("little_endian", True):
        raise ModelError(f"{path} was written by an unsupported version or machine; export it again")
    size = left = path.stat().st_size
    storages: dict[str, Tensor] = {}

    def load(kind: StorageType, key: str, count: int) -> Tensor:
        nonlocal left
        if key not in storages:
            left -= max(0, count) * kind.dtype.itemsize
            if count < 0 or left < 0:
                raise pickle.UnpicklingError(f"a storage of {count} numbers in a file of {size} bytes")
            storages[key] = torch.zeros(count, dtype=kind.dtype)
        return storages[key]

    content = RestrictedUnpickler(stream, path, load).read()
    keys = RestrictedUnpickler(stream, path).read()
    if not isinstance(keys, list) or not set(storages) <= {str(key) for key in keys}:
        raise ModelError(f"{path} is damaged: it does not list its storages; copy or export it again")
    for key in keys:
        _fill(storages.get(str(key)), stream, path)
    return content


def _fill(storage: Tensor | None, stream: IO[bytes], path: Path) -> None:
    header = stream.read(8)
    count = struct.unpack("<q", header)[0] if len(header) == 8 else -1
    if storage is None or count != len(storage):
        raise ModelError(f"{path} is truncated or damaged; copy or export it again")
    data = stream.read(count * storage.itemsize)
    if len(data) != count * storage.itemsize:
        raise ModelError(
            f"{path} is truncated: {len(data)} of {count * storage.itemsize} bytes; copy or export it again"
        )
    storage.copy_(_numbers(data, StorageType(storage.dtype), count))


def _numbers(data: bytes, kind: StorageType, count: int) -> Tensor:
    """Convert bytes to numbers. Booleans are not assumed to be stored as 0 and 1."""
    if not count:
        return torch.zeros(0, dtype=kind.dtype)
    raw = torch.uint8 if kind.dtype == torch.bool else kind.dtype
    numbers = torch.frombuffer(bytearray(data), dtype=raw, count=count)
    return numbers != 0 if kind.dtype == torch.bool else numbers
