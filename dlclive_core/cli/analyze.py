"""`dlclive analyze`: reads videos, writes DeepLabCut tables."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.argument_order import check_order
from dlclive_core.cli.arguments import ModelOptions, RegionOptions, parse_named_values
from dlclive_core.cli.folder_of_videos import refuse_folder_of_videos
from dlclive_core.cli.live.session_table import counts_in_words
from dlclive_core.cli.losses import lost_data
from dlclive_core.cli.output import complain, print_json, print_table, stderr, stdout
from dlclive_core.cli.parts import ModelPart, build_processor, build_regions, build_sink
from dlclive_core.cli.progress_bar import show_progress
from dlclive_core.cli.record import RunRecord
from dlclive_core.cli.shared_files import Writers, files_of
from dlclive_core.cli.signals import StopOnSignal
from dlclive_core.cli.specs import PartSpec
from dlclive_core.cli.stopped import stopped_line
from dlclive_core.cli.unlike_words import known, unlike_in_words
from dlclive_core.components import FrameSource, PoseModel, Processor, Sink
from dlclive_core.data.names import file_name_part
from dlclive_core.errors import DLCLiveError, UsageError
from dlclive_core.hookspecs import SinkInfo
from dlclive_core.machine.files import output_folder
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.sources import source_for
from dlclive_core.session import Batch, Session, SessionReport


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeOptions:
    """The options of `dlclive analyze`, not yet parsed."""

    model: str
    videos: tuple[Path, ...]
    out: Path
    loading: ModelOptions
    regions: RegionOptions
    processors: tuple[str, ...]
    sinks: tuple[str, ...]
    source_options: tuple[str, ...]
    max_frames: int | None
    batch: Batch
    save_video: bool
    pcutoff: float
    overwrite: bool
    json: bool

    def to_dict(self) -> dict[str, Any]:
        """The options for run.json, without nesting."""
        values = asdict(self)
        values |= values.pop("loading") | values.pop("regions")
        return {name: _json_value(value) for name, value in values.items()}


def run_analyze(options: AnalyzeOptions) -> int:
    """Analyse every video; a failure does not stop the others. Returns the exit code of the first failure, or 0."""
    catalog = PluginCatalog.installed()
    _check(options, catalog)
    errors = [_source_error(video, options, catalog) for video in options.videos]
    if all(errors):  # there is nothing to analyze, and nothing to leave behind
        for error in errors:
            complain(error or "")
        return errors[0].exit_code if errors[0] is not None else 0
    part = ModelPart.build(options.loading.spec(options.model), catalog)
    began = time.perf_counter()
    with part.load(catalog) as model, output_folder(options.out):
        load_seconds = time.perf_counter() - began
        _refuse_shared_files(options, model, catalog)
        record = RunRecord.begin(options.out, model, options.to_dict(), load_seconds)
        with StopOnSignal() as signals:
            for video in options.videos:
                if not signals.received:
                    _analyze_video(options, video, model, catalog, record, signals)
        path = record.write(overwrite=options.overwrite)
        code = signals.exit_code or record.exit_code
    if options.json:
        print_json(record.to_dict())
    else:
        _print_summary(record)
        stderr().print(f"details: {path}", markup=False)
    return code


def _analyze_video(
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
        session = _build_session(options, video, model, catalog)
        with signals.stops(session), show_progress(session, video.name, limit=options.max_frames):
            error = lost_data(session.run(), session.source)
    except DLCLiveError as raised:
        error = raised
    report = session.report if session is not None and session.report is not None else None
    record.add(video, report, error)
    if error is not None:
        complain(f"{video}: {error}" if str(video) not in str(error) else error)
    elif signals.received and report is not None:
        complain(stopped_line(str(video), report))


def _build_session(options: AnalyzeOptions, video: Path, model: PoseModel, catalog: PluginCatalog) -> Session:
    return Session(
        source=_source(video, options, catalog),
        model=model,
        processors=_processors(options, catalog),
        sinks=_sinks(options, video, model, catalog),
        regions=build_regions(options.regions.spec(), model.profile),
        max_frames=options.max_frames,
        batch=options.batch,
    )


def _processors(options: AnalyzeOptions, catalog: PluginCatalog) -> list[Processor]:
    """The processors; their files, such as those of events, are relative to --out, as in `run`."""
    return [
        build_processor(PartSpec.parse(text), catalog, resolve_path=options.out.joinpath, overwrite=options.overwrite)
        for text in options.processors
    ]


def _own_sinks(options: AnalyzeOptions, catalog: PluginCatalog) -> list[Sink]:
    """The sinks of --sink; their files are relative to --out, as in `run`."""
    return [
        build_sink(PartSpec.parse(text), catalog, resolve_path=options.out.joinpath, overwrite=options.overwrite)
        for text in options.sinks
    ]


def _sinks(options: AnalyzeOptions, video: Path, model: PoseModel, catalog: PluginCatalog) -> list[Sink]:
    """Everything that writes for a video."""
    # The scorer comes from the model's file, and Windows refuses names that Linux takes; tables hold the scorer as it is.
    name = file_name_part(f"{video.stem if video.is_file() else video.name}{file_name_part(model.card.scorer)}")
    return [*_default_sinks(options, options.out / name, catalog), *_own_sinks(options, catalog)]


def _refuse_shared_files(options: AnalyzeOptions, model: PoseModel, catalog: PluginCatalog) -> None:
    """Raise UsageError if two videos, or two outputs of one, would write the same file, or one of the videos themselves."""
    writers: Writers[Path] = Writers()
    videos = {video.resolve() for video in options.videos}
    for video in options.videos:
        components = [*_sinks(options, video, model, catalog), *_processors(options, catalog)]
        for path in (path for component in components for path in files_of(component)):
            if path.resolve() in videos:
                raise UsageError(f"{path} is one of the videos: choose another name for the output")
            other = writers.add(path, video)
            if other is not None:
                raise UsageError(_shared(path, other, video))
        for component in components:
            component.close()


def _shared(path: Path, first: Path, second: Path) -> str:
    if first == second:
        return f"{path} would be written twice for {first}: give each video once, and each sink a file of its own"
    return (
        f"{first} and {second} would both write {path}: analyze them one by one, into folders of their own (--out), or "
        "rename one"
    )


def _default_sinks(options: AnalyzeOptions, stem: Path, catalog: PluginCatalog) -> list[Sink]:
    """DeepLabCut's two tables and a table of timestamps; with `save_video`, also a labelled video."""

    def build(name: str, suffix: str, **more: Any) -> Sink:
        sink: Sink = catalog.build(
            SinkInfo, name, stem.with_name(stem.name + suffix), overwrite=options.overwrite, **more
        )
        return sink

    sinks = [build("tables", ".h5"), build("tables", ".csv"), build("timestamps", "_timestamps.csv")]
    if options.save_video:
        sinks.append(build("video", "_labeled.mp4", pcutoff=options.pcutoff))
    return sinks


def _check(options: AnalyzeOptions, catalog: PluginCatalog) -> None:
    """Check the options before a model is loaded. Raises UsageError, PluginError."""
    check_order("analyze", options.model, options.videos, catalog)
    build_regions(options.regions.spec())
    for name in ("tables", "timestamps", *(("video",) if options.save_video else ())):
        catalog.factory(catalog.find(SinkInfo, name))
    for text in options.processors:
        build_processor(PartSpec.parse(text), catalog, resolve_path=options.out.joinpath).close()
    for sink in _own_sinks(options, catalog):
        sink.close()


def _source_options(options: AnalyzeOptions) -> dict[str, str]:
    return parse_named_values(options.source_options, "--source-option", "an option of a source", "colours=opencv")


def _source(video: Path, options: AnalyzeOptions, catalog: PluginCatalog) -> FrameSource:
    """The source of a video or folder. Raises DLCLiveError; UsageError for a folder of videos, which no source opens."""
    more = _source_options(options)
    if video.is_dir() and "pattern" not in more:  # with a pattern, its pictures are meant
        refuse_folder_of_videos(video, catalog)
    return source_for(video, catalog, more)


def _source_error(video: Path, options: AnalyzeOptions, catalog: PluginCatalog) -> DLCLiveError | None:
    """Why a video cannot be read, as far as its name tells."""
    try:
        _source(video, options, catalog).close()
    except DLCLiveError as error:
        return error
    return None


def _print_summary(record: RunRecord) -> None:
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
    for video in record.videos:
        if video.report is not None:
            for line in _of_the_model(video.report):
                stdout().print(f"{video.path.name}: {line}", markup=False)
        for sink in video.report.sinks if video.report is not None else ():
            if sink.statistics:
                where = str(sink.outputs[0]) if sink.outputs else f"{video.path.name}, {sink.sink}"
                stdout().print(f"{where}: {counts_in_words(sink.statistics)}", markup=False)


def _of_the_model(report: SessionReport) -> list[str]:
    lines = [line] if (line := unlike_in_words(report)) else []
    if report.model_statistics:
        lines.append(f"model: {counts_in_words(known(report.model_statistics))}")
    return lines


def _json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return str(value) if isinstance(value, Path) else value
