"""Reads a session file in YAML, with the settings of `dlclive run`.

source: camera:0
model: mouse.onnx
processors:
  - kalman: {horizon: 0.02}
sinks:
  - tables: mouse.h5
limits: {seconds: 600}

Several sources are a list, each a source or a mapping with its own settings; settings outside apply to all of them:

sources:
  - camera:0
  - name: right
    source: {basler: {serial: 24060123}}
    regions: {cropping: [0, 320, 0, 240]}
    sinks:
      - tables: right.h5
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.yaml_file import YamlFile
from dlclive_core.cli.region_options import parse_cropping, parse_dynamic
from dlclive_core.cli.specs import ModelSpec, OptionSpec, PartSpec, RegionSpec, located
from dlclive_core.errors import ConfigurationError
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.plugins.specs import ComponentSpec
from dlclive_core.regions import regions_from_options

_OF_A_SOURCE = ("source", "model", "processors", "sinks", "regions")
_KEYS = (*_OF_A_SOURCE, "sources", "limits", "out", "overwrite")
_LOADING = {
    "path": str,
    "runtime": str | None,
    "device": str,
    "precision": str,
    "profile": str,
    "detector": Path | None,
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


def read_session_file(path: Path) -> RunSpec:
    """Read a session file.

    Raises:
        UsageError: no such file.
        ConfigurationError: `file:line: what is wrong`, with the nearest valid key.
    """
    file = YamlFile(path)
    if file.root is None:
        raise ConfigurationError(f"{path} is empty; it needs at least a source and a model")
    pairs = file.mapping(file.root, _KEYS, "a session")
    spec = {word: value for word, (_, value) in pairs.items()}
    if "source" in spec and "sources" in spec:
        raise file.wrong(pairs["sources"][0], "a session has either source or sources; list all of them under sources")
    made = _parts(file, spec)
    source = made.pop("source", None)
    if source is not None:
        made["sources"] = (SourceSpec(part=source),)
    elif "sources" in spec:
        made["sources"] = tuple(_source(file, node) for node in file.items(spec["sources"], "sources"))
    if "limits" in spec:
        made |= _limits(file, spec["limits"])
    if "out" in spec:
        made["out"] = file.value(spec["out"], Path, "out")
    if "overwrite" in spec:
        made["overwrite"] = file.value(spec["overwrite"], bool, "overwrite")
    return RunSpec(**made, file=str(path))


def _parts(file: YamlFile, spec: dict[str, yaml.Node]) -> dict[str, Any]:
    """The settings that a session has, and that one of several sources may have too."""
    made: dict[str, Any] = {}
    if "source" in spec and not file.is_empty(spec["source"]):
        made["source"] = _part(file, spec["source"], "source")
    if "model" in spec and not file.is_empty(spec["model"]):
        made["model"] = _model(file, spec["model"])
    for name in ("processors", "sinks"):
        if name in spec:
            made[name] = tuple(_part(file, node, f"one of the {name}") for node in file.items(spec[name], name))
    if "regions" in spec:
        made["regions"] = _regions(file, spec["regions"])
    return made


def _source(file: YamlFile, node: yaml.Node) -> SourceSpec:
    """One of several sources: a component, or a mapping with `source` and its own settings."""
    known = ("name", *_OF_A_SOURCE)
    is_component = isinstance(node, yaml.MappingNode) and len(node.value) == 1 and node.value[0][0].value not in known
    if is_component or not isinstance(node, yaml.MappingNode):
        return SourceSpec(part=_part(file, node, "source"))
    spec = {word: value for word, (_, value) in file.mapping(node, known, "one of the sources").items()}
    made = _parts(file, spec)
    if "source" not in made:
        raise file.wrong(node, "one of the sources names no source: add a line such as source: camera:0")
    name = file.value(spec["name"], str, "name") if "name" in spec else ""
    return SourceSpec(part=made.pop("source"), name=name, **made)


def _part(file: YamlFile, node: yaml.Node, what: str) -> PartSpec:
    """`kalman:horizon=0.02`, or `kalman: {horizon: 0.02}`, or `tables: out.h5`."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return (PartSpec.source if what == "source" else PartSpec.parse)(file.word(node), where)
    pairs = file.mapping(node, None, what)
    if len(pairs) != 1:
        second = list(pairs.values())[1][0] if pairs else node
        raise file.wrong(
            second, f"{what} is one component, name: options; got {', '.join(pairs) or 'none'}; indent its options"
        )
    (name, (_, value)) = next(iter(pairs.items()))
    first, options, lines = None, [], {}
    if isinstance(value, yaml.MappingNode):
        for option, (key, setting) in file.mapping(value, None, name).items():
            options.append((option, file.word(setting)))
            lines[option] = file.where(key)
    elif not file.is_empty(value):
        first = file.word(value)
    text = ",".join([*([first] if first is not None else []), *(f"{option}={word}" for option, word in options)])
    return PartSpec(f"{name}:{text}" if text else name, ComponentSpec(name, first, tuple(options)), where, lines)


def _model(file: YamlFile, node: yaml.Node) -> ModelSpec:
    """A path, or a mapping with `path` and loading options."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return ModelSpec(path=file.word(node), where=where)
    kinds: dict[str, Any] = {**_LOADING, **_DETECTION}
    pairs = file.mapping(node, (*kinds, _OPTIONS), "model")
    _, options = pairs.pop(_OPTIONS, (None, None))
    values = {word: file.value(value, kinds[word], word) for word, (_, value) in pairs.items()}
    if options is not None and not file.is_empty(options):
        values[_OPTIONS] = tuple(
            OptionSpec(name, file.word(value), file.where(key))
            for name, (key, value) in file.mapping(options, None, _OPTIONS).items()
        )
    how = {name: values.pop(name) for name in _DETECTION if name in values}
    if "follow" in how:
        how["follow"] = FollowingBox() if how["follow"] else None
    with located(where):
        return ModelSpec(**values, detection=DetectionOptions(**how), where=where)


def _regions(file: YamlFile, node: yaml.Node) -> RegionSpec:
    spec = {
        word: value for word, (_, value) in file.mapping(node, ("cropping", "dynamic", "resize"), "regions").items()
    }
    made: dict[str, Any] = {}
    for word, value in spec.items():
        with located(file.where(value)):
            if word == "cropping":
                made[word] = parse_cropping(file.word(value).strip("[]"), word)
            elif word == "dynamic":
                made[word] = parse_dynamic(file.word(value).strip("[]"), word)
            else:
                made[word] = file.value(value, float, word)
            regions_from_options(**{word: made[word]})
    return RegionSpec(**made)


def _limits(file: YamlFile, node: yaml.Node) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for word, (_, value) in file.mapping(node, _LIMITS, "limits").items():
        made[word] = file.value(value, _LIMITS[word], word)
        if made[word] is not None and not made[word] > 0:
            raise file.wrong(value, f"{word} is above 0; got {made[word]}")
    return made
