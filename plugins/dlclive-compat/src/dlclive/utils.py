"""Images and files: the helper functions of deeplabcut-live."""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive.engine import Engine
from dlclive.exceptions import DLCLiveWarning
from dlclive_core import DataError, Resize, UsageError, as_rgb, draft_beside, install_command, swap_red_blue, take_name

_log = logging.getLogger(__name__)

Image = NDArray[np.uint8]


def convert_to_ubyte(frame: NDArray[Any]) -> Image:
    """An image as uint8: float from 0 to 1, or integers up to the largest number of their type. Negative values become 0.

    Raises:
        UsageError: numbers of float are outside -1 to 1.
    """
    image = np.asarray(frame)
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "f":
        if not (abs(image) <= 1).all():  # NaN is not, either
            raise UsageError("numbers of an image of float go from -1 to 1; divide it by the largest")
        return np.rint(255 * image.clip(0, 1)).astype(np.uint8)
    if image.dtype.kind in "iu":
        most = float(np.iinfo(image.dtype).max)
        return (image.astype(np.float64).clip(0, most) * (255 / most)).astype(np.uint8)
    raise UsageError(f"an image of {image.dtype} cannot be converted to uint8")


def resize_frame(frame: Image, resize: float | None = None) -> Image:
    """An image, smaller or larger by a factor, bilinear. The sides become int(side * resize)."""
    return frame if resize is None or resize == 1 else Resize(resize).cut(frame)[0]


def img_to_rgb(frame: Image) -> Image:
    """An (H, W) grey or (H, W, 3) BGR image as RGB. Warns of any other, which is returned unchanged."""
    if frame.ndim == 2:
        return gray_to_rgb(frame)
    if frame.ndim == 3:
        return bgr_to_rgb(frame)
    warnings.warn(
        f"an image with {frame.ndim} dimensions is not converted to RGB; expected (H, W) or (H, W, 3)",
        DLCLiveWarning,
        stacklevel=2,
    )
    return frame


def gray_to_rgb(frame: Image) -> Image:
    """An (H, W) image as (H, W, 3), with three equal channels."""
    return as_rgb(frame)


def bgr_to_rgb(frame: Image) -> Image:
    """An (H, W, 3) image with its channels in reverse order."""
    return swap_red_blue(frame)


def decode_fourcc(cc: Any) -> str:
    """The four characters of OpenCV's number for a codec; "" for what is not one."""
    try:
        return int(cc).to_bytes(4, "little").decode("latin-1")
    except (TypeError, ValueError, OverflowError):
        return ""


def get_available_backends() -> list[Engine]:
    """The libraries for models that are installed, without importing them. TensorFlow is none of them: dlclive does not use it.

    Warns with DLCLiveWarning if there is none.
    """
    modules = {
        Engine.PYTORCH: "torch",
        Engine.ONNX: "onnxruntime",
        Engine.OPENVINO: "openvino",
        Engine.TENSORRT: "tensorrt",
    }
    backends = [engine for engine, module in modules.items() if find_spec(module) is not None]
    if not backends:
        advice = install_command("dlclive-torch")
        warnings.warn(f"no library for models is installed; run: {advice}", DLCLiveWarning, stacklevel=2)
    return backends


def download_file(url: str, filepath: str | Path, chunk_size: int = 8192) -> None:
    """Download a file, unless it exists. An incomplete one never has its name.

    Raises:
        URLError: the server cannot be reached, or refuses.
        DataError: less came than the server had announced.
        OSError: the file cannot be written.
    """
    path = Path(filepath)
    if path.exists():
        _log.info("%s exists and is not downloaded again", path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_beside(path)
    try:
        with urllib.request.urlopen(url) as response, draft.open("wb") as file:  # noqa: S310 - the caller's own address
            announced = int(response.headers.get("Content-Length") or 0)
            while chunk := response.read(chunk_size):
                file.write(chunk)
            size = file.tell()
        if size == 0 or size < announced:
            raise DataError(f"{url}: {size} of {announced} bytes came; try again")
        take_name(draft, path)
    except urllib.error.HTTPError as error:
        raise urllib.error.URLError(f"{url}: {error.code} {error.reason}") from None
    finally:
        draft.unlink(missing_ok=True)
