"""Reads a session file: the settings of `dlclive run` in YAML.

source: camera:0
model: mouse.onnx
processors:
  - kalman: {horizon: 0.02}
sinks:
  - tables: mouse.h5
limits: {seconds: 600}

Several sources form a list. Each is a source, or a mapping with its own settings; settings outside the list apply to all:

sources:
  - camera:0
  - name: right
    source: {basler: {serial: 24060123}}
    regions: {cropping: [0, 320, 0, 240]}
    sinks:
      - tables: right.h5

Calibrated cameras, whose names are those of the sources, have poses in space:

calibration: {file: calibration.toml, unit: mm}
sinks_3d:
  - tables: mouse3d.h5
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import partial
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Any, TypeVar

import yaml

from dlclive_core.cli.live.problems import Problems
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.views_spec import ViewsSpec
from dlclive_core.cli.live.yaml_file import YamlFile
from dlclive_core.cli.region_options import parse_cropping, parse_dynamic
from dlclive_core.cli.specs import ModelSpec, OptionSpec, PartSpec, RegionSpec, located
from dlclive_core.errors import ConfigurationError, shown
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.plugins.specs import ComponentSpec
from dlclive_core.regions import regions_from_options

Item = TypeVar("Item")

_SOURCE_KEYS = ("source", "model", "processors", "sinks", "regions")
_VIEW_KEYS = ("calibration", "processors_3d", "sinks_3d")
_KEYS = (*_SOURCE_KEYS, "sources", *_VIEW_KEYS, "limits", "out", "overwrite", "replay")
_LOADING = {
    "path": str,
    "runtime": str | None,
    "device": str,
    "precision": str,
    "profile": str,
    "detector": Path | None,
    "fallback": Path | None,
    "fallback_limit": float,
}
_OPTIONS = "runtime_options"
_DETECTION = {
    "detect_every": int,
    "min_score": float,
    "max_animals": int | None,
    "threshold": float,
    "margin": float | None,
    "follow": bool,
    "conditions": str | None,
}
_LIMITS: dict[str, Any] = {
    "max_frames": int | None,
    "seconds": float | None,
    "deadline": float | None,
    "stale_after": float | None,
}
assert set(_DETECTION) == {field.name for field in fields(DetectionOptions)}


def read_session_file(path: Path, problems: Problems | None = None) -> RunSpec:
    """Read a session file.

    Args:
        problems: collects the errors, and what has one is left out of the result; None: the first error is raised.

    Raises:
        UsageError: no such file.
        ConfigurationError: `file:line: what is wrong`, with the nearest valid key.
    """
    file = YamlFile(path, problems)
    problems = file.problems
    if file.root is None:
        raise ConfigurationError(f"{path} is empty; a session needs at least a source and a model")
    pairs = file.mapping(file.root, _KEYS, "a session")
    nodes = {key: value for key, (_, value) in pairs.items()}
    with problems.caught():
        if "source" in nodes and "sources" in nodes:
            raise file.error(
                pairs["sources"][0], "a session has either source or sources; list all of them under sources"
            )
    settings = _parts(file, nodes)
    source = settings.pop("source", None)
    if source is not None:
        settings["sources"] = (SourceSpec(part=source),)
    elif "sources" in nodes:
        with problems.caught("source"):
            settings["sources"] = _each(file, file.items(nodes["sources"], "sources"), _source, "source")
    settings["views"] = _views(file, nodes)
    with problems.caught():
        if "limits" in nodes:
            settings |= _limits(file, nodes["limits"])
    with problems.caught():
        if "out" in nodes:
            settings["out"] = file.value(nodes["out"], Path, "out")
    for switch in ("overwrite", "replay"):
        with problems.caught():
            if switch in nodes:
                settings[switch] = file.value(nodes[switch], bool, switch)
    return RunSpec(**settings, file=str(path))


def _parts(file: YamlFile, nodes: dict[str, yaml.Node]) -> dict[str, Any]:
    """The settings that a session and a single source have in common."""
    parts: dict[str, Any] = {}
    caught = file.problems.caught
    with caught("source"):
        if "source" in nodes and not file.is_empty(nodes["source"]):
            parts["source"] = _part(file, nodes["source"], "source")
    with caught("model"):
        if "model" in nodes and not file.is_empty(nodes["model"]):
            parts["model"] = _model(file, nodes["model"])
    for key in ("processors", "sinks"):
        with caught():
            if key in nodes:
                parts[key] = _each(file, file.items(nodes[key], key), partial(_part, what=f"an item of {key}"))
    with caught():
        if "regions" in nodes:
            parts["regions"] = _regions(file, nodes["regions"])
    return parts


def _views(file: YamlFile, nodes: dict[str, yaml.Node]) -> ViewsSpec:
    """What is done with poses in space."""
    views: dict[str, Any] = {}
    with file.problems.caught():
        node = nodes.get("calibration")
        if node is not None and isinstance(node, yaml.MappingNode):
            pairs = file.mapping(node, None, "calibration")
            options = tuple((option, file.text(value)) for option, (_, value) in pairs.items())
            text = ",".join(f"{option}={value}" for option, value in options)
            lines = {option: file.where(key) for option, (key, _) in pairs.items()}
            spec = ComponentSpec("calibration", None, options)
            views["calibration"] = PartSpec(text, spec, file.where(node), lines)
        elif node is not None and not file.is_empty(node):
            views["calibration"] = ViewsSpec.parse_calibration(file.text(node), file.where(node))
    for key in ("processors", "sinks"):
        with file.problems.caught():
            name = f"{key}_3d"
            if name in nodes:
                views[key] = _each(file, file.items(nodes[name], name), partial(_part, what=f"an item of {name}"))
    return ViewsSpec(**views)


def _each(
    file: YamlFile, nodes: Iterable[yaml.Node], read: Callable[[YamlFile, yaml.Node], Item], entry: str = ""
) -> tuple[Item, ...]:
    """Read each item of a list; one with an error is left out."""
    items = []
    for node in nodes:
        with file.problems.caught(entry):
            items.append(read(file, node))
    return tuple(items)


def _source(file: YamlFile, node: yaml.Node) -> SourceSpec:
    """One of several sources: a component, or a mapping with `source` and its own settings."""
    known = ("name", *_SOURCE_KEYS)
    is_component = isinstance(node, yaml.MappingNode) and len(node.value) == 1 and node.value[0][0].value not in known
    if is_component or not isinstance(node, yaml.MappingNode):
        return SourceSpec(part=_part(file, node, "source"))
    nodes = {key: value for key, (_, value) in file.mapping(node, known, "an item of sources").items()}
    parts = _parts(file, nodes)
    if "source" not in parts:
        raise file.error(node, "an item of sources has no source: add a line such as source: camera:0")
    name = file.value(nodes["name"], str, "name") if "name" in nodes else ""
    return SourceSpec(part=parts.pop("source"), name=name, **parts)


def _part(file: YamlFile, node: yaml.Node, what: str) -> PartSpec:
    """`kalman:horizon=0.02`, or `kalman: {horizon: 0.02}`, or `tables: out.h5`."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return (PartSpec.source if what == "source" else PartSpec.parse)(file.text(node), where)
    pairs = file.mapping(node, None, what)
    if len(pairs) != 1:
        names = shown(", ".join(pairs) or "none")[1:-1]
        second = list(pairs.values())[1][0] if pairs else node
        raise file.error(
            second,
            f"{what} must be one component, written name: options; got {names}; indent its options",
        )
    (name, (_, value)) = next(iter(pairs.items()))
    first, options = None, []
    lines: dict[str, str] = {}
    if isinstance(value, yaml.MappingNode):
        for option, (key, setting) in file.mapping(value, None, name).items():
            options.append((option, file.text(setting)))
            lines |= {option: file.where(key), **_lines_inside(file, option, setting)}
    elif not file.is_empty(value):
        first = file.text(value)
    text = ",".join([*([first] if first is not None else []), *(f"{option}={value}" for option, value in options)])
    return PartSpec(f"{name}:{text}" if text else name, ComponentSpec(name, first, tuple(options)), where, lines)


def _lines_inside(file: YamlFile, option: str, node: yaml.Node) -> dict[str, str]:
    """The lines of what is inside an option that is a component or a list of components, by the way there."""
    lines: dict[str, str] = {}
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[f"{option}.{number}"] = file.where(item)
            lines |= _lines_inside(file, f"{option}.{number}", item)
    elif isinstance(node, yaml.MappingNode):
        for _, options in node.value:
            if isinstance(options, yaml.MappingNode):
                for key, value in options.value:
                    way = f"{option}.{key.value}"
                    lines |= {way: file.where(key), **_lines_inside(file, way, value)}
    return lines


def _model(file: YamlFile, node: yaml.Node) -> ModelSpec:
    """A path, or a mapping with `path` and loading options."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return ModelSpec(path=file.text(node), where=where)
    kinds: dict[str, Any] = {**_LOADING, **_DETECTION}
    pairs = file.mapping(node, (*kinds, _OPTIONS), "model")
    _, options = pairs.pop(_OPTIONS, (None, None))
    values: dict[str, Any] = {}
    for key, (_, value) in pairs.items():
        with file.problems.caught("model" if key == "path" else ""):
            values[key] = file.value(value, kinds[key], key)
    if options is not None and not file.is_empty(options):
        values[_OPTIONS] = tuple(
            OptionSpec(name, file.text(value), file.where(key))
            for name, (key, value) in file.mapping(options, None, _OPTIONS).items()
        )
    detection = {name: values.pop(name) for name in _DETECTION if name in values}
    if "follow" in detection:
        detection["follow"] = FollowingBox() if detection["follow"] else None
    with located(where):
        return ModelSpec(**values, detection=DetectionOptions(**detection), where=where)


def _regions(file: YamlFile, node: yaml.Node) -> RegionSpec:
    pairs = file.mapping(node, ("cropping", "dynamic", "resize"), "regions")
    regions: dict[str, Any] = {}
    for key, (_, node_value) in pairs.items():
        with file.problems.caught(), located(file.where(node_value)):
            text = file.text(node_value).strip("[]")
            value: Any
            if key == "cropping":
                value = parse_cropping(text, key)
            elif key == "dynamic":
                value = parse_dynamic(text, key)
            else:
                value = file.value(node_value, float, key)
            regions_from_options(**{key: value})  # checks the value
            regions[key] = value
    return RegionSpec(**regions)


def _limits(file: YamlFile, node: yaml.Node) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for key, (_, value) in file.mapping(node, _LIMITS, "limits").items():
        with file.problems.caught():
            number = file.value(value, _LIMITS[key], key)
            if number is not None and not number > 0:
                raise file.error(value, f"{key} must be above 0; got {number}")
            if key == "seconds" and number is not None and number > TIMEOUT_MAX:
                raise file.error(value, f"seconds must be at most {TIMEOUT_MAX:.0f}; omit it for no limit")
            limits[key] = number
    return limits
