"""From links to animals, as Lauer et al. 2022 (Nature Methods 19) describe it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from dlclive_core.models.assembly.animals import Animal, Candidate
from dlclive_core.models.assembly.links import Link


def grow_animals(links: list[Link], keypoints: int, individuals: int) -> list[Animal]:
    """Grow links into animals: complete ones first, then from the strongest link on; then merge the surplus.

    Args:
        links: edge by edge.
        keypoints: how many an animal has.
        individuals: how many animals there are.

    Returns:
        Animals that share no candidate; there may be more of them than `individuals`, and small ones.
    """
    around: dict[Candidate, dict[Candidate, Link]] = {}
    for link in links:
        first, second = link.ends
        around.setdefault(first, {})[second] = link
        around.setdefault(second, {})[first] = link
    animals = _whole_animals(links, around, keypoints)
    if len(animals) == individuals:
        return animals
    taken = {candidate for animal in animals for candidate in animal.candidates}
    for link in sorted(links, key=lambda link: -link.affinity):
        if taken.isdisjoint(link.ends):
            animal = _grown_animal(link, around, taken, keypoints)
            taken |= animal.candidates
            animals.append(animal)
    return animals if len(animals) <= individuals else _merged(animals, links, keypoints)


def _whole_animals(links: list[Link], around: dict[Candidate, dict[Candidate, Link]], keypoints: int) -> list[Animal]:
    """Connected groups with as many candidates as an animal has keypoints."""
    group: dict[Candidate, int] = {}
    sizes: list[int] = []
    for start in around:
        if start in group:
            continue
        number, size, edge = len(sizes), 0, [start]
        group[start] = number
        while edge:
            size += 1
            for neighbour in around[edge.pop()]:
                if neighbour not in group:
                    group[neighbour] = number
                    edge.append(neighbour)
        sizes.append(size)
    whole = {number: Animal() for number, size in enumerate(sizes) if size == keypoints}
    for link in links:
        if (animal := whole.get(group[link.ends[0]])) is not None:
            animal.join(link)
    return list(whole.values())


def _grown_animal(
    link: Link, around: dict[Candidate, dict[Candidate, Link]], taken: set[Candidate], keypoints: int
) -> Animal:
    """Add the strongest link to a free candidate until the animal is complete."""
    animal = Animal()
    animal.join(link)
    ways: list[tuple[float, int, Link, Candidate]] = []
    seen: set[tuple[Candidate, Candidate]] = set()

    def look_around(candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            for neighbour, way in around[candidate].items():
                if neighbour not in animal and way.ends not in seen:
                    seen.add(way.ends)
                    heapq.heappush(ways, (-way.affinity, len(seen), way, neighbour))

    look_around(sorted(link.ends))
    while ways and len(animal) < keypoints:
        *_, way, neighbour = heapq.heappop(ways)
        if neighbour not in taken and animal.join(way):
            look_around([neighbour])
    return animal


def _merged(animals: list[Animal], links: list[Link], keypoints: int) -> list[Animal]:
    """Merge incomplete animals that an unused link connects and that share no keypoint."""
    owner = {candidate: animal for animal in animals if len(animal) != keypoints for candidate in animal.candidates}
    used = {link.ends for animal in animals for link in animal.links}
    gone: set[int] = set()
    for link in links:
        first, second = (owner.get(end) for end in link.ends)
        if link.ends in used or first is None or second is None or first.peaks.keys() & second.peaks.keys():
            continue
        first.absorb(second)
        gone.add(id(second))
        owner.update(dict.fromkeys(second.candidates, first))
    return [animal for animal in animals if id(animal) not in gone]
