"""`dlclive check`: shows what a session file would run. Builds components without opening them, and loads no model."""

from __future__ import annotations

from typing import Any

from dlclive_core.cli.live.parts import RigParts, SessionParts
from dlclive_core.cli.live.run_spec import RunSpec
from dlclive_core.cli.output import print_json, print_table, stdout
from dlclive_core.cli.specs import RegionSpec
from dlclive_core.plugins.catalog import PluginCatalog


def run_check(spec: RunSpec, *, json: bool) -> None:
    """Print what would run. Raises the same errors as `run` before it opens components."""
    parts = RigParts.build(spec, PluginCatalog.installed())
    try:
        rows = [row for session in parts.sessions for row in _rows(session, parts)]
    finally:
        parts.close()
    if json:
        print_json({**spec.to_dict(), "sessions": [_facts(session, parts) for session in parts.sessions]})
        return
    print_table(spec.file or "session", ("", "what", "as"), [*rows, *_common_rows(spec, len(parts.sessions))])
    stdout().print("The session is valid. No camera, port or file was opened, and no model was loaded.", markup=False)


def _rows(session: SessionParts, parts: RigParts) -> list[tuple[str, str, str]]:
    spec, model = session.spec, parts.model(session)
    kind = "live: newest frame first" if session.source.is_live else "recording: every frame is processed"
    label = f" {session.label}" if session.label else ""
    rows = [(f"source{label}", spec.source.text, f"{type(session.source).__name__}, {kind}")]
    for region in session.regions:
        rows.append(
            ("region", type(region).__name__, _region(spec.regions, type(region).__name__) or "from the profile")
        )
    options = {**model.options, **spec.model.detection.changed_options()}
    settings = "".join(f", {name} {value}" for name, value in options.items())
    others = [other.spec.name for other in parts.sessions if parts.model(other) is model and other is not session]
    shared = f", shared with {' and '.join(others)}" if others else ""
    loading = model.loading
    rows.append(("model", str(model.file), f"{loading.runtime.name} on {loading.device}{settings}{shared}"))
    if loading.profile is not None:
        rows.append(("profile", str(loading.profile.path), loading.profile.label))
    rows += [
        ("processor", part.text, type(component).__name__)
        for part, component in zip(spec.processors, session.processors, strict=True)
    ]
    rows += [
        ("sink", part.text, ", ".join([type(component).__name__, *map(str, component.outputs)]))
        for part, component in zip(spec.sinks, session.sinks, strict=True)
    ]
    return rows


def _common_rows(spec: RunSpec, count: int) -> list[tuple[str, str, str]]:
    limits: dict[str, Any] = {"frames": spec.max_frames, "seconds": spec.seconds}
    rows = [("limit", f"{value:g} {name}", "") for name, value in limits.items() if value is not None]
    pictures = "latency.svg" if count == 1 else "one latency picture per source"
    rows.append(
        ("outputs", str(spec.out), f"run.json and {pictures}" + (", replacing earlier ones" if spec.overwrite else ""))
    )
    return rows


def _facts(session: SessionParts, parts: RigParts) -> dict[str, Any]:
    model = parts.model(session)
    return {
        "name": session.spec.name,
        "is_live": session.source.is_live,
        "model_file": str(model.file),
        "model_number": session.spec.model_number,
        "runtime": model.loading.runtime.name,
        "runtime_options": model.spec.options_to_dict(),
        "profile": None if model.loading.profile is None else str(model.loading.profile.path),
        "outputs": [str(path) for sink in session.sinks for path in sink.outputs],
    }


def _region(spec: RegionSpec, name: str) -> str:
    values = {"Crop": spec.cropping, "FollowingCrop": spec.dynamic, "Resize": spec.resize}
    value = values.get(name)
    return "" if value is None else str(value)
