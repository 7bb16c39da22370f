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
    neighbours: dict[Candidate, dict[Candidate, Link]] = {}
    for link in links:
        first, second = link.ends
        neighbours.setdefault(first, {})[second] = link
        neighbours.setdefault(second, {})[first] = link
    animals = _complete_animals(links, neighbours, keypoints)
    if len(animals) == individuals:
        return animals
    taken = {candidate for animal in animals for candidate in animal.candidates}
    for link in sorted(links, key=lambda link: -link.affinity):
        if taken.isdisjoint(link.ends):
            animal = _grown_animal(link, neighbours, taken, keypoints)
            taken |= animal.candidates
            animals.append(animal)
    return animals if len(animals) <= individuals else _merged(animals, links, keypoints)


def _complete_animals(
    links: list[Link], neighbours: dict[Candidate, dict[Candidate, Link]], keypoints: int
) -> list[Animal]:
    """Connected groups with as many candidates as an animal has keypoints."""
    group: dict[Candidate, int] = {}
    sizes: list[int] = []
    for start in neighbours:
        if start in group:
            continue
        number, size, frontier = len(sizes), 0, [start]
        group[start] = number
        while frontier:
            size += 1
            for neighbour in neighbours[frontier.pop()]:
                if neighbour not in group:
                    group[neighbour] = number
                    frontier.append(neighbour)
        sizes.append(size)
    complete = {number: Animal() for number, size in enumerate(sizes) if size == keypoints}
    for link in links:
        if (animal := complete.get(group[link.ends[0]])) is not None:
            animal.join(link)
    return list(complete.values())


def _grown_animal(
    link: Link, neighbours: dict[Candidate, dict[Candidate, Link]], taken: set[Candidate], keypoints: int
) -> Animal:
    """Add the strongest link to a free candidate until the animal is complete."""
    animal = Animal()
    animal.join(link)
    open_links: list[tuple[float, int, Link, Candidate]] = []
    pushed: set[tuple[Candidate, Candidate]] = set()

    def push_links(candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            for neighbour, candidate_link in neighbours[candidate].items():
                if neighbour not in animal and candidate_link.ends not in pushed:
                    pushed.add(candidate_link.ends)
                    heapq.heappush(open_links, (-candidate_link.affinity, len(pushed), candidate_link, neighbour))

    push_links(sorted(link.ends))
    while open_links and len(animal) < keypoints:
        *_, candidate_link, neighbour = heapq.heappop(open_links)
        if neighbour not in taken and animal.join(candidate_link):
            push_links([neighbour])
    return animal


def _merged(animals: list[Animal], links: list[Link], keypoints: int) -> list[Animal]:
    """Merge incomplete animals that an unused link connects and that share no keypoint."""
    owner = {candidate: animal for animal in animals if len(animal) != keypoints for candidate in animal.candidates}
    used = {link.ends for animal in animals for link in animal.links}
    absorbed: set[int] = set()
    for link in links:
        first, second = (owner.get(end) for end in link.ends)
        if link.ends in used or first is None or second is None or first.peaks.keys() & second.peaks.keys():
            continue
        first.absorb(second)
        absorbed.add(id(second))
        owner.update(dict.fromkeys(second.candidates, first))
    return [animal for animal in animals if id(animal) not in absorbed]
