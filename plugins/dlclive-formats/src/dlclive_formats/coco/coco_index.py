"""What a COCO file has and where, from one pass through it: a few numbers for each image and annotation."""

from __future__ import annotations

import re
from array import array
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError
from dlclive_formats.coco.coco_writer import FACTS
from dlclive_formats.json_elements import Element, elements
from dlclive_formats.points import is_number

MOST = 10_000_000
"""Images, and annotations: about 30 hours at 100 frames per second."""

LAST_NUMBER = 1 << 62

_MOST_CATEGORIES = 1000
_NUMBER = re.compile(r"\d+")


class CocoIndex:
    """The images, categories and annotations of a file.

    Attributes:
        facts: what dlclive wrote of the recording; None in a file of another program.
        is_results: whether the file is a bare list of results.
        categories: those with keypoints, by id.
        image_ids, file_numbers, seconds: of each image: its id, the last number in its file's name (-1: none), its time
            (NaN: none).
        sizes: the (width, height) of images.
        images, category_ids, tracks, points, starts, lengths: of each annotation with keypoints: ids of its image, its
            category and its track (0: none); the number of its keypoints; its place in the file.

    Raises:
        DataError: it is not JSON, or not of this format, or larger than `MOST`.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._path = path
        self.facts: Any = None
        self.is_results = False
        self.categories: dict[int, dict[str, Any]] = {}
        self.sizes: set[tuple[int, int]] = set()
        images: tuple[array[Any], ...] = (array("q"), array("q"), array("d"))
        found = tuple(array("q") for _ in range(6))
        for element in elements(file, path):
            if element.key in ("", "annotations"):
                self.is_results |= not element.key
                self._add(element, found)
            elif element.key == "images":
                self._add_image(element, images)
            elif element.key == "categories":
                self._add_category(element)
            elif element.key == "info" and isinstance(element.value, dict):
                self.facts = element.value.get(FACTS)
        self.image_ids, self.file_numbers = (np.array(values, np.int64) for values in images[:2])
        self.seconds: NDArray[np.float64] = np.array(images[2], np.float64)
        self.images, self.category_ids, self.tracks, self.points, self.starts, self.lengths = (
            np.array(values, np.int64) for values in found
        )

    def error(self, element: Element, problem: str) -> DataError:
        where = {"images": "an image", "categories": "a category"}.get(element.key, "an annotation")
        return DataError(f"{self._path}: {where} {problem}, at byte {element.start}")

    def _add(self, element: Element, found: tuple[array[int], ...]) -> None:
        annotation = self._object(element)
        image = self._integer(element, "image_id", 0)
        category = self._integer(element, "category_id", 0) if "category_id" in annotation else 1
        keypoints = annotation.get("keypoints")
        if keypoints is None or annotation.get("iscrowd") == 1:  # a box alone, or a crowd, in which no animal is one
            return
        if not isinstance(keypoints, list) or not keypoints or len(keypoints) % 3:
            raise self.error(element, "has keypoints that are not x, y and visibility of each")
        if len(found[0]) == MOST:
            raise DataError(f"{self._path} has more than {MOST} annotations: divide it")
        track = annotation.get("track_id")
        track = track if type(track) is int and 0 < track < LAST_NUMBER else 0
        for values, value in zip(
            found, (image, category, track, len(keypoints) // 3, element.start, element.length), strict=True
        ):
            values.append(value)

    def _add_image(self, element: Element, images: tuple[array[Any], ...]) -> None:
        image = self._object(element)
        if len(images[0]) == MOST:
            raise DataError(f"{self._path} has more than {MOST} images: divide it")
        images[0].append(self._integer(element, "id", 0))
        numbers = _NUMBER.findall(str(image.get("file_name", ""))[-200:])
        images[1].append(int(numbers[-1]) if numbers and len(numbers[-1]) < 19 else -1)
        seconds: Any = image.get("seconds")
        images[2].append(float(seconds) if is_number(seconds) else np.nan)
        width, height = image.get("width"), image.get("height")
        if type(width) is int and type(height) is int and width > 0 and height > 0 and len(self.sizes) < 2:
            self.sizes.add((width, height))

    def _add_category(self, element: Element) -> None:
        category = self._object(element)
        if len(self.categories) == _MOST_CATEGORIES:
            raise DataError(f"{self._path} has more than {_MOST_CATEGORIES} categories")
        names = category.get("keypoints")
        if names:
            if not isinstance(names, list):
                raise self.error(element, "has keypoints that are not a list of names")
            self.categories[self._integer(element, "id", 0)] = category

    def _object(self, element: Element) -> dict[str, Any]:
        if not isinstance(element.value, dict):
            raise self.error(element, "is not an object")
        return element.value

    def _integer(self, element: Element, name: str, least: int) -> int:
        value = element.value.get(name)
        if type(value) is not int or not least <= value < LAST_NUMBER:
            raise self.error(element, f"has {'no' if value is None else 'an invalid'} {name}; an integer is expected")
        return value
