"""Which annotation of a COCO file belongs to which frame and individual."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, ModelCard, RecordingInfo, foreign_card
from dlclive_formats.coco.coco_index import LAST_NUMBER, CocoIndex
from dlclive_formats.coco.coco_writer import ANIMAL, FRAME_COUNT, UNIQUE
from dlclive_formats.recording_facts import from_facts

UNIQUE_SLOT = -1
"""In the place of an individual: the keypoints that exist once in the scene."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CocoPlan:
    """A recording, and its annotations in the order of the frames.

    Attributes:
        numbers, seconds: (n,) of the frames, in order.
        order: (m,) annotations by frame, within a frame in the order of the file.
        firsts: (n + 1,) where in `order` each frame begins.
        slots: (m,) the individual of each annotation of `order`, or `UNIQUE_SLOT`.
    """

    info: RecordingInfo
    frame_count: int
    numbers: Integers
    seconds: NDArray[np.float64]
    order: Integers
    firsts: Integers
    slots: Integers


def plan_of(index: CocoIndex, path: Path) -> CocoPlan:
    """Sort the annotations of a file. Raises DataError, as `read_coco`."""
    own = None if index.facts is None else from_facts(path, index.facts)
    used = np.ones(len(index.images), np.bool_)
    if not index.is_results:
        used = np.isin(index.category_ids, [*index.categories])
    chosen = np.flatnonzero(used)
    ids, numbers, seconds = _frames(index, path, is_own=own is not None)
    ranks = _ranks(ids, numbers, index.images[chosen], path)
    by_rank = np.argsort(ranks, kind="stable")
    order, ranks = chosen[by_rank], ranks[by_rank]
    firsts = np.searchsorted(ranks, np.arange(len(ids) + 1))
    if own is None:
        places = np.arange(len(order)) - firsts[ranks]
        card, slots = _foreign(index, order, places, path)
        size = next(iter(index.sizes)) if len(index.sizes) == 1 else None
        info = RecordingInfo(card=card, frame_size=size, has_times=bool(np.isfinite(seconds).any()))
    else:
        info, slots = own, _own_slots(index, order, own.card, path)
    pairs = np.stack((ranks, slots), axis=1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise DataError(f"{path} has two annotations of one animal in one image: give each animal its own track_id")
    in_order = np.argsort(numbers)
    numbers = numbers[in_order]
    frame_count = int(numbers[-1]) + 1 if len(numbers) else 0
    if own is not None and type(declared := index.facts.get(FRAME_COUNT)) is int:
        frame_count = max(frame_count, min(declared, LAST_NUMBER))
    return CocoPlan(info, frame_count, numbers, seconds[in_order], order, firsts, slots)


def _frames(index: CocoIndex, path: Path, *, is_own: bool) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """The ids of the images, their frames' numbers, and times."""
    if index.is_results:
        ids = np.unique(index.images)
        return ids, ids, np.full(len(ids), np.nan)
    ids = index.image_ids
    if len(np.unique(ids)) < len(ids):
        raise DataError(f"{path} has two images with the same id")
    by_name = index.file_numbers
    has_numbers = not is_own and (by_name >= 0).all() and len(np.unique(by_name)) == len(by_name)
    return ids, by_name if has_numbers else ids, index.seconds


def _ranks(ids: Integers, numbers: Integers, images: Integers, path: Path) -> Integers:
    """The place of each annotation's image in the order of the frames."""
    by_id = np.argsort(ids)
    places = np.searchsorted(ids[by_id], images)
    known = places < len(ids)
    known[known] = ids[by_id][places[known]] == images[known]
    if not known.all():
        raise DataError(f"{path} has an annotation of image {images[~known][0]}, which is not among its images")
    ranks = np.empty(len(ids), np.int64)
    ranks[np.argsort(numbers)] = np.arange(len(ids))
    return ranks[by_id[places]]


def _own_slots(index: CocoIndex, order: Integers, card: ModelCard, path: Path) -> Integers:
    categories, points, tracks = index.category_ids[order], index.points[order], index.tracks[order]
    expected = {ANIMAL: len(card.skeleton), UNIQUE: len(card.unique_keypoints)}
    for category, count in expected.items():
        if (points[categories == category] != count).any():
            raise DataError(f"{path} is damaged: an annotation of category {category} does not have {count} keypoints")
    slots = tracks - 1 if card.multi_animal else np.zeros(len(order), np.int64)
    slots[categories == UNIQUE] = UNIQUE_SLOT
    animals = slots[categories == ANIMAL]
    if not np.isin(categories, [*expected]).all() or ((animals < 0) | (animals >= len(card.individuals))).any():
        raise DataError(f"{path} is damaged: an annotation is of none of its {len(card.individuals)} animals")
    return slots


def _foreign(index: CocoIndex, order: Integers, places: Integers, path: Path) -> tuple[ModelCard, Integers]:
    keypoints, edges = _skeleton(index, order, path)
    if (index.points[order] != len(keypoints)).any():
        raise DataError(f"{path} has annotations with other than {len(keypoints)} keypoints")
    tracks = index.tracks[order]
    if len(tracks) and (tracks > 0).all():
        names, slots = np.unique(tracks, return_inverse=True)
        individuals = [f"track_{name}" for name in names[:_MOST_INDIVIDUALS].tolist()]
        count = len(names)
    else:
        slots, count = places, int(places.max()) + 1 if len(places) else 1
        individuals = (
            [] if count == 1 else [f"individual_{number + 1}" for number in range(min(count, _MOST_INDIVIDUALS))]
        )
    if count > _MOST_INDIVIDUALS:
        raise DataError(f"{path} has {count} animals in one image or tracks; {_MOST_INDIVIDUALS} is the most")
    return foreign_card(path, keypoints, edges=edges, individuals=individuals), slots


_MOST_INDIVIDUALS = 1000  # of a card


def _skeleton(index: CocoIndex, order: Integers, path: Path) -> tuple[list[str], list[tuple[int, int]]]:
    if index.is_results:
        if not len(order):
            raise DataError(f"{path} has no annotation with keypoints")
        return [f"keypoint_{number + 1}" for number in range(int(index.points[order[0]]))], []
    categories: list[dict[str, Any]] = [index.categories[key] for key in np.unique(index.category_ids[order]).tolist()]
    categories = categories or list(index.categories.values())
    if not categories:
        raise DataError(f"{path} has no category with keypoints: it is not COCO's JSON for keypoints")
    first = categories[0]
    if any(category["keypoints"] != first["keypoints"] for category in categories):
        names = ", ".join(str(category.get("name"))[:40] for category in categories[:5])
        raise DataError(f"{path} has categories with different keypoints ({names}): divide it")
    edges = first.get("skeleton") or []
    if not isinstance(edges, list) or not all(_is_edge(edge) for edge in edges):
        raise DataError(f"{path} has a category whose skeleton is not a list of pairs of numbers")
    return first["keypoints"], [(a - 1, b - 1) for a, b in edges]


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(type(end) is int and 0 < end <= 1000 for end in edge)
