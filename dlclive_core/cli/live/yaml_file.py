"""A YAML file whose errors name the line. Nothing in it is ever executed: nodes are read, no objects are made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from dlclive_core.errors import ConfigurationError, UsageError, nearest
from dlclive_core.plugins.specs import convert
from dlclive_core.text.decoding import TextError, read_text
from dlclive_core.text.yaml_1_2 import compose, plain


class YamlFile:
    """The nodes of one file, as words and mappings.

    Raises:
        ConfigurationError: in every method, one line with the file and the line in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.root = compose(read_text(path))
        except FileNotFoundError:
            raise UsageError(f"no such file: {path}") from None
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from None
        except TextError as error:
            raise ConfigurationError(error.at(path)) from None

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
        try:
            return json.dumps(plain(node), separators=(",", ":"))
        except TextError as error:
            raise ConfigurationError(error.at(self.path)) from None

    def _shown(self, node: yaml.Node) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else self._json(node)
        return repr(text) if len(text) <= 60 else repr(text[:57] + "...")
