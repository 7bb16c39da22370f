"""The name of the scorer in DeepLabCut's tables."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

from dlclive_core.runtimes import PoseConfig, scorer_name
from dlclive_torch.files.checkpoint import Checkpoint

_FOLDER = re.compile(r"(?P<project>.+)-trainset\d+shuffle(?P<shuffle>\d+)$")
_SNAPSHOT = re.compile(r"snapshot-(?P<best>best-)?(?P<epoch>\d+)$")


def deeplabcut_scorer(config: PoseConfig, checkpoint: Checkpoint) -> str:
    """Return `DLC_<Network>_<Task><date>shuffle<n>_snapshot_<name>`, or a name with the file's name if a part is unknown.

    A snapshot is in `<Task><date>-trainset<percent>shuffle<n>/train/`. An export records the path of its configuration,
    unless paths were removed from it, and its file name ends with that of the snapshot.
    """
    path = checkpoint.path
    if checkpoint.format == "deeplabcut-snapshot":
        folder = path.absolute().parent.parent.name
    else:
        config_path = str((checkpoint.config.get("metadata") or {}).get("pose_config_path") or "")
        folder = PureWindowsPath(config_path).parent.parent.name  # accepts both kinds of slashes
    shuffle, snapshot = _FOLDER.match(folder), _SNAPSHOT.search(path.stem)
    if shuffle is None or snapshot is None:
        return scorer_name(config, path.stem)
    name = f"{snapshot['best'] or ''}{int(snapshot['epoch'])}"
    return scorer_name(config, f"{shuffle['project']}shuffle{shuffle['shuffle']}", name)
