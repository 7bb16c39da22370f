"""The scorer's name that DeepLabCut's own tables would carry."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

from dlclive_core.runtimes import PoseConfig, scorer_name
from dlclive_torch.files.checkpoint import Checkpoint

_FOLDER = re.compile(r"(?P<project>.+)-trainset\d+shuffle(?P<shuffle>\d+)$")
_SNAPSHOT = re.compile(r"snapshot-(?P<best>best-)?(?P<epoch>\d+)$")


def deeplabcut_scorer(config: PoseConfig, checkpoint: Checkpoint) -> str:
    """Return `DLC_<Network>_<Task><date>shuffle<n>_snapshot_<name>`, or with the file's name where that is not known.

    A snapshot lies in `<Task><date>-trainset<percent>shuffle<n>/train/`; an export tells where its configuration lay,
    unless paths were wiped from it, and its file name ends with that of the snapshot.
    """
    path = checkpoint.path
    if checkpoint.format == "deeplabcut-snapshot":
        folder = path.absolute().parent.parent.name
    else:
        lay = str((checkpoint.config.get("metadata") or {}).get("pose_config_path") or "")
        folder = PureWindowsPath(lay).parent.parent.name  # takes both kinds of slashes
    shuffle, snapshot = _FOLDER.match(folder), _SNAPSHOT.search(path.stem)
    if shuffle is None or snapshot is None:
        return scorer_name(config, path.stem)
    name = f"{snapshot['best'] or ''}{int(snapshot['epoch'])}"
    return scorer_name(config, f"{shuffle['project']}shuffle{shuffle['shuffle']}", name)
