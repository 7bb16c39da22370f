"""The names of the individuals in a pose, the same for all transports."""

from __future__ import annotations

from collections.abc import Sequence

from dlclive_core import Pose, printable

UNIQUE_INDIVIDUAL = "single"
"""DeepLabCut's name for the individual that holds keypoints that exist once in the scene."""


def individual_names(pose: Pose, individuals: Sequence[str]) -> tuple[str, ...]:
    """A different name for each row of a pose.

    Identities, if the pose has them; without, or where two are equal, the names of the rows: those of the project, then
    `individual_4`, `individual_5` and so on, as in DeepLabCut; "-2" follows where the project has such a name itself.
    """
    if pose.ids is not None:
        names = tuple(name if name.isprintable() else printable(name) for name in pose.ids)
        if len(set(names)) == len(names):
            return names
    names = tuple(individuals[: len(pose)])
    taken = set(names)
    for row in range(len(names), len(pose)):
        name = f"individual_{row + 1}"
        while name in taken:
            name += "-2"
        taken.add(name)
        names += (name,)
    return names
