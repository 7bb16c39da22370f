"""A folder of kept frames that is consistent at every moment, also after `kill -9`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, ModelCard, ModelError, RunInfo, swap_red_blue, write_whole
from dlclive_core.runtimes import json_text
from dlclive_io.outliers.kept_frame import FACTS, PICTURE, KeptFrame, is_frame_name
from dlclive_io.output_file import reason

HEADER, TABLE = "outliers.json", "outliers.csv"
FORMAT = "dlclive outliers"
_VERSION = 1
_LARGEST = 16 << 20  # bytes of a JSON
_FASTEST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
_DRAFT = re.compile(r"(img\d{8,}\.(png|json)|outliers\.(json|csv))\.[0-9a-f]{8}\.part")


@dataclass(slots=True)
class FrameFolder:
    """Kept frames on the disk: for each a picture and a JSON of the same name.

    The picture is written first and removed last, both in one step of the file system, so a JSON always has its whole
    picture. A picture without JSON is what a kill left, and is not looked at. `outliers.json` describes the run.

    Attributes:
        path: of the folder.
        header: the description of the run.
    """

    path: Path
    header: dict[str, Any] = field(default_factory=dict)

    def begin(self, run: RunInfo, options: dict[str, Any]) -> None:
        """Describe the run. Raises DataError."""
        self.header = {
            "format": FORMAT,
            "version": _VERSION,
            "source": run.source,
            "name": run.name,
            "is_live": run.is_live,
            "frame_count": run.frame_count,
            "started_at": run.started_at.isoformat(),
            "options": options,
            "card": json.loads(run.card.to_json()),
        }
        self._write_header()

    def end(self, frame_count: int) -> None:
        """Note how many frames the source had. Raises DataError."""
        self.header["frame_count"] = max(frame_count, self.header.get("frame_count") or 0)
        self._write_header()

    def write(self, kept: KeptFrame) -> None:
        """Write a frame, and forget its image. Raises DataError."""
        assert kept.image is not None
        write_whole(self.path / f"{kept.name}{PICTURE}", _png(kept.image))
        write_whole(self.path / f"{kept.name}{FACTS}", json_text(kept.facts(), indent=None))
        kept.image = None

    def remove(self, kept: KeptFrame) -> None:
        """Remove a frame. Raises DataError."""
        try:
            for suffix in (FACTS, PICTURE):
                (self.path / f"{kept.name}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"cannot write into {self.path}: {reason(error)}") from error

    def clear(self) -> None:
        """Remove everything that a run left here, and nothing else. Raises OSError."""
        for path in [path for path in self.path.iterdir() if _is_ours(path)]:
            path.unlink()

    @property
    def is_used(self) -> bool:
        """Whether a run has kept frames here."""
        return self.path.is_dir() and any(
            path.suffix == PICTURE and is_frame_name(path.stem) for path in self.path.iterdir()
        )

    @classmethod
    def read(cls, path: Path) -> FrameFolder:
        """Read the description of the run. Raises DataError."""
        file = path / HEADER
        values = _json(file)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise DataError(f"{file} is not the description of a folder of the sink 'outliers'")
        if values.get("version") != _VERSION:
            raise DataError(f"{file} was written by a newer dlclive: update dlclive-io")
        return cls(path, values)

    @property
    def card(self) -> ModelCard:
        """Of the run's model. Raises DataError."""
        try:
            return ModelCard.from_json(json.dumps(self.header.get("card")), str(self.path / HEADER))
        except ModelError as error:
            raise DataError(str(error)) from None

    @property
    def started_at(self) -> datetime | None:
        """When the run began, with time zone."""
        with suppress(TypeError, ValueError):
            return datetime.fromisoformat(self.header["started_at"])
        return None

    @property
    def frame_count(self) -> int:
        """How many frames the source had, as far as it is known."""
        count = self.header.get("frame_count")
        return count if isinstance(count, int) and 0 < count < 1 << 53 else 0

    def frames(self, card: ModelCard) -> Iterator[KeptFrame | Path]:
        """Yield the frames in order, without images; for one whose JSON cannot be read, the path of that."""
        for file in sorted(self.path.glob(f"img*{FACTS}"), key=lambda file: (len(file.stem), file.stem)):
            if not is_frame_name(file.stem):
                continue
            try:
                kept = KeptFrame.from_facts(_json(file), card)
            except (DataError, ValueError, TypeError, KeyError, OverflowError):
                yield file
                continue
            yield kept if kept.name == file.stem else file

    def _write_header(self) -> None:
        write_whole(self.path / HEADER, json_text(self.header) + "\n")


def read_png(path: Path) -> NDArray[np.uint8] | None:
    """The pixels as they are in the file, in OpenCV's order of colours; None for a file that is not a whole picture."""
    try:
        data = np.fromfile(path, np.uint8)
        with _quiet():
            image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)


def picture_fault(path: Path) -> str:
    """Why `read_png` does not read a picture."""
    try:
        return "is not a whole picture" if path.stat().st_size else "is empty"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {reason(error)}"


def facts_fault(path: Path) -> str:
    """Why `FrameFolder.frames` does not read the JSON of a frame."""
    try:
        if not path.stat().st_size:
            return "is empty"
        _json(path)
    except OSError as error:
        return f"cannot be read: {reason(error)}"
    except DataError:
        return "is not JSON"
    return "does not describe a frame of this run"


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV writes to standard error what it thinks of a damaged picture; our own line says it."""
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)


def _png(image: NDArray[np.uint8]) -> bytes:
    """Without loss, quickly; a grey image has one channel."""
    pixels = image if image.ndim == 2 else swap_red_blue(image)  # OpenCV's order is BGR
    done, data = cv2.imencode(PICTURE, pixels, _FASTEST)
    if not done:
        raise DataError(f"an image of {image.shape} cannot be written as PNG")
    return data.tobytes()


def _json(path: Path) -> Any:
    """The content of a JSON file. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise DataError(f"{path} is too large: more than {_LARGEST >> 20} MiB")
        return json.loads(data)
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {reason(error)[:200]}") from None


def _is_ours(path: Path) -> bool:
    own = path.name == HEADER or (path.suffix in (PICTURE, FACTS) and is_frame_name(path.stem))
    return (own or _DRAFT.fullmatch(path.name) is not None) and (path.is_symlink() or path.is_file())


def make_folder(path: Path) -> None:
    """Create the folder, not its parents. Raises DataError."""
    if not path.parent.is_dir():
        raise DataError(f"cannot write {path}: no folder {path.parent}; create it first")
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {path}: {reason(error)}") from None
