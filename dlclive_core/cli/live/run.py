"""`dlclive run`: a session, or several, watched, with finished files and numbers at the end."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.latency_picture import latency_picture
from dlclive_core.cli.live.live_numbers import LiveNumbers
from dlclive_core.cli.live.live_record import LiveRecord, SessionRecord
from dlclive_core.cli.live.losses import what_was_lost
from dlclive_core.cli.live.parts import ModelPart, RigParts, SessionParts
from dlclive_core.cli.live.run_spec import RunSpec, located
from dlclive_core.cli.live.session_table import print_session
from dlclive_core.cli.live.start_gate import Beginning
from dlclive_core.cli.live.status_line import live_lines
from dlclive_core.cli.output import complain, print_json, stderr
from dlclive_core.cli.record import model_facts, write_whole
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.components import PoseModel
from dlclive_core.data.estimate import RunInfo
from dlclive_core.errors import DataError, DLCLiveError, UsageError
from dlclive_core.models.load import load_model
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.session import Rig, Session, SessionReport


def run_live(spec: RunSpec, *, json: bool) -> int:
    """Run until the sources end, a limit is reached, a signal comes or something fails; return the exit code.

    Raises what makes it impossible before it began.
    """
    catalog = PluginCatalog.installed()
    parts = RigParts.build(spec, catalog)
    with ExitStack() as stack:
        models: dict[int, PoseModel] = {}
        facts: dict[int, dict[str, Any]] = {}
        for number, part in parts.models.items():
            began = time.perf_counter()
            models[number] = stack.enter_context(load(part, catalog))
            facts[number] = model_facts(part.file, models[number], time.perf_counter() - began)
        _refuse_shared_memories(parts, models)
        make_folder(spec.out)
        records = [
            SessionRecord(part.spec.name, part.source, models[number], facts[number])
            for part in parts.sessions
            for number in [part.spec.model_number]
        ]
        record = LiveRecord(spec, records)
        with StopOnSignal() as signals:
            rig, numbers, error = _run(spec, parts, models, record, signals)
            return _finish(record, rig, numbers, error, signals, json=json)


def load(part: ModelPart, catalog: PluginCatalog) -> PoseModel:
    """The model that the words describe, with the profile that was found for them."""
    spec = part.spec
    more = {**part.options, **({"detector": spec.detector} if spec.detector else {})}
    assert spec.path is not None
    with located(spec.where):
        return load_model(
            spec.path,
            spec.runtime,
            device=spec.device,
            precision=spec.precision,
            profile=part.loading.profile,
            catalog=catalog,
            **spec.detection.changed_options(),
            **more,
        )


def make_folder(path: Path) -> None:
    """The folder of the outputs, with those above it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {path}: {error.strerror}") from None


def _refuse_shared_memories(parts: RigParts, models: dict[int, PoseModel]) -> None:
    """Before a rig does it, in words of the command line."""
    for number, model in models.items():
        sharing = [part.spec.name for part in parts.sessions if part.spec.model_number == number]
        if model.remembers and len(sharing) > 1:
            raise UsageError(
                f"{' and '.join(sharing)} cannot share a model ({model.card.net_type}) that remembers where animals were: "
                "give each its own, --model once for each --source, or let it look anew in every frame"
            )


def _run(
    spec: RunSpec, parts: RigParts, models: dict[int, PoseModel], record: LiveRecord, signals: StopOnSignal
) -> tuple[Rig, list[LiveNumbers], DLCLiveError | None]:
    timer: list[threading.Timer] = []

    def begin(run: RunInfo) -> None:
        record.begin(run)
        if spec.seconds is not None:
            timer.append(threading.Timer(spec.seconds, rig.stop))
            timer[0].daemon = True
            timer[0].start()

    beginning = Beginning(len(parts.sessions), begin)
    numbers = [LiveNumbers(on_open=beginning.one_is_open) for _ in parts.sessions]
    rig = Rig(
        [
            _session(spec, part, models[part.spec.model_number], number)
            for part, number in zip(parts.sessions, numbers, strict=True)
        ]
    )
    error: DLCLiveError | None = None
    with signals.stops(rig), live_lines(rig.sessions, numbers):
        try:
            rig.run()
        except DLCLiveError as raised:
            error = raised
        finally:
            for ticking in timer:
                ticking.cancel()
    return rig, numbers, error


def _session(spec: RunSpec, part: SessionParts, model: PoseModel, numbers: LiveNumbers) -> Session:
    more: dict[str, Any] = {"deadline": spec.deadline} if spec.deadline is not None else {}
    return Session(
        source=part.source,
        model=model,
        processors=[*part.processors, numbers],
        sinks=part.sinks,
        regions=part.regions,
        max_frames=spec.max_frames,
        stale_after=spec.stale_after,
        name=part.label,
        **more,
    )


def _finish(
    record: LiveRecord,
    rig: Rig,
    numbers: list[LiveNumbers],
    error: DLCLiveError | None,
    signals: StopOnSignal,
    *,
    json: bool,
) -> int:
    """Write what is to be known about the sessions, and say it."""
    reports = [without_the_last_processor(report) for report in rig.reports if report is not None]
    if record.path is None or len(reports) < len(rig.sessions):  # it never began
        if error is not None:
            raise error
        return signals.exit_code
    error, message = _failure(error, rig, reports)
    code = error.exit_code if error is not None else signals.exit_code
    pictures = []
    for session, report, number in zip(record.sessions, reports, numbers, strict=True):
        pictures.append(record.picture_path(session))
        title = f"{report.name}, {session.model_name} on {report.runtime}, {report.device}, {report.started_at:%Y-%m-%d %H:%M}"
        write_whole(pictures[-1], latency_picture(title, number.history, number.distribution, report.stages))
    values = record.finish(reports, message, code)
    if json:
        print_json(values)
    else:
        for report in reports:
            print_session(report)
        outputs = [path for one in values.get("sources", [values]) for path in one["outputs"]]
        for path in (*outputs, record.path, *pictures):
            stderr().print(f"written: {path}", markup=False)
    if message:
        complain(message)
    return code


def _failure(error: DLCLiveError | None, rig: Rig, reports: list[SessionReport]) -> tuple[DLCLiveError | None, str]:
    """What failed, or else what was lost, and its message; with several sources, the name of the one comes first."""
    names = [report.name for report in reports if report.ending == "error"]
    if error is None:
        for session, report in zip(rig.sessions, reports, strict=True):
            error = what_was_lost(report, session.source)
            if error is not None:
                names = [report.name]
                break
    message = str(error or "")
    if len(reports) > 1 and len(names) == 1 and not message.startswith(names[0]):
        message = f"{names[0]}: {message}"
    return error, message


def without_the_last_processor(report: SessionReport) -> SessionReport:
    """The report as if the numbers had not been taken."""
    return replace(report, processors=report.processors[:-1])
