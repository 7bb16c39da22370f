"""Which webcam answers at a number."""

from __future__ import annotations

import os
import re
from pathlib import Path

SYS = Path("/sys/class/video4linux")
_PARTS = ("idVendor", "idProduct", "manufacturer", "product", "serial")


def webcam_identity(device: int | str, folder: Path = SYS) -> str:
    """What tells a webcam from another one: its model and serial number, as Linux knows them; "" where it knows nothing.

    A webcam that vanishes leaves its number to the next one, so the number does not identify it.
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
