"""`dlclive replay`: a recorded run through the same processors, or through others."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dlclive_core.cli.output import complain, print_json, stderr, warn
from dlclive_core.cli.replay.recorded_session import RecordedSession, chosen, read_sessions
from dlclive_core.cli.replay.replay_picture import replay_picture
from dlclive_core.cli.replay.replay_session import Replayed, recorded_run, replay_session
from dlclive_core.cli.replay.replay_table import print_result
from dlclive_core.cli.replay.video_poses import VideoPoses
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.cli.specs import PartSpec
from dlclive_core.data.recorded_run import RecordedRun
from dlclive_core.data.run_record import find_record
from dlclive_core.errors import DataError, UsageError
from dlclive_core.machine.files import exists_error, output_folder, replace_whole, write_whole
from dlclive_core.machine.json_text import json_text
from dlclive_core.plugins.catalog import PluginCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """The options of `dlclive replay`."""

    run: Path
    processors: tuple[str, ...]
    name: str | None
    video: Path | None
    model: str | None
    times: Path | None
    out: Path | None
    overwrite: bool
    json: bool


def run_replay(options: ReplayOptions) -> int:
    """Replay the sessions of a run; returns the exit code: 5 if the same settings gave other events."""
    catalog = PluginCatalog.installed()
    record = find_record(options.run)
    sessions = chosen(read_sessions(record), options.name)
    _check(options, sessions)
    given = tuple(PartSpec.parse(text) for text in options.processors) or None
    with ExitStack() as stack:
        drafts = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dlclive-replay-")))
        signals = stack.enter_context(StopOnSignal())
        replayed = []
        for number, session in enumerate(sessions):
            folder = drafts / str(number)
            folder.mkdir()
            recorded = _recorded(session, options, catalog, stack)
            replayed.append(replay_session(session, given, recorded, folder, catalog, signals))
            if signals.received:
                complain("stopped; nothing was written")
                return signals.exit_code
        values = {
            "run": str(record),
            "processors": list(options.processors) or None,
            "sessions": [one.result.to_dict() for one in replayed],
        }
        written = _write(options, sessions, replayed, values) if options.out is not None else []
    if options.json:
        print_json(values)
    else:
        for one in replayed:
            print_result(one.result, as_recorded=given is None)
        for path in written:
            stderr().print(f"written: {path}", markup=False)
    return _verdict(replayed, as_recorded=given is None)


def _check(options: ReplayOptions, sessions: tuple[RecordedSession, ...]) -> None:
    if options.video is None and (options.model is not None or options.times is not None):
        raise UsageError("--model and --times are for the poses of a video; pass --video")
    if options.video is not None and len(sessions) > 1:
        names = ", ".join(session.name for session in sessions)
        raise UsageError(f"the run has several sources ({names}); say which one the video is of: --name")
    for session in sessions:
        if not options.processors and not session.processors:
            raise UsageError(f"{session.name} was recorded without processors; pass some: --processor")


def _recorded(
    session: RecordedSession, options: ReplayOptions, catalog: PluginCatalog, stack: ExitStack
) -> RecordedRun | VideoPoses:
    if options.video is None:
        return recorded_run(session, catalog)
    poses = VideoPoses.open(session, options.video, options.model, options.times, catalog)
    stack.enter_context(poses.model)
    return poses


def _write(
    options: ReplayOptions, sessions: tuple[RecordedSession, ...], replayed: list[Replayed], values: dict[str, Any]
) -> list[Path]:
    """Give the drafts their names, and write the picture and replay.json; nothing is written if one of them exists."""
    out, overwrite = options.out, options.overwrite
    assert out is not None
    pictures = {out / f"replay{session.mark}.svg": one.result for session, one in zip(sessions, replayed, strict=True)}
    drafts = {out / draft.name: draft for one in replayed for draft in one.files}
    paths = [*drafts, *pictures, out / "replay.json"]
    if len(drafts) < sum(len(one.files) for one in replayed):
        raise UsageError("two sources would write the same file; put {source} into its name")
    for path in paths:
        if path.exists() and not overwrite:
            raise exists_error(path)
    with output_folder(out):
        for path, draft in drafts.items():
            replace_whole(path, partial(shutil.copyfile, draft), overwrite=overwrite)
        for path, result in pictures.items():
            write_whole(path, replay_picture(f"{options.run}: {result.name}", result), overwrite=overwrite)
        write_whole(out / "replay.json", json_text(values) + "\n", overwrite=overwrite)
    return paths


def _verdict(replayed: list[Replayed], *, as_recorded: bool) -> int:
    """Print why the replay is not that of the run; returns the exit code."""
    code = 0
    for one in replayed:
        result = one.result
        for notice in result.notices:
            warn(f"note: {result.name}: {notice}")
        if as_recorded and result.is_exact and result.difference:
            complain(f"{result.name}: {result.difference}")
            code = DataError.exit_code
    return code
