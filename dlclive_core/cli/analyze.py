"""`dlclive analyze`: videos in, DeepLabCut's tables out."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.arguments import ModelOptions, RegionOptions, runtime_words
from dlclive_core.cli.output import complain, print_json, print_table, stderr
from dlclive_core.cli.progress_bar import watching
from dlclive_core.cli.record import RunRecord
from dlclive_core.cli.runtime_options import runtime_options
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.components import PoseModel, Sink
from dlclive_core.errors import DataError, DLCLiveError
from dlclive_core.hookspecs import ProcessorInfo, SinkInfo
from dlclive_core.models.load import choose_loading, load_model
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.plugins.specs import build_component
from dlclive_core.profiles import regions_or_own
from dlclive_core.regions import regions_from_options
from dlclive_core.session import Batch, Session, SessionReport


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeOptions:
    """The options of `dlclive analyze`, as given."""

    model: str
    videos: tuple[Path, ...]
    out: Path
    loading: ModelOptions
    regions: RegionOptions
    processors: tuple[str, ...]
    sinks: tuple[str, ...]
    max_frames: int | None
    batch: Batch
    save_video: bool
    pcutoff: float
    overwrite: bool
    json: bool


def run_analyze(options: AnalyzeOptions) -> int:
    """Analyse every video; a video that fails does not stop the others. Returns the exit code, the first failure's."""
    catalog = PluginCatalog.installed()
    _check(options, catalog)
    began = time.perf_counter()
    how = options.loading
    loading = choose_loading(
        options.model, how.runtime, device=how.device, precision=how.precision, profile=how.profile, catalog=catalog
    )
    more = runtime_options(loading.runtime, runtime_words(how.runtime_option), catalog)
    if how.detector:
        more["detector"] = how.detector
    with load_model(
        options.model,
        how.runtime,
        device=how.device,
        precision=how.precision,
        profile=loading.profile,
        catalog=catalog,
        **how.detection.changed_options(),
        **more,
    ) as model:
        out = _folder(options.out)
        record = RunRecord.begin(out, model, options, time.perf_counter() - began)
        with StopOnSignal() as signals:
            for video in options.videos:
                if not signals.received:
                    _analyze_one(options, video, model, catalog, record, signals)
        path = record.write(overwrite=options.overwrite)
        code = signals.exit_code or record.exit_code
    if options.json:
        print_json(record.to_dict())
    else:
        _summarise(record)
        stderr().print(f"details: {path}", markup=False)
    return code


def _analyze_one(
    options: AnalyzeOptions,
    video: Path,
    model: PoseModel,
    catalog: PluginCatalog,
    record: RunRecord,
    signals: StopOnSignal,
) -> None:
    session: Session | None = None
    error: DLCLiveError | None = None
    try:
        session = _session(options, video, model, catalog)
        with signals.stops(session), watching(session, video.name, limit=options.max_frames):
            error = _what_went_wrong(session.run(), video)
    except DLCLiveError as raised:
        error = raised
    report = session.report if session is not None and session.report is not None else None
    record.add(video, report, error)
    if error is not None:
        complain(f"{video}: {error}" if str(video) not in str(error) else error)
    elif signals.received and report is not None:
        left = ", ".join(sorted({str(path) for sink in report.sinks for path in sink.outputs if path.exists()}))
        complain(f"{video}: stopped after {report.processed} frames; what was done is in {left or 'no file'}")


def _session(options: AnalyzeOptions, video: Path, model: PoseModel, catalog: PluginCatalog) -> Session:
    source = source_for(video, catalog)
    stem = options.out / f"{video.stem if video.is_file() else video.name}{model.card.scorer}"
    return Session(
        source=source,
        model=model,
        processors=[build_component(catalog, ProcessorInfo, text) for text in options.processors],
        sinks=[*_sinks(options, stem, catalog), *(build_component(catalog, SinkInfo, text) for text in options.sinks)],
        regions=regions_or_own(model.profile, regions_from_options(**options.regions.numbers()).regions),
        max_frames=options.max_frames,
        batch=options.batch,
    )


def _sinks(options: AnalyzeOptions, stem: Path, catalog: PluginCatalog) -> list[Sink]:
    """DeepLabCut's two tables and the time of each frame, beside them; a labelled video if asked for."""

    def build(name: str, suffix: str, **more: Any) -> Sink:
        sink: Sink = catalog.build(
            SinkInfo, name, stem.with_name(stem.name + suffix), overwrite=options.overwrite, **more
        )
        return sink

    sinks = [build("tables", ".h5"), build("tables", ".csv"), build("timestamps", "_timestamps.csv")]
    if options.save_video:
        sinks.append(build("video", "_labeled.mp4", pcutoff=options.pcutoff))
    return sinks


def _what_went_wrong(report: SessionReport, video: Path) -> DLCLiveError | None:
    """A run that came to its end and still lost something."""
    for sink in report.sinks:
        if sink.error:
            return DataError(f"{sink.sink} stopped after {sink.written} frames: {sink.error}")
    if report.corrupt:
        return DataError(
            f"{video} is damaged: {report.corrupt} pieces could not be decoded, {report.processed} frames could; "
            "their rows are right, the lost frames' rows are empty"
        )
    return None


def _check(options: AnalyzeOptions, catalog: PluginCatalog) -> None:
    """Find out about impossible options before anything is loaded."""
    regions_from_options(**options.regions.numbers())
    options.loading.detection.changed_options()
    for text in options.processors:
        build_component(catalog, ProcessorInfo, text).close()
    for text in options.sinks:
        build_component(catalog, SinkInfo, text).close()


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {path}: {error.strerror}") from None
    return path


def _summarise(record: RunRecord) -> None:
    rows = []
    for video in record.videos:
        report = video.report
        if report is None:
            rows.append((video.path.name, "-", "-", "-", "-", video.verdict))
            continue
        inference = next(stage for stage in report.stages if stage.stage == "inference")
        rows.append(
            (
                video.path.name,
                str(report.processed),
                f"{report.fps:.1f}",
                f"{inference.p50_ms:.1f}",
                f"{inference.p99_ms:.1f}",
                video.verdict,
            )
        )
    title = f"{record.model_name} on {record.runtime}, {record.device}"
    print_table(title, ("video", "frames", "frames/s", "p50 ms", "p99 ms", "result"), rows)


def options_as_dict(options: AnalyzeOptions) -> dict[str, Any]:
    """For the record, in one level."""
    values = asdict(options)
    values |= values.pop("loading") | values.pop("regions")
    return {
        name: [str(item) for item in value]
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in values.items()
    }
