"""Downloads the videos and models of DeepLabCut-live's benchmark."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from dlclive.applications.messages import tell
from dlclive_core import DataError, SourceError, UsageError, draft_beside, take_name

DATA_URL = "https://huggingface.co/datasets/mwmathis/DLCspeed_benchmarking/resolve/main/Data-DLC-live-benchmark.zip"
_NAME = "Data-DLC-live-benchmark"
MOST_BYTES = 20_000_000_000  # of the archive, and of what it holds
_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds of silence


def download_benchmarking_data(target_dir: str | Path = ".", url: str = DATA_URL) -> None:
    """Download `Data-DLC-live-benchmark.zip` into a folder, unless it is there, and extract it.

    Args:
        target_dir: created if needed; its parent, if the folder itself is called Data-DLC-live-benchmark.
        url: http or https.

    Raises:
        SourceError: the archive cannot be downloaded.
        DataError: it is damaged or too large, or cannot be written.
    """
    folder = Path(target_dir)
    if folder.name == _NAME:
        folder = folder.parent
    archive = folder / f"{_NAME}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if archive.exists():
            tell(f"{archive} exists: not downloaded again")
        else:
            _download(url, archive)
        _extract(archive, folder)
    except OSError as error:
        raise DataError(f"cannot write into {folder}: {error.strerror or error}") from None


def _download(url: str, archive: Path) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    if not url.startswith(("https://", "http://")):
        raise UsageError(f"{url} is not an address of http or https")
    tell(f"downloading {url}")
    draft = draft_beside(archive)
    try:
        try:
            with urlopen(url, timeout=_TIMEOUT) as answer, draft.open("wb") as file:  # noqa: S310 - checked above
                _copy(answer, file, f"{url} is larger than {MOST_BYTES} bytes", MOST_BYTES)
        except (URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", None) or error
            raise SourceError(
                f"{url} cannot be downloaded: {reason}; without a network, copy the file to {archive} and call this again"
            ) from None
        take_name(draft, archive)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _extract(archive: Path, folder: Path) -> None:
    """Extract the archive beside itself; nothing is written outside the folder, and no file is replaced by another one."""
    root = folder.resolve()
    try:
        with zipfile.ZipFile(archive) as packed:
            left = MOST_BYTES
            for entry in packed.infolist():
                path = (root / entry.filename).resolve()
                if not path.is_relative_to(root):
                    raise DataError(f"{archive} would write {entry.filename}, outside {folder}: it was not extracted")
                if entry.is_dir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                if path.exists():
                    if path.is_file() and path.stat().st_size == entry.file_size:
                        continue
                    raise DataError(
                        f"{path} exists and is not the file of the archive: move it away, and call this again"
                    )
                path.parent.mkdir(parents=True, exist_ok=True)
                left -= _extract_file(packed, entry, path, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(f"{archive} cannot be extracted: {error}; delete it, and download it again") from None


def _extract_file(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, left: int) -> int:
    draft = draft_beside(path)
    try:
        with packed.open(entry) as content, draft.open("wb") as file:
            written = _copy(content, file, f"the archive holds more than {MOST_BYTES} bytes", left)
        take_name(draft, path)
        return written
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _copy(content: IO[bytes], file: IO[bytes], too_large: str, most: int) -> int:
    """Copy, up to a limit; what the other side declares does not count."""
    copied = 0
    while block := content.read(_BLOCK):
        copied += len(block)
        if copied > most:
            raise DataError(too_large)
        file.write(block)
    return copied
