"""Opens a table of poses, or that of a run, with all that is known of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from dlclive_core.components import TableFormat
from dlclive_core.conversion.choose_format import reader_of
from dlclive_core.conversion.more_facts import DescribedRecording, TimedRecording, TimesTable, as_card_of_run
from dlclive_core.conversion.run_tables import RunTables, chosen_tables, read_run_tables, run_of_table
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.pose_recording import PoseRecording
from dlclive_core.data.recorded_times import is_times
from dlclive_core.data.run_record import find_record, records_of
from dlclive_core.errors import DataError, DLCLiveError, UsageError
from dlclive_core.plugins.catalog import PluginCatalog

_MOST_RATE = 1e6


@dataclass(slots=True)
class OpenedPoses:
    """Finished poses.

    Attributes:
        path: of the table.
        format: the name of its format.
        recording: the poses, with times if they are known.
        notes: what was found beside the table, and used.
    """

    path: Path
    format: str
    recording: PoseRecording
    notes: list[str] = field(default_factory=list)

    def describe(self, **changes: object) -> None:
        """Change what is known of the recording."""
        self.recording = DescribedRecording(self.recording, self.recording.info.with_(**changes))


def open_poses(
    source: Path, *, times: Path | None, fps: float | None, name: str | None, catalog: PluginCatalog
) -> OpenedPoses:
    """Open a table of any format, or the table of a run.

    Args:
        source: a file or folder of a format; a folder with a run.json, or the run.json.
        times: a table of timestamps. Default: that of the run, or the one beside the table.
        fps: frames per second, where neither file nor run has times.
        name: of the source, in a run with several.

    Raises:
        UsageError: it does not exist; the run has several sources or tables; `fps` is not a rate, or is not needed.
        DataError: it is not a table of poses, or is damaged; the table of timestamps cannot be read.
        DependencyError: a package is missing.
    """
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= _MOST_RATE):
        raise UsageError(f"{fps:g} is not a rate: give frames per second, such as 30")
    if not source.exists():
        raise UsageError(f"no such file or folder: {source}")
    if _is_run(source):
        run: RunTables | None = chosen_tables(read_run_tables(find_record(source)), name)
        assert run is not None
        path, format_name, format = _table_of(run, catalog)
    else:
        if name is not None:
            raise UsageError("--name is for runs with several sources: give the run's folder, or leave it out")
        if source.is_file() and is_times(source):
            raise UsageError(f"{source} is a table of timestamps, without poses; pass it with --times")
        info, format = reader_of(source, catalog)
        path, format_name, run = source, info.name, run_of_table(source)
    opened = OpenedPoses(path, format_name, format.read(path))
    told = run.run if run is not None else None
    if run is not None and told is not None:
        _add_run(opened, run.record, told)
    elif not opened.recording.info.source:
        opened.describe(source=_source_of(path, opened.recording.info.card.scorer))
    _add_times(opened, run, times, fps)
    if told is not None and told.is_live and fps is None and not opened.recording.info.has_times:
        # A camera delivers when it likes, and frames are dropped: its rate would make up regular times.
        opened.describe(fps=None)
        opened.notes.append(
            "the times of the frames are not known: the run left no table of timestamps, and the camera's rate is not taken "
            "for them; give --times FILE, or --fps"
        )
    return opened


def _is_run(source: Path) -> bool:
    """Whether it is the folder of a run, or a run.json. A folder of a format, with files for frames, has no such name."""
    if source.is_dir():
        return bool(records_of(source))
    return source in records_of(source.parent)


def _table_of(run: RunTables, catalog: PluginCatalog) -> tuple[Path, str, TableFormat]:
    """The table of a session; of an .h5 and a .csv with the same name, the .h5."""
    found = []
    for file in run.files:
        if is_times(file) or file.name.endswith(".part"):
            continue
        try:
            info, format = reader_of(file, catalog)
        except DLCLiveError:  # a video, events, a plot
            continue
        found.append((file, info.name, format))
    if not found:
        unfinished = [file.name for file in run.files if file.name.endswith(".part")]
        hint = f"; finish {unfinished[0]} first: dlclive recover {run.record.parent}" if unfinished else ""
        raise DataError(f"{run.record}: {run.name} has left no table of poses{hint}")
    if len({file.with_suffix("") for file, _, _ in found}) > 1:
        raise UsageError(f"{run.name} has several tables; give one: {', '.join(str(file) for file, _, _ in found)}")
    return min(found, key=lambda item: item[0].suffix.lower() != ".h5")


def _add_run(opened: OpenedPoses, record: Path, told: RunInfo) -> None:
    """Take from the run what the table does not hold."""
    info = opened.recording.info
    card = as_card_of_run(info.card, told.card)
    opened.describe(
        card=card or info.card,
        source=info.source or told.source,
        frame_size=info.frame_size or told.frame_size,
        fps=info.fps or told.fps,
        started_at=info.started_at or (told.started_at if told.is_live else None),
    )
    if card is not None:
        opened.notes.append(f"names, skeleton and source of {record.name}")
    else:
        opened.notes.append(
            f"source of {record.name}; the names of keypoints are the table's, which are others than the model's"
        )


def _add_times(opened: OpenedPoses, run: RunTables | None, times: Path | None, fps: float | None) -> None:
    recording = opened.recording
    given = times
    if times is None and not recording.info.has_times and fps is None:
        times = _times_beside(opened.path, run)
    if times is not None:
        if not times.exists():
            raise UsageError(f"no such table of timestamps: {times}")
        if not is_times(times):
            raise DataError(f"{times} is not a table of timestamps: it has no columns frame and captured_at_s")
        same_run = run is not None and any(file.samefile(times) for file in run.files)
        is_live = run.run.is_live if run is not None and run.run is not None and (same_run or given is None) else None
        table = TimesTable.inspect(times, is_live, same_run=same_run or given is None)
        opened.recording = TimedRecording(recording, table)
        opened.notes.append(str(table))
    if fps is not None:
        if recording.info.has_times and given is None:
            raise UsageError(f"{opened.path} has the times of its frames; leave out --fps")
        opened.describe(fps=fps)
        if times is None:
            opened.notes.append(f"rate of --fps: frame n is at n / {fps:g} s")


def _times_beside(path: Path, run: RunTables | None) -> Path | None:
    """The run's table of timestamps, or the one that `dlclive analyze` writes beside its tables."""
    if run is not None:
        return run.times
    beside = path.with_name(f"{path.stem}_timestamps.csv")
    return beside if is_times(beside) else None


def _source_of(path: Path, scorer: str) -> str:
    """The video of a table that DeepLabCut has named: its name goes before that of the scorer."""
    return path.stem.partition(scorer)[0] if scorer and scorer in path.stem else ""
