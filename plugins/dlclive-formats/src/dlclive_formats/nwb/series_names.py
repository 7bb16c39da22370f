"""Names of keypoints as names of series, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

RESERVED = frozenset(
    "description scorer source_software skeleton device devices source_video labeled_video original_videos labeled_videos "
    "dimensions nodes edges unique_keypoints".split()
)
"""Members of a PoseEstimation that are no keypoints; a link to a skeleton has the skeleton's name."""

_PREFIX = "PoseEstimationSeries"  # neuroconv writes it before every name


def series_names(keypoints: Sequence[str]) -> tuple[str, ...]:
    r"""A name for each keypoint's series, unique: the keypoint's own wherever NWB allows it.

    "/", "\" and ":" become "_", because NWB has no such names; a name of PoseEstimation itself, such as "skeleton", gets
    "_keypoint" at its end. If two become equal, the later one gets a number. The skeleton's nodes have the names unchanged, in
    the same order.
    """
    taken = {name for name in keypoints if _allowed(name) == name}
    names = []
    for keypoint in keypoints:
        name = base = _allowed(keypoint)
        number = 2
        while name != keypoint and name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def matched(nodes: Sequence[str], series: Sequence[str]) -> dict[str, str] | None:
    """Keypoint -> its series, in the skeleton's order; None if the skeleton's nodes and the series do not correspond.

    Series that no node names are left out only where each node has a series.
    """
    own = dict(zip(nodes, series_names(nodes), strict=True)) if len(set(nodes)) == len(nodes) else {}
    if own and set(own.values()) <= set(series):
        return own
    by_key = {_key(name): name for name in series}
    found = {node: by_key.get(_key(node), "") for node in nodes}
    return found if found and all(found.values()) and len(set(found.values())) == len(nodes) else None


def bare(series: Sequence[str]) -> dict[str, str]:
    """Keypoint -> its series, by the names of the series alone."""
    if all(name.startswith(_PREFIX) and name != _PREFIX for name in series):
        return {name.removeprefix(_PREFIX): name for name in series}
    return {name: name for name in series}


def _allowed(name: str) -> str:
    allowed = re.sub(r"[/\\:]", "_", name)
    if set(allowed) == {"."}:
        allowed = "_" * len(allowed)  # "." and ".." are places in HDF5
    return f"{allowed}_keypoint" if allowed in RESERVED else allowed


def _key(name: str) -> str:
    """neuroconv makes "PoseEstimationSeriesLeftEar" of "left_ear"."""
    return re.sub(r"[^\w]|_", "", name.removeprefix(_PREFIX)).casefold()
