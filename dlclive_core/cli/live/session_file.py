"""A session in a YAML file, with the words of `dlclive run`.

source: camera:0
model: mouse.onnx
processors:
  - kalman: {horizon: 0.02}
sinks:
  - tables: mouse.h5
limits: {seconds: 600}
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from dlclive_core.cli.live.words import ModelWords, Part, RunWords, located
from dlclive_core.cli.live.yaml_file import YamlFile
from dlclive_core.cli.region_words import cropping_from_words, dynamic_from_words
from dlclive_core.errors import ConfigurationError
from dlclive_core.finding import Finding, Follow
from dlclive_core.regions import regions_from_options
from dlclive_core.specs import ComponentSpec

_WORDS = ("source", "model", "processors", "sinks", "regions", "limits", "out", "overwrite")
_LOADING = {"path": str, "runtime": str | None, "device": str, "precision": str, "detector": Path | None}
_FINDING = {
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
assert set(_FINDING) == {field.name for field in fields(Finding)}


def read_session_file(path: Path) -> RunWords:
    """The words of a file.

    Raises:
        UsageError: there is no such file.
        ConfigurationError: `file:line: what is wrong`, with the nearest word that would be right.
    """
    file = YamlFile(path)
    if file.root is None:
        raise ConfigurationError(f"{path} is empty; it needs at least a source and a model")
    words = {word: value for word, (_, value) in file.mapping(file.root, _WORDS, "a session").items()}
    made: dict[str, Any] = {}
    if "source" in words and not file.is_empty(words["source"]):
        made["source"] = _part(file, words["source"], "source")
    if "model" in words and not file.is_empty(words["model"]):
        made["model"] = _model(file, words["model"])
    for name in ("processors", "sinks"):
        if name in words:
            made[name] = tuple(_part(file, node, f"one of the {name}") for node in file.items(words[name], name))
    if "regions" in words:
        made |= _regions(file, words["regions"])
    if "limits" in words:
        made |= _limits(file, words["limits"])
    if "out" in words:
        made["out"] = file.value(words["out"], Path, "out")
    if "overwrite" in words:
        made["overwrite"] = file.value(words["overwrite"], bool, "overwrite")
    return RunWords(**made, file=str(path))


def _part(file: YamlFile, node: yaml.Node, what: str) -> Part:
    """`kalman:horizon=0.02`, or `kalman: {horizon: 0.02}`, or `tables: out.h5`."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return (Part.source if what == "source" else Part.parse)(file.word(node), where)
    pairs = file.mapping(node, None, what)
    if len(pairs) != 1:
        second = list(pairs.values())[1][0] if pairs else node
        raise file.wrong(
            second, f"{what} is one component, name: options; got {', '.join(pairs) or 'none'}; indent its options"
        )
    (name, (_, value)) = next(iter(pairs.items()))
    first, options, lines = None, [], {}
    if isinstance(value, yaml.MappingNode):
        for option, (key, given) in file.mapping(value, None, name).items():
            options.append((option, file.word(given)))
            lines[option] = file.where(key)
    elif not file.is_empty(value):
        first = file.word(value)
    text = ",".join([*([first] if first is not None else []), *(f"{option}={word}" for option, word in options)])
    return Part(f"{name}:{text}" if text else name, ComponentSpec(name, first, tuple(options)), where, lines)


def _model(file: YamlFile, node: yaml.Node) -> ModelWords:
    """A path, or a mapping with `path` and how to load it."""
    where = file.where(node)
    if isinstance(node, yaml.ScalarNode):
        return ModelWords(path=file.word(node), where=where)
    kinds: dict[str, Any] = {**_LOADING, **_FINDING}
    values = {
        word: file.value(value, kinds[word], word) for word, (_, value) in file.mapping(node, kinds, "model").items()
    }
    how = {name: values.pop(name) for name in _FINDING if name in values}
    if "follow" in how:
        how["follow"] = Follow() if how["follow"] else None
    with located(where):
        return ModelWords(**values, finding=Finding(**how), where=where)


def _regions(file: YamlFile, node: yaml.Node) -> dict[str, Any]:
    words = {
        word: value for word, (_, value) in file.mapping(node, ("cropping", "dynamic", "resize"), "regions").items()
    }
    made: dict[str, Any] = {}
    for word, value in words.items():
        with located(file.where(value)):
            if word == "cropping":
                made[word] = cropping_from_words(file.word(value).strip("[]"), word)
            elif word == "dynamic":
                made[word] = dynamic_from_words(file.word(value).strip("[]"), word)
            else:
                made[word] = file.value(value, float, word)
            regions_from_options(**{word: made[word]})
    return made


def _limits(file: YamlFile, node: yaml.Node) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for word, (_, value) in file.mapping(node, _LIMITS, "limits").items():
        made[word] = file.value(value, _LIMITS[word], word)
        if made[word] is not None and not made[word] > 0:
            raise file.wrong(value, f"{word} is above 0; got {made[word]}")
    return made
