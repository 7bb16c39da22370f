"""`dlclive convert`: finished poses to the format of another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlclive_core.cli.output import print_json, stdout, warn
from dlclive_core.cli.progress_bar import show_count
from dlclive_core.conversion import convert_poses


@dataclass(slots=True)
class _Progress:
    done: int = 0
    total: int | None = None

    def note(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def run_convert(
    source: Path,
    target: str,
    *,
    to: str | None,
    times: Path | None,
    fps: float | None,
    model: str | None,
    name: str | None,
    overwrite: bool,
    json: bool,
) -> None:
    """Convert, and print what was written."""
    progress = _Progress()
    with show_count(lambda: progress.done, lambda: progress.total, source.name):
        result = convert_poses(
            source,
            target,
            to=to,
            times=times,
            fps=fps,
            model=model,
            name=name,
            overwrite=overwrite,
            progress=progress.note,
        )
    for note in result.notes:
        warn(f"note: {note}")
    if json:
        print_json(result.to_dict())
        return
    animals = f"{result.individuals} animals, " if result.individuals > 1 else ""
    files = ", ".join(map(str, result.files[:5])) + (
        f" and {len(result.files) - 5} more" if len(result.files) > 5 else ""
    )
    stdout().print(
        f"{files} ({result.written_as}): {result.frames} frames, {animals}{result.keypoints} keypoints, "
        f"from {result.source} ({result.read_as})",
        markup=False,
    )
