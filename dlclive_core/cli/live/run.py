"""`dlclive run`: runs one or more live sessions, with a status line, output files and a report."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from dlclive_core.cli.live.latency_picture import latency_picture
from dlclive_core.cli.live.live_numbers import LiveNumbers
from dlclive_core.cli.live.live_record import LiveRecord, SessionRecord
from dlclive_core.cli.live.parts import RigParts, SessionParts
from dlclive_core.cli.live.run_spec import RunSpec
from dlclive_core.cli.live.session_table import print_session
from dlclive_core.cli.live.start_gate import StartGate
from dlclive_core.cli.live.status_line import live_lines
from dlclive_core.cli.live.views_spec import NAME
from dlclive_core.cli.losses import lost_data
from dlclive_core.cli.output import complain, print_json, stderr
from dlclive_core.cli.record import model_facts
from dlclive_core.cli.shared_files import files_of
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.components import PoseModel
from dlclive_core.data.estimate import RunInfo
from dlclive_core.errors import DLCLiveError, UsageError
from dlclive_core.machine.files import output_folder, write_whole
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.session import Rig, Session, SessionReport


class Measurement(Protocol):
    """What a command adds to a run with one source."""

    def take(self, parts: RigParts) -> None:
        """The parts are built."""

    def stops(self, rig: Rig) -> AbstractContextManager[None]:
        """Stops the rig, while it runs, when the measurement is over."""

    @property
    def error(self) -> DLCLiveError | None:
        """What ended the measurement early."""

    @property
    def values(self) -> dict[str, Any]:
        """What was measured, for the record."""

    def write(self, report: SessionReport, record: Path, *, overwrite: bool, json: bool) -> dict[str, str]:
        """Print and write what was measured, beside the record; return the paths for the record. Raises DataError."""


def run_live(spec: RunSpec, *, json: bool, measurement: Measurement | None = None) -> int:
    """Run until the sources end, a limit or signal stops the run, or a component fails; return the exit code.

    Raises DLCLiveError if the run cannot start.
    """
    catalog = PluginCatalog.installed()
    parts = RigParts.build(spec, catalog)
    if measurement is not None:
        measurement.take(parts)
    with ExitStack() as stack:
        models: dict[int, PoseModel] = {}
        facts: dict[int, dict[str, Any]] = {}
        for number, part in parts.models.items():
            began = time.perf_counter()
            models[number] = stack.enter_context(part.load(catalog))
            facts[number] = model_facts(models[number], time.perf_counter() - began)
        _refuse_shared_trackers(parts, models)
        stack.enter_context(output_folder(spec.out))
        records = [
            SessionRecord(part.spec.name, part.source, models[number], facts[number], part.sinks)
            for part in parts.sessions
            for number in [part.spec.model_number]
        ]
        record = LiveRecord(spec, records)
        with StopOnSignal() as signals:
            rig, numbers, error = _run(spec, parts, models, record, signals, measurement)
            return _finish(record, rig, numbers, error, signals, measurement, spec=spec, json=json)


def _refuse_shared_trackers(parts: RigParts, models: dict[int, PoseModel]) -> None:
    """Raise UsageError for a shared model with state; the rig's own error does not name the options."""
    for number, model in models.items():
        sharing = [part.spec.name for part in parts.sessions if part.spec.model_number == number]
        if model.remembers and len(sharing) > 1:
            raise UsageError(
                f"{' and '.join(sharing)} cannot share a model ({model.card.net_type}) that tracks animals between frames: "
                "pass one --model per source, or switch tracking off"
            )


def _run(
    spec: RunSpec,
    parts: RigParts,
    models: dict[int, PoseModel],
    record: LiveRecord,
    signals: StopOnSignal,
    measurement: Measurement | None,
) -> tuple[Rig, list[LiveNumbers], DLCLiveError | None]:
    timer: list[threading.Timer] = []

    def begin(run: RunInfo) -> None:
        record.begin(run)
        if spec.seconds is not None:
            timer.append(threading.Timer(spec.seconds, rig.stop))
            timer[0].daemon = True
            timer[0].start()

    gate = StartGate(len(parts.sessions) + (parts.views is not None), begin)
    numbers = [LiveNumbers(on_open=gate.session_opened) for _ in parts.sessions]
    sessions = {
        part.spec.name: _session(spec, part, models[part.spec.model_number], number)
        for part, number in zip(parts.sessions, numbers, strict=True)
    }
    rig: Rig
    if parts.views is None:
        rig = Rig(list(sessions.values()))
    else:
        numbers.append(LiveNumbers(on_open=gate.session_opened))
        rig = views_rig = parts.views.rig(sessions, numbers[-1], spec.deadline)
        joined, card = views_rig.session_3d, views_rig.session_3d.model.card
        facts = {"file": views_rig.calibration.name, "card": asdict(card), "unit": views_rig.calibration.unit}
        record.sessions.append(SessionRecord(NAME, joined.source, joined.model, facts))
    error: DLCLiveError | None = None
    ends = measurement.stops(rig) if measurement is not None else nullcontext()
    with signals.stops(rig), live_lines(rig.sessions, numbers), ends:
        try:
            rig.run()
        except DLCLiveError as raised:
            error = raised
        finally:
            for limit in timer:
                limit.cancel()
    if error is None and measurement is not None:
        error = measurement.error
    return rig, numbers, error


def _session(spec: RunSpec, part: SessionParts, model: PoseModel, numbers: LiveNumbers) -> Session:
    options: dict[str, Any] = {"deadline": spec.deadline} if spec.deadline is not None else {}
    return Session(
        source=part.source,
        model=model,
        processors=[*part.processors, numbers],
        sinks=part.sinks,
        regions=part.regions,
        max_frames=spec.max_frames,
        stale_after=spec.stale_after,
        name=part.label,
        **options,
    )


def _finish(
    record: LiveRecord,
    rig: Rig,
    numbers: list[LiveNumbers],
    error: DLCLiveError | None,
    signals: StopOnSignal,
    measurement: Measurement | None,
    *,
    spec: RunSpec,
    json: bool,
) -> int:
    """Write the record and the plots, print the report, and return the exit code."""
    reports = [without_live_numbers(report) for report in rig.reports if report is not None]
    if record.path is None or len(reports) < len(rig.sessions):  # the run never started
        if error is not None:
            raise error
        return signals.exit_code
    error, message = _failure(error, rig, reports)
    code = error.exit_code if error is not None else signals.exit_code
    pictures = []
    unwritten: DLCLiveError | None = None
    for session, report, number in zip(record.sessions, reports, numbers, strict=True):
        pictures.append(record.picture_path(session))
        title = f"{report.name}, {session.model_name} on {report.runtime}, {report.device}, {report.started_at:%Y-%m-%d %H:%M}"
        picture = latency_picture(title, number.history, number.distribution, report.stages)
        try:
            write_whole(pictures[-1], picture, overwrite=spec.overwrite)
        except DLCLiveError as raised:
            unwritten = unwritten or raised
    if measurement is not None:
        measured = measurement.values
        record.add("latency", measured)
        try:
            measured |= measurement.write(reports[0], record.path, overwrite=spec.overwrite, json=json)
        except DLCLiveError as raised:  # the record says so, and is finished
            unwritten = unwritten or raised
    if unwritten is not None and not message:
        message, code = str(unwritten), unwritten.exit_code
    values = record.finish(reports, message, code)
    if json:
        print_json(values)
    else:
        for report in reports:
            print_session(report)
        outputs = [path for result in values.get("sources", [values]) for path in result["outputs"]]
        processors = [processor for session in rig.sessions for processor in session.processors]
        events = [str(path) for processor in processors for path in files_of(processor) if path.exists()]
        for path in dict.fromkeys((*outputs, *events, record.path, *pictures)):
            stderr().print(f"written: {path}", markup=False)
    if message:
        complain(message)
    return code


def _failure(error: DLCLiveError | None, rig: Rig, reports: list[SessionReport]) -> tuple[DLCLiveError | None, str]:
    """The failure or data loss, and its message; with several sources, the message begins with the source's name."""
    names = [report.name for report in reports if report.ending == "error"]
    if error is None:
        for session, report in zip(rig.sessions, reports, strict=True):
            error = lost_data(report, session.source)
            if error is not None:
                names = [report.name]
                break
    message = str(error or "")
    if len(reports) > 1 and len(names) == 1 and not message.startswith(names[0]):
        message = f"{names[0]}: {message}"
    return error, message


def without_live_numbers(report: SessionReport) -> SessionReport:
    """The report without LiveNumbers, the processor that `run` adds."""
    added = LiveNumbers.__name__
    return replace(report, processors=tuple(result for result in report.processors if result.processor != added))
