"""What people have labelled in the DeepLabCut project of the teacher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dlclive_io import ImageFolder
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    DLCLiveError,
    FormatInfo,
    ModelCard,
    ModelError,
    PluginCatalog,
    SourceError,
    TableFormat,
    UsageError,
    as_rgb,
)
from dlclive_core.runtimes import LABELLED_DATA, LabellingProject

_CONFIG = "config.yaml"
_LABELS = "CollectedData_*"
_NUMBER = re.compile(r"(\d+)\.[A-Za-z0-9]+$")


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture, and where people see its animals' keypoints: (A, K, 2) float32 in pixels, NaN where they do not."""

    path: Path
    keypoints: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HumanLabels:
    """The labelled images of a project.

    Attributes:
        project: its folder.
        images: with the teacher's keypoints, in the teacher's order.
    """

    project: Path
    images: tuple[LabelledImage, ...]

    def pictures(self, size: tuple[int, int]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]] | None]:
        """Yield each image of this (width, height), (H, W, 3) uint8 RGB, with its keypoints; None for one that is no use."""
        for image in self.images:
            pixels = _picture(image.path)
            fits = pixels is not None and (pixels.shape[1], pixels.shape[0]) == size
            yield (pixels, image.keypoints) if pixels is not None and fits else None


def find_labels(model: Path, card: ModelCard, project: Path | None) -> HumanLabels | None:
    """Read the labels of a project: the one that is given, or else the one around the model, if its keypoints are the model's.

    Args:
        model: the teacher's file.
        card: the teacher's facts.
        project: folder of a project, or its `config.yaml`; None: look for it.

    Returns:
        None if no project was given and none is there.

    Raises:
        UsageError: the project that was given is not one, or has other keypoints.
        DataError, ModelError: it cannot be read.
    """
    if project is not None:
        return _read(_folder(project), card)
    for folder in model.absolute().parents:
        if (folder / _CONFIG).is_file() and (folder / LABELLED_DATA).is_dir():
            try:
                labels = _read(folder, card)
            except DLCLiveError:  # nobody asked for it
                return None
            return labels if labels.images else None
    return None


def _folder(project: Path) -> Path:
    folder = project.expanduser()
    folder = folder.parent if folder.name == _CONFIG else folder
    if not (folder / _CONFIG).is_file():
        raise UsageError(f"{project} is not a DeepLabCut project: give the folder that holds its {_CONFIG}")
    return folder


def _read(folder: Path, card: ModelCard) -> HumanLabels:
    try:
        facts = LabellingProject.read(folder)
    except ModelError as error:
        raise UsageError(str(error)) from None
    names = card.skeleton.keypoints
    missing = [name for name in names if name not in facts.keypoints]
    if missing:
        raise UsageError(
            f"{facts.config} has no keypoint {missing[0]!r}, which the teacher finds: give the project that the teacher was "
            "trained in"
        )
    images = [
        image
        for video in sorted((folder / LABELLED_DATA).glob("*"))
        if video.is_dir()
        for image in _images_of_video(video, names, several=len(card.individuals) > 1)
    ]
    return HumanLabels(folder, tuple(images))


def _images_of_video(folder: Path, names: tuple[str, ...], *, several: bool) -> Iterator[LabelledImage]:
    """The labelled images in a folder of `labeled-data`, each once: of `.h5`, or else `.csv`."""
    tables = sorted(folder.glob(f"{_LABELS}.h5")) or sorted(folder.glob(f"{_LABELS}.csv"))
    pictures: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _NUMBER.search(path.name)
        if match is not None and not path.name.startswith(".") and path not in tables:
            pictures.setdefault(int(match[1]), path)
    for table in tables[:1]:
        recording = _format().read(table)
        points = recording.info.card.skeleton.keypoints
        missing = [name for name in names if name not in points]
        if missing:
            raise DataError(f"{table} has no keypoint {missing[0]!r}, which the teacher finds")
        if len(recording.info.card.individuals) > 1 and not several:
            raise DataError(f"{table} has several animals, and the teacher finds one")
        order = [points.index(name) for name in names]
        for rows in recording.blocks():
            for number, keypoints in zip(rows.numbers, rows.keypoints, strict=True):
                path = pictures.get(int(number), folder / f"img{int(number)}.png")
                yield LabelledImage(path, keypoints[:, order, :2].astype(np.float32))


def _format() -> TableFormat:
    table: TableFormat = PluginCatalog.installed().build(FormatInfo, "deeplabcut")
    return table


def _picture(path: Path) -> NDArray[np.uint8] | None:
    try:
        with ImageFolder(path) as source:
            source.open()
            return as_rgb(source.read(1.0).image)
    except (DataError, SourceError):
        return None
