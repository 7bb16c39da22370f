"""Snapshots of a training folder: which are the network's, which are its detector's, and in what order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dlclive_core.deeplabcut.config_file import CONFIG_NAME, read_config
from dlclive_core.errors import ModelError

POSE_PREFIX = "snapshot"
DETECTOR_PREFIX = "snapshot-detector"
_NAME = re.compile(r"(?P<prefix>.+?)(?P<best>-best)?-(?P<epoch>\d+)\.pt")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot's file name, read: `snapshot-best-050.pt`, `snapshot-detector-200.pt`, `snapshot-hrnet_w32-004.pt`.

    Attributes:
        path: the file.
        prefix: what its name begins with: "snapshot", "snapshot-detector", or what the configuration says.
        best: whether it is marked as the best so far.
        epoch: after which it was written.
    """

    path: Path
    prefix: str
    best: bool
    epoch: int

    @classmethod
    def from_path(cls, path: Path) -> Snapshot | None:
        """Read a file's name; None if it is not that of a snapshot."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        return cls(path, match["prefix"], match["best"] is not None, int(match["epoch"]))

    @property
    def uid(self) -> str:
        """What DeepLabCut calls it in a scorer: "50", "best-190"."""
        return f"best-{self.epoch}" if self.best else str(self.epoch)

    @property
    def is_default(self) -> bool:
        """Whether it has one of the names that DeepLabCut gives where its configuration asks for no other."""
        return self.prefix in (POSE_PREFIX, DETECTOR_PREFIX)


@dataclass(frozen=True, slots=True)
class FolderSnapshots:
    """The snapshots in a folder, each list sorted as DeepLabCut does: by epoch, those marked best last. The last is used."""

    poses: tuple[Snapshot, ...] = ()
    detectors: tuple[Snapshot, ...] = ()


def list_snapshots(folder: Path) -> FolderSnapshots:
    """The snapshots in a training folder.

    Their names begin with `snapshot`, those of detectors with `snapshot-detector`, or with the `snapshot_prefix` of the
    configuration beside them: SuperAnimal models that were adapted to a video are called after the network.
    """
    snapshots = [item for path in folder.glob("*.pt") if (item := Snapshot.from_path(path)) is not None]
    pose_prefix, detector_prefix = _prefixes(folder) if any(not item.is_default for item in snapshots) else (None, None)
    poses = [item for item in snapshots if item.prefix in (POSE_PREFIX, pose_prefix)]
    detectors = [item for item in snapshots if item.prefix in (DETECTOR_PREFIX, detector_prefix) and item not in poses]
    return FolderSnapshots(tuple(sorted(poses, key=_order)), tuple(sorted(detectors, key=_order)))


def detector_snapshots(path: Path) -> list[Path]:
    """The detector snapshots beside a network's, sorted so that the one to use, the best or else the latest, is last."""
    return [item.path for item in list_snapshots(path.parent).detectors if item.path != path]


def is_detector_snapshot(path: Path) -> bool:
    """Whether a file is the snapshot of a detector, by its name and the configuration beside it."""
    return path in [item.path for item in list_snapshots(path.parent).detectors]


def _order(snapshot: Snapshot) -> tuple[bool, int]:
    return snapshot.best, snapshot.epoch


def _prefixes(folder: Path) -> tuple[str | None, str | None]:
    """The prefixes of the network's and the detector's snapshots that the configuration asks for."""
    if not (folder / CONFIG_NAME).is_file():
        return None, None
    try:
        config = read_config(folder / CONFIG_NAME)
    except ModelError:  # raised again, with its reason, once the folder's model is loaded
        return None, None
    return _prefix(config), _prefix(config.get("detector"))


def _prefix(part: object) -> str | None:
    runner = part.get("runner") if isinstance(part, dict) else None
    prefix = runner.get("snapshot_prefix") if isinstance(runner, dict) else None
    return str(prefix) if prefix else None
