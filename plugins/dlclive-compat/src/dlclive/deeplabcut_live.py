"""Writes the distribution `deeplabcut-live` that stands for the original: `python -m dlclive.deeplabcut_live FOLDER`.

Programs that require deeplabcut-live, such as its GUI, are then content with dlclive-compat.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dlclive._installed import THEIRS
from dlclive.version import VERSION
from dlclive_core import DLCLiveError, write_whole

_INFO = f"{THEIRS.replace('-', '_')}-{VERSION}.dist-info"
_METADATA = f"""Metadata-Version: 2.4
Name: {THEIRS}
Version: {VERSION}
Summary: Stands for deeplabcut-live where dlclive-compat is installed
License-Expression: Apache-2.0
Requires-Python: >=3.10
Requires-Dist: dlclive-compat>=0.1.0
Provides-Extra: pytorch
Requires-Dist: dlclive-compat[pytorch]>=0.1.0; extra == 'pytorch'
"""
_WHEEL = """Wheel-Version: 1.0
Generator: dlclive-compat
Root-Is-Purelib: true
Tag: py3-none-any
"""


def write_wheel(folder: Path, *, overwrite: bool = False) -> Path:
    """Write the wheel into a folder, and return its path.

    Raises:
        OutputExistsError: it is there, and `overwrite` is False.
        DataError: it cannot be written.
    """
    path = folder / f"{THEIRS.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    files = {f"{_INFO}/METADATA": _METADATA, f"{_INFO}/WHEEL": _WHEEL}
    record = [f"{name},sha256={_digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{_INFO}/RECORD"] = "\n".join([*record, f"{_INFO}/RECORD,,", ""])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name), text)  # with a fixed date: the same bytes every time
    write_whole(path, content.getvalue(), overwrite=overwrite)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the wheel; print its path to stdout, and what to do with it to stderr."""
    parser = argparse.ArgumentParser(prog="python -m dlclive.deeplabcut_live", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="for the wheel; default: this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace it")
    options = parser.parse_args(arguments)
    try:
        path = write_wheel(options.folder, overwrite=options.overwrite)
    except DLCLiveError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write(f"{path}\n")
    sys.stderr.write(f"now run: {Path(sys.executable).name} -m pip install --no-deps '{path}'\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
