"""Replays one session: reads its record, calls the processors, and collects what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlclive_core.cli.progress_bar import show_count
from dlclive_core.cli.replay.comparison import compare
from dlclive_core.cli.replay.event_file import episodes, read_events
from dlclive_core.cli.replay.recorded_session import RecordedSession
from dlclive_core.cli.replay.rehearsal import RehearsedFile, may_replay, rehearse
from dlclive_core.cli.replay.replay_result import Firing, ReplayResult, TriggerResult
from dlclive_core.cli.replay.video_poses import VideoPoses
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.cli.specs import PartSpec
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.pose import Pose
from dlclive_core.data.recorded_run import RecordedFrame, RecordedRun, pose_digest
from dlclive_core.errors import DataError, DependencyError, DLCLiveError
from dlclive_core.hookspecs import ReaderInfo
from dlclive_core.machine.known_packages import FILES, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct
from dlclive_core.session import ReplayLoop
from dlclive_core.session.tolerant import processor_result


@dataclass(frozen=True, slots=True)
class Replayed:
    """A session after its replay: the numbers, and the files that are still drafts."""

    result: ReplayResult
    files: tuple[Path, ...]


def replay_session(
    session: RecordedSession,
    given: Sequence[PartSpec] | None,
    recorded: RecordedRun | VideoPoses,
    drafts: Path,
    catalog: PluginCatalog,
    signals: StopOnSignal,
) -> Replayed:
    """Replay a session.

    Args:
        given: processors in place of the recorded ones; None: the recorded ones, whose events are compared.
        recorded: the frames.
        drafts: an empty folder for the files that the processors write.
        signals: a signal ends the replay early; what it gave is then not to be used.

    Raises:
        DLCLiveError: as the processors do, or the record cannot be read.
    """
    parts = session.processors if given is None else tuple(replace(part, mark=session.mark) for part in given)
    rehearsal = rehearse(session, parts, drafts, catalog)
    for processor in rehearsal.processors:
        processor.check(recorded.run.card)
    loop = ReplayLoop(rehearsal.processors, recorded.run)
    is_exact = not recorded.inexact
    result = ReplayResult(name=session.name, is_exact=is_exact, notices=list(recorded.inexact))
    count = _Count(loop, recorded.run, result, compares=given is None and is_exact)
    try:
        loop.open()
        with show_count(lambda: result.frames, lambda: None, session.name):
            damage = _feed(recorded, count.process, signals)
    except BaseException:
        _close_quietly(loop)
        raise
    sizes = {file.draft: file.draft.stat().st_size for file in rehearsal.files if file.draft.exists()}
    loop.close()
    result.notices += [text for text in (damage, session.unlike) if text]
    if not result.frames and not signals.received:
        raise DataError(f"{session.name}: no frame of the run could be read" + (f": {damage}" if damage else ""))
    result.statistics = {entry.processor: dict(entry.statistics) for entry in map(processor_result, loop.processors)}
    is_whole = session.is_whole and not damage
    for file in rehearsal.files:
        trigger = _trigger(file, result.ended)
        if given is None and file.recorded is not None and file.recorded.exists() and file.draft.exists():
            before_close = None if is_whole else sizes.get(file.draft, 0)
            trigger = replace(trigger, comparison=compare(file.recorded, file.draft, before_close=before_close))
        result.triggers.append(trigger)
    in_run = rehearsal.files if given is None else _files_of_run(session, drafts, catalog)
    if given is not None:
        result.triggers = _beside_recorded(result.triggers, in_run, result.ended)
    result.notices += [text for text in map(_why_unrecorded, in_run) if text]
    return Replayed(result, tuple(file.draft for file in rehearsal.files if file.draft.exists()))


def recorded_run(session: RecordedSession, catalog: PluginCatalog) -> RecordedRun:
    """The best of what a session left. Raises DataError, DependencyError."""
    readers = catalog.components(ReaderInfo)
    if not readers:
        raise DependencyError(f"no installed plugin reads the files of a run; run: {install_command(FILES)}")
    for info in readers:
        recorded = construct(catalog.factory(info), f"reader {info.name!r}", session.files, session.run)
        if recorded is not None:
            return recorded
    raise DataError(
        f"{session.name}: the run left no replay record and no table of poses in {session.folder}; "
        "pass its video: --video, with --model if the model is not where it was"
    )


class _Count:
    """Calls the loop, and counts."""

    def __init__(self, loop: ReplayLoop, run: RunInfo, result: ReplayResult, *, compares: bool) -> None:
        self._loop, self._run, self._result, self._compares = loop, run, result, compares

    def process(self, recorded: RecordedFrame) -> Pose:
        """Send a frame through the processors."""
        pose = self._loop.process(recorded)
        result, seconds = self._result, self._time(recorded)
        if not result.frames:
            result.began = seconds
        result.frames, result.ended = result.frames + 1, seconds
        if self._compares and recorded.digest is not None:
            is_same = pose_digest(pose) == recorded.digest
            result.same_poses, result.other_poses = result.same_poses + is_same, result.other_poses + (not is_same)
        return pose

    def _time(self, recorded: RecordedFrame) -> float:
        """Seconds on the axis of the events: of the run if it was live, else of the recording."""
        frame, run = recorded.frame, self._run
        if run.is_live:
            return frame.captured_at - run.started_clock
        if frame.device_time is not None:
            return frame.device_time
        return frame.index / run.fps if run.fps else frame.captured_at - run.started_clock


def _feed(recorded: RecordedRun | VideoPoses, process: Callable[[RecordedFrame], Pose], signals: StopOnSignal) -> str:
    """Process all frames; returns what could not be read."""
    if isinstance(recorded, VideoPoses):
        return recorded.feed(process, signals)
    for frame in recorded.frames():
        if signals.received:
            break
        process(frame)
    return recorded.damage


def _close_quietly(loop: ReplayLoop) -> None:
    try:
        loop.close()
    except DLCLiveError:  # the first error counts
        return


def _trigger(file: RehearsedFile, until: float) -> TriggerResult:
    return TriggerResult(
        label=file.label,
        settings=file.settings,
        file=file.draft.name,
        recorded=None if file.recorded is None else _firing(file.recorded, until),
        replayed=_firing(file.draft, until),
        threshold=file.threshold,
        unit=file.unit,
    )


def _firing(path: Path, until: float) -> Firing | None:
    table = read_events(path) if path.is_file() else None
    return None if table is None else Firing(tuple(episodes(*table)), until)


def _files_of_run(session: RecordedSession, drafts: Path, catalog: PluginCatalog) -> tuple[RehearsedFile, ...]:
    """The files that the processors of the run wrote, or could have written; none if one of its plugins is not here."""
    try:
        parts = [part for part in session.processors if may_replay(part, catalog)]
        return rehearse(session, parts, drafts, catalog).files
    except DLCLiveError:
        return ()


def _why_unrecorded(file: RehearsedFile) -> str:
    """Why a file of the run cannot be compared, or shown beside the replayed one; empty if it is there."""
    if file.recorded is None:
        return f"{file.label} has no recorded events: the run did not keep them, since its events= was not set"
    return "" if file.recorded.is_file() else f"{file.label} has no recorded events: {file.recorded} is missing"


def _beside_recorded(
    triggers: list[TriggerResult], in_run: Sequence[RehearsedFile], until: float
) -> list[TriggerResult]:
    """The triggers with other settings, each beside the recorded one of its name; then the recorded ones without."""
    recorded = {file.label: file for file in in_run if file.recorded is not None and file.recorded.is_file()}
    beside = []
    for trigger in triggers:
        other = recorded.pop(trigger.label, None)
        firing = None if other is None or other.recorded is None else _firing(other.recorded, until)
        beside.append(replace(trigger, recorded=firing))
    for label, file in recorded.items():
        if file.recorded is not None and (firing := _firing(file.recorded, until)) is not None:
            beside.append(TriggerResult(label, "", file.recorded.name, firing, None, unit=file.unit))
    return beside
