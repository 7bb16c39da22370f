"""`dlclive check`: what a session would be. Components are made and not opened; the model is found and not loaded."""

from __future__ import annotations

from typing import Any

from dlclive_core.catalog import PluginCatalog
from dlclive_core.cli.live.parts import SessionParts
from dlclive_core.cli.live.words import RunWords
from dlclive_core.cli.output import print_json, print_table, stdout


def run_check(words: RunWords, *, json: bool) -> None:
    """Print what would run. Raises what is wrong, as `run` would before it touches anything."""
    parts = SessionParts.build(words, PluginCatalog.installed())
    try:
        rows = _rows(words, parts)
    finally:
        parts.close()
    if json:
        print_json({**words.to_dict(), "runtime": parts.runtime.name, "model_file": str(parts.model_file)})
        return
    print_table(words.file or "session", ("", "what", "as"), rows)
    stdout().print("Everything is understood. No camera, port or file was opened, and no model loaded.", markup=False)


def _rows(words: RunWords, parts: SessionParts) -> list[tuple[str, str, str]]:
    assert words.source is not None
    kind = "live: the newest frame wins" if parts.source.is_live else "recording: every frame is processed"
    rows = [("source", words.source.text, f"{type(parts.source).__name__}, {kind}")]
    for region in parts.regions:
        rows.append(("region", type(region).__name__, _region(words, type(region).__name__)))
    how = "".join(f", {name} {value}" for name, value in words.model.finding.given().items())
    rows.append(("model", str(parts.model_file), f"{parts.runtime.name} on {words.model.device}{how}"))
    rows += [
        ("processor", part.text, type(made).__name__)
        for part, made in zip(words.processors, parts.processors, strict=True)
    ]
    rows += [
        ("sink", part.text, ", ".join([type(made).__name__, *map(str, made.outputs)]))
        for part, made in zip(words.sinks, parts.sinks, strict=True)
    ]
    limits: dict[str, Any] = {"frames": words.max_frames, "seconds": words.seconds}
    rows += [("limit", f"{value:g} {name}", "") for name, value in limits.items() if value is not None]
    rows.append(("outputs", str(words.out), "run.json and latency.svg" + (", replacing" if words.overwrite else "")))
    return rows


def _region(words: RunWords, name: str) -> str:
    values = {"Crop": words.cropping, "FollowingCrop": words.dynamic, "Resize": words.resize}
    return str(values.get(name, ""))
