"""`dlclive check`: all errors of a session file, or what it would run. Opens no camera, port or output file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlclive_core.cli.live.parts import RigParts, SessionParts
from dlclive_core.cli.live.problems import Problems
from dlclive_core.cli.live.run_spec import RunSpec
from dlclive_core.cli.live.session_file import read_session_file
from dlclive_core.cli.live.session_problems import find_problems
from dlclive_core.cli.output import complain, print_json, print_table, stdout
from dlclive_core.cli.specs import RegionSpec
from dlclive_core.plugins.catalog import PluginCatalog

if TYPE_CHECKING:
    from dlclive_core.cli.live.views_parts import ViewsParts


def run_check(file: Path, *, json: bool) -> int:
    """Print every error, one per line, or what would run. Returns the exit code: that of the first error, or 0."""
    catalog, problems = PluginCatalog.installed(), Problems(collects=True)
    spec: RunSpec | None = None
    with problems.caught():
        spec = read_session_file(file, problems)
    if spec is not None:
        find_problems(spec, catalog, problems)
    parts: RigParts | None = None
    if spec is not None and not problems.errors:
        with problems.caught():  # what concerns several components: files that two of them write
            parts = RigParts.build(spec, catalog)
    for error in problems.errors:
        complain(error)
    if spec is None or parts is None:
        return problems.errors[0].exit_code
    _print(spec, parts, json=json)
    return 0


def _print(spec: RunSpec, parts: RigParts, *, json: bool) -> None:
    try:
        rows = [row for session in parts.sessions for row in _rows(session, parts)] + _view_rows(parts.views)
    finally:
        parts.close()
    if json:
        print_json({**spec.to_dict(), "sessions": [_facts(session, parts) for session in parts.sessions]})
        return
    print_table(spec.file or "session", ("", "what", "as"), [*rows, *_common_rows(spec, len(parts.sessions))])
    stdout().print(
        "The session is valid. The model was loaded; no camera, port or output file was opened.", markup=False
    )


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
    if spec.model.fallback is not None:
        rows.append(("fallback", str(spec.model.fallback), f"answers frames beyond {spec.model.fallback_limit:g}"))
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


def _view_rows(views: ViewsParts | None) -> list[tuple[str, str, str]]:
    if views is None or views.spec.calibration is None:
        return []
    names, unit = ", ".join(views.calibration.names), views.calibration.unit
    rows = [("calibration", views.spec.calibration.text, f"cameras {names}" + (f", in {unit}" if unit else ""))]
    rows += [
        ("processor 3-D", part.text, type(component).__name__)
        for part, component in zip(views.spec.processors, views.processors, strict=True)
    ]
    rows += [
        ("sink 3-D", part.text, ", ".join([type(component).__name__, *map(str, component.outputs)]))
        for part, component in zip(views.spec.sinks, views.sinks, strict=True)
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
        **model.spec.fallback_to_dict(),
        "profile": None if model.loading.profile is None else str(model.loading.profile.path),
        "outputs": [str(path) for sink in session.sinks for path in sink.outputs],
    }


def _region(spec: RegionSpec, name: str) -> str:
    values = {"Crop": spec.cropping, "FollowingCrop": spec.dynamic, "Resize": spec.resize}
    value = values.get(name)
    return "" if value is None else str(value)
