"""Who is who: names, the identities of animals that are gone, and which of them a newcomer gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from dlclive_processors.tracking.detections import Places
from dlclive_processors.tracking.tracks import Tracks

MOST_FOLLOWED = 64
"""Where the number of animals is not known, so many have an identity at one time."""
MOST_REMEMBERED = 64
"""Where it is not known, so many lost ones are remembered, those lost last."""
OUT_OF_REACH = 1e12
"""As a distance: may not be matched, and finite, because the assignment needs numbers."""


@dataclass(slots=True)
class Lost:
    """An animal that was unseen for too long to be followed: where it was, how large, and for how many seconds it is gone."""

    position: complex
    size: float
    seconds: float


class Identities:
    """Gives each new animal a number: that of a lost animal, or an unused one.

    A newcomer at a distance d from where an animal of size s was last seen, T seconds ago, is that animal if it can have got
    there: if d < s (1 + speed T). Where several are possible, the sum of the shares d / (s (1 + speed T)) is as small as
    possible, so the nearest in place and time are matched. Where all identities of a known number of animals are in use, a
    newcomer is one of the lost animals wherever it appears, because there is nobody else.

    Args:
        limit: number of animals; None: not known.
        speed: in sizes per second.
        patience: frames for which an animal must be unseen before a newcomer may be it.
    """

    def __init__(self, limit: int | None, speed: float, patience: int) -> None:
        self._limit, self._speed, self._patience = limit, speed, patience
        self.forget()

    def forget(self) -> None:
        """Begin again with number 0."""
        self.given = 0
        self.returned = 0
        self._lost: dict[int, Lost] = {}

    def advance(self, seconds: float) -> None:
        """Let time pass for the lost ones."""
        for lost in self._lost.values():
            lost.seconds += seconds

    def lose(self, tracks: Tracks, which: Places) -> None:
        """Remember tracks that are given up."""
        for place in which:
            position, size = complex(tracks.last[place]), float(np.sqrt(tracks.area[place]))
            self._lost[int(tracks.identity[place])] = Lost(position, size, float(tracks.unseen[place]))
        while self._limit is None and len(self._lost) > MOST_REMEMBERED:
            del self._lost[max(self._lost, key=lambda number: self._lost[number].seconds)]

    def name(self, tracks: Tracks, newcomers: Places) -> Places:
        """Give identities to newcomers, as far as there are any.

        Args:
            newcomers: (W,) tracks without an identity.

        Returns:
            Tracks that are now without an identity, because a newcomer is the same animal: drop them.
        """
        if self._limit is None:
            newcomers = newcomers[: max(0, MOST_FOLLOWED - np.count_nonzero(tracks.identity >= 0))]
        replaced = self._recognise(tracks, newcomers)
        for place in newcomers:
            if tracks.identity[place] < 0 and (self._limit is None or self.given < self._limit):
                tracks.identity[place] = self.given
                self.given += 1
        return replaced

    def _recognise(self, tracks: Tracks, newcomers: Places) -> Places:
        hidden = np.flatnonzero((tracks.identity >= 0) & (tracks.missed >= self._patience))
        numbers = list(self._lost)
        candidates = len(hidden) + len(numbers)
        if not candidates:
            return hidden
        lost = list(self._lost.values())
        places = np.concatenate([tracks.last[hidden], [item.position for item in lost]])
        sizes = np.concatenate([np.sqrt(tracks.area[hidden]), [item.size for item in lost]])
        gone = np.concatenate([tracks.unseen[hidden], [item.seconds for item in lost]])
        shares = np.abs(tracks.last[newcomers][:, None] - places) / (sizes * (1.0 + self._speed * gone))
        possible = shares <= 1.0
        if self._limit is not None and self.given >= self._limit:
            possible[:, len(hidden) :] = True
        rows, columns = linear_sum_assignment(np.where(possible, shares, OUT_OF_REACH))
        replaced = []
        for row, column in zip(rows, columns, strict=True):
            if not possible[row, column]:
                continue
            if column < len(hidden):
                number = int(tracks.identity[hidden[column]])
                replaced.append(hidden[column])
            else:
                number = numbers[column - len(hidden)]
                del self._lost[number]
            tracks.identity[newcomers[row]] = number
            self.returned += 1
        tracks.identity[replaced] = -1
        return np.array(replaced, dtype=np.intp)
