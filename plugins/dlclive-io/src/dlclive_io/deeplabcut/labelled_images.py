"""Frame numbers of labelled images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_io.deeplabcut.shown_names import shown_names

MOST_LABELS = 100_000

_NUMBER = re.compile(r"(\d{1,15})\.[A-Za-z0-9]+$")


def frames_of_images(path: Path, images: Sequence[str]) -> tuple[NDArray[np.int64], str]:
    """The frame numbers in the names of images, and the name of their video: `labeled-data/video/img0123.png` is frame 123.

    Raises:
        DataError: a name has no number, or two have the same; they are of several videos.
    """
    names = [image.replace("\\", "/") for image in images]
    folders = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
    if len(folders) > 1:
        raise DataError(
            f"{path} has labelled images of several videos ({shown_names(folders, 2)}, ...), and a recording is of one: "
            "convert the CollectedData file in the folder of each video"
        )
    numbers = []
    for name in names:
        match = _NUMBER.search(name.rpartition("/")[2])
        if match is None:
            raise DataError(f"{path} has the image {shown_names([name])}, without a frame number such as img0123.png")
        numbers.append(int(match[1]))
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise DataError(f"{path} has two images of frame {twice}")
    return np.array(numbers, np.int64), folders[0].rpartition("/")[2] if folders else ""
