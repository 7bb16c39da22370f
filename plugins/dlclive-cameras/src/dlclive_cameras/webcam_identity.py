"""Identifies the webcam behind a device number."""

from __future__ import annotations

import os
import re
from pathlib import Path

SYS = Path("/sys/class/video4linux")
_PARTS = ("idVendor", "idProduct", "manufacturer", "product", "serial")


def webcam_identity(device: int | str, folder: Path = SYS) -> str:
    """A webcam's model and serial number, as far as Linux knows them; "" if unknown.

    The number alone is not enough: when a webcam vanishes, the next one takes its number.
    """
    number = re.search(r"(\d+)$", str(device) if isinstance(device, int) else os.path.realpath(device))
    if number is None:
        return ""
    node = folder / f"video{number[1]}"
    usb = (node / "device").resolve().parent  # the device is one interface of the camera
    texts = [_text(node / "name"), *(_text(usb / part) for part in _PARTS)]
    return " ".join(text for text in texts if text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
