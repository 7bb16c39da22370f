"""A YAML file whose errors name the line. Nothing in it is ever executed: nodes are read, no objects are made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from dlclive_core.errors import ConfigurationError, UsageError, nearest
from dlclive_core.plugins.specs import convert

_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")}


class YamlFile:
    """The nodes of one file, as words and mappings.

    Raises:
        ConfigurationError: in every method, one line with the file and the line in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UsageError(f"no such file: {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not a text file'}"
            ) from None
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ConfigurationError(f"{path}:{line}: this is no YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path}: this is no YAML: {error}") from None

    def where(self, node: yaml.Node) -> str:
        """`rig.yaml:7`."""
        return f"{self.path}:{node.start_mark.line + 1}"

    def wrong(self, node: yaml.Node, message: str) -> ConfigurationError:
        """The error that says what is wrong with a node, and where."""
        return ConfigurationError(f"{self.where(node)}: {message}")

    def mapping(
        self, node: yaml.Node, known: Iterable[str] | None, what: str
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The words of a mapping with their nodes, key and value; `known` are the words that it may have."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"{what} is written as word: value; got {self._shown(node)}")
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            word = str(key.value) if isinstance(key, yaml.ScalarNode) else self._shown(key)
            if known is not None and word not in known:
                raise self.wrong(key, f"{what} has no {word!r}: {nearest(word, known)}")
            if word in found:
                raise self.wrong(key, f"{what} has {word!r} twice")
            found[word] = (key, value)
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The nodes of a list; none for an empty value."""
        if self.is_empty(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, f"{what} is a list: one line with '- ' for each; got {self._shown(node)}")
        return list(node.value)

    def is_empty(self, node: yaml.Node) -> bool:
        """Whether nothing, or null, is written there."""
        return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"

    def word(self, node: yaml.Node) -> str:
        """A value as the command line writes it: 0.02, snout, [[0,0],[9,0]]."""
        if node.tag not in _PLAIN:
            raise self.wrong(node, f"{node.tag} is not taken; write a word, a number or a list")
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        return self._json(node)

    def value(self, node: yaml.Node, wanted: Any, what: str) -> Any:
        """A value of a type: `int`, `float | None`, `Path`, ..."""
        try:
            return convert(self.word(node), wanted, what)
        except UsageError as error:
            raise self.wrong(node, str(error)) from None

    def _json(self, node: yaml.Node) -> str:
        loader = yaml.SafeLoader("")
        try:
            return json.dumps(loader.construct_object(node, deep=True), separators=(",", ":"), default=str)
        except (yaml.YAMLError, TypeError, ValueError, RecursionError):
            raise self.wrong(node, "this is not a word, number or list") from None
        finally:
            loader.dispose()

    def _shown(self, node: yaml.Node) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else self._json(node)
        return repr(text) if len(text) <= 60 else repr(text[:57] + "...")
