"""A YAML file whose errors name the line. It is read as plain nodes: tags never create objects or run code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from dlclive_core.cli.live.problems import Problems
from dlclive_core.errors import ConfigurationError, UsageError, nearest, shown
from dlclive_core.plugins.specs import convert
from dlclive_core.text.decoding import TextError, read_text
from dlclive_core.text.yaml_1_2 import compose, plain


class YamlFile:
    """The nodes of one file, as text, lists and mappings.

    Args:
        problems: takes the errors that concern one key of a mapping.

    Raises:
        UsageError: the file cannot be read.
        ConfigurationError: from every method, as one line with the file name and the line number.
    """

    def __init__(self, path: Path, problems: Problems | None = None) -> None:
        self.path = path
        self.problems = problems or Problems()
        try:
            self.root = compose(read_text(path))
        except FileNotFoundError:
            raise UsageError(f"no such file: {path}") from None
        except OSError as error:
            if path.is_dir():  # a PermissionError on Windows
                raise UsageError(f"{path} is a folder: give a session file, such as {path / 'rig.yaml'}") from None
            raise UsageError(f"cannot read {path}: {error.strerror}") from None
        except TextError as error:
            raise ConfigurationError(error.at(path)) from None

    def where(self, node: yaml.Node) -> str:
        """The location of a node, for example `rig.yaml:7`."""
        return f"{self.path}:{node.start_mark.line + 1}"

    def error(self, node: yaml.Node, message: str) -> ConfigurationError:
        """An error with the location of a node."""
        return ConfigurationError(f"{self.where(node)}: {message}")

    def mapping(
        self, node: yaml.Node, known: Iterable[str] | None, what: str
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The keys of a mapping, each with its key node and value node; `known` are the valid keys, None for any."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} must be written as key: value; got {self._quote(node)}")
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else self._quote(key)
            with self.problems.caught():
                if known is not None and name not in known:
                    raise self.error(key, f"{what} has no {shown(name)}: {nearest(name, known)}")
                if name in pairs:
                    raise self.error(key, f"{what} has {shown(name)} twice")
                pairs[name] = (key, value)
        return pairs

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The nodes of a list; an empty value is an empty list."""
        if self.is_empty(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"{what} must be a list, one line with '- ' per item; got {self._quote(node)}")
        return list(node.value)

    def is_empty(self, node: yaml.Node) -> bool:
        """Whether a value is empty or null."""
        return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"

    def text(self, node: yaml.Node) -> str:
        """A value as text, in command line syntax: 0.02, snout, [[0,0],[9,0]]."""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        return self._json(node)

    def value(self, node: yaml.Node, kind: Any, what: str) -> Any:
        """A value converted to a type: `int`, `float | None`, `Path`, ..."""
        try:
            return convert(self.text(node), kind, what)
        except UsageError as error:
            raise self.error(node, str(error)) from None

    def _json(self, node: yaml.Node) -> str:
        try:
            return json.dumps(plain(node), separators=(",", ":"))
        except TextError as error:
            raise ConfigurationError(error.at(self.path)) from None

    def _quote(self, node: yaml.Node) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else self._json(node)
        return repr(text) if len(text) <= 60 else repr(text[:57] + "...")
