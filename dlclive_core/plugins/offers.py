"""What the installed distributions offer: entry points in our group, read so that a damaged one does not affect others."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

GROUP = "dlclive"


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry point of our group and the distribution that has it.

    Attributes:
        name: of the entry point; of the distribution, if its entry points cannot be read.
        point: None if the distribution's entry points cannot be read.
        distribution, version: of the package; the version is "" if its metadata is missing.
        error: why the entry points cannot be read.
    """

    name: str
    point: EntryPoint | None
    distribution: str
    version: str
    error: str = ""


def installed_offers() -> list[Offer]:
    """Every entry point of our group once, sorted, so that the result does not depend on the order of folders."""
    offers: dict[tuple[str, str], Offer] = {}
    for distribution in distributions():
        for offer in _offers_of(distribution):  # the first distribution of a name on sys.path is the one Python imports
            offers.setdefault((offer.distribution, offer.name), offer)
    return [offers[key] for key in sorted(offers)]


def _offers_of(distribution: Distribution) -> list[Offer]:
    try:
        points = [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # malformed or not text: whether it has a plugin of ours cannot be known
        name, version = _identity(distribution)
        reason = f"its entry points cannot be read ({type(error).__name__}: {' '.join(str(error).split())})"
        return [Offer(name, None, name, version, reason)]
    if not points:
        return []
    name, version = _identity(distribution)
    return [Offer(point.name, point, name, version) for point in points]


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version from the metadata; without metadata, from the name of its folder, such as lab_x-1.0.dist-info."""
    try:
        metadata = distribution.metadata  # parsed at each access
        if "Name" in metadata:
            return str(metadata["Name"]), str(metadata["Version"]) if "Version" in metadata else ""
    except Exception:  # noqa: S110 - not text; the folder's name is left
        pass
    folder = Path(str(getattr(distribution, "_path", "unknown"))).stem
    name, _, version = folder.partition("-")
    return name.replace("_", "-"), version
