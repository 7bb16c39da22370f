"""Prints a session's report: a table of its stages, and where frames were lost."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core.cli.output import print_table, stdout
from dlclive_core.cli.unlike_words import known, unlike_in_words
from dlclive_core.session import SessionReport, SinkResult, StageTimes
from dlclive_core.text.counted import counted

_EVENTS = 5  # maximum number of events printed
_COUNTED = ("stale", "recovered")  # events already counted in the line about stalls


def print_session(report: SessionReport) -> None:
    """Print the report on standard output."""
    rows = [_row(stage.stage, stage, _lost(stage.stage, report)) for stage in report.stages if stage.count]
    rows += [_row(f"write {_name(sink)}", sink.write, sink.dropped) for sink in report.sinks]
    print_table(
        f"{report.name} on {report.runtime}, {report.device}: {report.processed} frames in {report.duration:.1f} s, "
        f"{report.fps:.1f} frames/s",
        ("stage", "p50 ms", "p95 ms", "p99 ms", "max ms", "lost"),
        rows,
    )
    console = stdout()
    console.print(
        f"frames read {report.frames_read} = processed {report.processed} + dropped {report.dropped}; ended: {report.ending}",
        markup=False,
    )
    for line in remarks(report):
        console.print(line, markup=False)


def remarks(report: SessionReport) -> list[str]:
    """Lines on losses outside the session, stalls, frames unlike the training, tolerated failures, statistics and events."""
    before = {
        "skipped by the source in favour of newer ones": report.skipped,
        "lost in transmission": report.lost,
        "damaged": report.corrupt,
    }
    causes = ", ".join(f"{count} {what}" for what, count in before.items() if count)
    lines = [f"{report.skipped + report.lost + report.corrupt} missed: {causes}"] if causes else []
    if report.reconnects:
        lines.append(f"the source disconnected and reconnected {counted(report.reconnects, 'time')}")
    if report.stalls:
        lines.append(f"{counted(report.stalls, 'stall')} without frames, longest {report.longest_stall:.2f} s")
    if unlike := unlike_in_words(report):
        lines.append(unlike)
    if report.model_statistics:
        lines.append(f"model: {counts_in_words(known(report.model_statistics))}")
    for sink in report.sinks:
        if sink.dropped and not sink.error:
            lines.append(f"{_name(sink)}: {sink.dropped} frames are missing: the sink was too slow")
        if sink.statistics:
            lines.append(f"{_name(sink)}: {counts_in_words(sink.statistics)}")
    for processor in report.processors:
        if processor.failures:
            lines.append(f"{processor.processor} failed on {counted(processor.failures, 'frame')}: {processor.error}")
        if processor.statistics:
            lines.append(f"{processor.processor}: {counts_in_words(processor.statistics)}")
    events = [event for event in report.events if event.kind not in _COUNTED]
    lines += [f"at {event.at:.1f} s: {event.text}" for event in events[:_EVENTS]]
    more = len(events) - _EVENTS + report.events_omitted
    if more > 0:
        lines.append(f"{counted(more, 'more event')} in run.json")
    return lines


def counts_in_words(statistics: Mapping[str, float]) -> str:
    """`kept 4, frames left out 2`."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in statistics.items())


def _lost(stage: str, report: SessionReport) -> int | None:
    """The number of frames lost at a stage; None if the stage cannot lose frames."""
    if stage == "capture":
        return report.skipped + report.lost + report.corrupt
    if stage == "wait":
        return report.drops.slot + report.drops.left
    return report.drops.failed if stage == "inference" else None


def _name(sink: SinkResult) -> str:
    """The sink's first file name, or else its class name."""
    return sink.outputs[0].name.removesuffix(".part") if sink.outputs else sink.sink


def _row(name: str, times: StageTimes, dropped: int | None) -> tuple[str, ...]:
    numbers = (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)
    return (name, *(f"{number:.2f}" for number in numbers), "" if dropped is None else str(dropped))
