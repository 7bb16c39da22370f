"""Finished poses from one format to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.conversion.choose_format import target_of
from dlclive_core.conversion.more_facts import DescribedRecording, with_model
from dlclive_core.conversion.open_poses import open_poses
from dlclive_core.conversion.write_recording import write_recording
from dlclive_core.errors import UsageError
from dlclive_core.models.load import load_model
from dlclive_core.plugins.catalog import PluginCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What `convert_poses` has done.

    Attributes:
        source: the table that was read.
        read_as, written_as: names of the formats.
        files: that were written.
        frames: number of frames up to the last one.
        individuals, keypoints: their numbers; unique keypoints included.
        notes: what was found beside the table and used; what is missing in the result. One line each.
    """

    source: Path
    read_as: str
    written_as: str
    files: tuple[Path, ...]
    frames: int
    individuals: int
    keypoints: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As values for JSON."""
        return {**asdict(self), "source": str(self.source), "files": [str(file) for file in self.files]}


def convert_poses(
    source: str | Path,
    target: str | Path,
    *,
    to: str | None = None,
    times: str | Path | None = None,
    fps: float | None = None,
    model: str | Path | None = None,
    name: str | None = None,
    overwrite: bool = False,
    catalog: PluginCatalog | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Convert finished poses to another format.

    The files appear when they are complete; memory does not grow with the recording.

    Args:
        source: a table of any installed format, recognised by its content, or the folder of a run, or its run.json.
        target: a path, whose suffix selects the format, or `name:path,option=value`.
        to: the format's name, with options or without, where the suffix does not tell: "nwb", "nwb:subject=M12".
        times: a table of timestamps. Default: that of the run, or the one beside the table.
        fps: frames per second, for a table without times.
        model: a model with the same keypoints, for the edges of its skeleton.
        name: of the source, in a run with several.
        overwrite: replace existing files.
        catalog: the installed plugins; default: all.
        progress: called with the number of frames read so far and of all. A format may read them twice.

    Raises:
        OutputExistsError: a file exists.
        UsageError: see `open_poses`; the format cannot hold these poses; source and target are the same file.
        DataError: the source is no table of poses, or is damaged; a file cannot be written.
        DependencyError, PluginError: a package is missing, or there is no such format.
        ModelError: the model cannot be loaded.
    """
    catalog = catalog or PluginCatalog.installed()
    source = Path(source).expanduser()
    wanted = target_of(str(target), to, catalog)
    times = None if times is None else Path(times).expanduser()
    opened = open_poses(source, times=times, fps=fps, name=name, catalog=catalog)
    if wanted.path.exists() and opened.path.samefile(wanted.path):
        raise UsageError(f"{wanted.path} is the source itself; choose another name")
    info = opened.recording.info
    if model is not None:
        with load_model(str(model), catalog=catalog) as loaded:
            info = with_model(info, loaded.card, str(model))
    total = opened.recording.frame_count
    recording = DescribedRecording(opened.recording, info, progress and (lambda done: progress(done, total)))
    files = write_recording(wanted.format, recording, wanted.path, overwrite=overwrite)
    card = info.card
    return Conversion(
        source=opened.path,
        read_as=opened.format,
        written_as=wanted.name,
        files=files,
        frames=total,
        individuals=len(card.individuals),
        keypoints=len(card.skeleton) + len(card.unique_keypoints),
        notes=(*opened.notes, *((recording.damage,) if recording.damage else ())),
    )
