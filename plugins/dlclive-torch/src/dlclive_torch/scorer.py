"""The name of the scorer in DeepLabCut's tables."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from dlclive_core.runtimes import PoseConfig, Snapshot, scorer_name
from dlclive_torch.files.checkpoint import Checkpoint

_FOLDER = re.compile(r"(?P<project>.+)-trainset\d+shuffle(?P<shuffle>\d+)$")
_UID = r"(?:best-)?\d+"
_EXPORT = re.compile(rf"(?:snapshot-detector-?(?P<detector>{_UID})_)?snapshot-(?P<pose>{_UID})$")


def deeplabcut_scorer(config: PoseConfig, checkpoint: Checkpoint, detector: Path | None = None) -> str:
    """Return `DLC_<Network>_<Task><date>shuffle<n>_snapshot_<name>`, or a name with the file's name if a part is unknown.

    The scorer of a top-down network with a detector has that first: `..._detector_<name>_snapshot_<name>`. A snapshot is
    in `<Task><date>-trainset<percent>shuffle<n>/train/`. An export records the path of its configuration, unless paths were
    removed from it, and its file name ends with those of the snapshots.

    Args:
        config: the model's configuration.
        checkpoint: its file.
        detector: the snapshot of its detector, if that has a file of its own.
    """
    path = checkpoint.path
    if checkpoint.format == "deeplabcut-snapshot":
        folder = path.absolute().parent.parent.name
        pose, detected = _uid(path), None
    else:
        config_path = str((checkpoint.config.get("metadata") or {}).get("pose_config_path") or "")
        folder = PureWindowsPath(config_path).parent.parent.name  # accepts both kinds of slashes
        pose, detected = _export_uids(path)
    shuffle = _FOLDER.match(folder)
    if shuffle is None or pose is None:
        return scorer_name(config, path.stem)
    if detector is not None:
        detected = _uid(detector)
    project = f"{shuffle['project']}shuffle{shuffle['shuffle']}"
    return scorer_name(
        config, project + (f"_detector_{detected}" if detected and config.method == "top-down" else ""), pose
    )


def _uid(path: Path) -> str | None:
    snapshot = Snapshot.from_path(path)
    return None if snapshot is None else snapshot.uid


def _export_uids(path: Path) -> tuple[str | None, str | None]:
    """The snapshots of the network and of its detector that the name of an export ends with."""
    match = _EXPORT.search(path.stem)
    if match is None:
        return None, None
    return _without_zeros(match["pose"]), _without_zeros(match["detector"]) if match["detector"] else None


def _without_zeros(uid: str) -> str:
    best, _, epoch = uid.rpartition("-")
    return f"{best}-{int(epoch)}" if best else str(int(epoch))
