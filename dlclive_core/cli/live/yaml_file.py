"""A YAML file whose errors name the line. It is read as plain nodes: tags never create objects or run code."""

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
    """The nodes of one file, as text, lists and mappings.

    Raises:
        UsageError: the file cannot be read.
        ConfigurationError: from every method, as one line with the file name and the line number.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UsageError(f"no such file: {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not a text file'}") from None
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ConfigurationError(f"{path}:{line}: not valid YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path}: not valid YAML: {error}") from None

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
            if known is not None and name not in known:
                raise self.error(key, f"{what} has no {name!r}: {nearest(name, known)}")
            if name in pairs:
                raise self.error(key, f"{what} has {name!r} twice")
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
        if node.tag not in _PLAIN:
            raise self.error(node, f"{node.tag} is not supported; write text, a number or a list")
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
        loader = yaml.SafeLoader("")
        try:
            return json.dumps(loader.construct_object(node, deep=True), separators=(",", ":"), default=str)
        except (yaml.YAMLError, TypeError, ValueError, RecursionError):
            raise self.error(node, "not text, a number or a list") from None
        finally:
            loader.dispose()

    def _quote(self, node: yaml.Node) -> str:
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else self._json(node)
        return repr(text) if len(text) <= 60 else repr(text[:57] + "...")
