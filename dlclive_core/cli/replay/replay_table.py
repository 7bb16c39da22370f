"""Prints the result of a replay."""

from __future__ import annotations

from dlclive_core.cli.output import print_table, stdout
from dlclive_core.cli.replay.replay_result import Firing, ReplayResult


def print_result(result: ReplayResult, *, as_recorded: bool) -> None:
    """Print the triggers, recorded and replayed, and what was compared."""
    rows: list[tuple[str, ...]] = []
    for trigger in result.triggers:
        both = {"recorded": trigger.recorded, "replayed": trigger.replayed}
        for which, firing in both.items():
            if firing is not None:
                rows.append((trigger.label, which, *_numbers(firing, result.seconds)))
    title = f"{result.name}: {result.frames} frames, {result.seconds:.1f} s"
    if rows:
        print_table(title, ("trigger", "", "events", "first s", "last s", "on s", "per min"), rows)
    else:
        stdout().print(f"{title}; no processor wrote events", markup=False)
    console = stdout()
    for trigger in result.triggers:
        if trigger.comparison is not None:
            console.print(f"{trigger.file}: {trigger.comparison.text}", markup=False)
    if as_recorded and result.same_poses + result.other_poses:
        console.print(
            f"poses after the processors: {result.same_poses} of {result.frames} identical to the recorded ones",
            markup=False,
        )
    for name, statistics in result.statistics.items():
        if statistics:
            values = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in statistics.items())
            console.print(f"{name}: {values}", markup=False)


def _numbers(firing: Firing, seconds: float) -> tuple[str, ...]:
    episodes = firing.episodes
    times = (f"{episodes[0].begin:.3f}", f"{episodes[-1].begin:.3f}") if episodes else ("-", "-")
    return (str(len(episodes)), *times, f"{firing.on_time:.2f}", f"{firing.per_minute(seconds):.2f}")
