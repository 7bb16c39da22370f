"""`dlclive run`: a session, watched, with finished files and numbers at its end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlclive_core.catalog import PluginCatalog
from dlclive_core.cli.live.line import live_line
from dlclive_core.cli.live.numbers import LiveNumbers
from dlclive_core.cli.live.parts import SessionParts
from dlclive_core.cli.live.picture import latency_picture
from dlclive_core.cli.live.record import LiveRecord, what_was_lost
from dlclive_core.cli.live.table import print_session
from dlclive_core.cli.live.words import ModelWords, RunWords, located
from dlclive_core.cli.output import complain, print_json, stderr
from dlclive_core.cli.record import model_facts, write_whole
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.components import PoseModel
from dlclive_core.errors import DataError, DLCLiveError
from dlclive_core.estimate import RunInfo
from dlclive_core.models import load_model
from dlclive_core.session import Session, SessionReport


def run_live(words: RunWords, *, json: bool) -> int:
    """Run a session until its source ends, a limit is reached, a signal comes or something fails; return the exit code.

    Raises what makes it impossible before it began.
    """
    catalog = PluginCatalog.installed()
    parts = SessionParts.build(words, catalog)
    began = time.perf_counter()
    with load(words.model, catalog) as model:
        facts = model_facts(parts.model_file, model, time.perf_counter() - began)
        make_folder(words.out)
        record = LiveRecord.of(words, parts.source, model, facts)
        with StopOnSignal() as signals:
            ran = _run(words, parts, model, record, signals)
            return _finish(record, ran, signals, json=json)


def load(words: ModelWords, catalog: PluginCatalog) -> PoseModel:
    """The model that the words describe."""
    more = {"detector": words.detector} if words.detector else {}
    assert words.path is not None
    with located(words.where):
        return load_model(
            words.path,
            words.runtime,
            device=words.device,
            precision=words.precision,
            catalog=catalog,
            **words.finding.given(),
            **more,
        )


def make_folder(path: Path) -> None:
    """The folder of the outputs, with those above it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {path}: {error.strerror}") from None


def _run(
    words: RunWords, parts: SessionParts, model: PoseModel, record: LiveRecord, signals: StopOnSignal
) -> tuple[Session, LiveNumbers, DLCLiveError | None]:
    timer: list[threading.Timer] = []

    def begin(run: RunInfo) -> None:
        record.begin(run)
        if words.seconds is not None:
            timer.append(threading.Timer(words.seconds, session.stop))
            timer[0].daemon = True
            timer[0].start()

    numbers = LiveNumbers(on_open=begin)
    more: dict[str, Any] = {"deadline": words.deadline} if words.deadline is not None else {}
    session = Session(
        source=parts.source,
        model=model,
        processors=[*parts.processors, numbers],
        sinks=parts.sinks,
        regions=parts.regions,
        max_frames=words.max_frames,
        stale_after=words.stale_after,
        **more,
    )
    error: DLCLiveError | None = None
    with signals.stops(session), live_line(session, numbers):
        try:
            session.run()
        except DLCLiveError as raised:
            error = raised
        finally:
            for ticking in timer:
                ticking.cancel()
    return session, numbers, error


def _finish(
    record: LiveRecord,
    ran: tuple[Session, LiveNumbers, DLCLiveError | None],
    signals: StopOnSignal,
    *,
    json: bool,
) -> int:
    """Write what is to be known about the session, and say it."""
    session, numbers, error = ran
    if record.path is None or session.report is None:  # it never began
        if error is not None:
            raise error
        return signals.exit_code
    report = without_the_last_processor(session.report)
    error = error or what_was_lost(report, session.source)
    code = error.exit_code if error is not None else signals.exit_code
    picture = record.picture_path()
    title = (
        f"{report.source}, {record.model_name} on {report.runtime}, {report.device}, {report.started_at:%Y-%m-%d %H:%M}"
    )
    write_whole(picture, latency_picture(title, numbers.history, numbers.distribution, report.stages))
    values = record.finish(report, error, code, picture)
    if json:
        print_json(values)
    else:
        print_session(report)
        for path in (*values["outputs"], record.path, picture):
            stderr().print(f"written: {path}", markup=False)
    if error is not None:
        complain(error)
    return code


def without_the_last_processor(report: SessionReport) -> SessionReport:
    """The report as if the numbers had not been taken."""
    return replace(report, processors=report.processors[:-1])
