"""Reads YAML 1.2 from untrusted files.

DeepLabCut writes YAML 1.2. PyYAML reads 1.1, where a body part called `on` is true and `12:30` is 750. This module uses its
parser with the core schema of 1.2: `true`, `false`, `null` and numbers; everything else is text. It creates no objects.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

import yaml
from yaml.resolver import BaseResolver

from dlclive_core.errors import shown
from dlclive_core.text.decoding import TextError

DEEPEST = 64
"""The deepest nesting of lists and mappings."""
MOST = 200_000
"""The largest number of values; an alias counts its values at each use."""

_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}
_RESOLVED = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)
_PATTERNS = {name: re.compile(pattern) for name, pattern, _ in _RESOLVED}
_BASE: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Resolver(BaseResolver):
    """The core schema of YAML 1.2 (section 10.3.2)."""


for _name, _pattern, _first in _RESOLVED:
    _Resolver.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})$"), _first)


class _Loader(_Resolver, _BASE):  # type: ignore[misc]
    """PyYAML's parser, in C where available, with the core schema."""


def compose(text: str) -> yaml.Node | None:
    """The nodes of a document, with tags of the core schema; None if it is empty.

    Raises:
        TextError: not YAML, too deep, too long, more than one document, an alias inside its own anchor, or an unsupported tag.
    """
    try:
        _check(text)
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TextError(f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 0) from None
    except yaml.reader.ReaderError as error:
        raise TextError(f"not valid YAML: {error.reason}", text[: error.position].count("\n") + 1) from None
    except yaml.YAMLError as error:
        raise TextError(f"not valid YAML: {' '.join(str(error).split())}") from None
    return root


def load(text: str) -> Any:
    """The content of a document: dicts, lists, strings, numbers, booleans and None.

    Raises:
        TextError: as `compose` and `plain`.
    """
    root = compose(text)
    return None if root is None else plain(root)


def plain(node: yaml.Node) -> Any:
    """The value of a composed node.

    Raises:
        TextError: a duplicate key, a key that is a list or mapping, or an invalid number.
    """
    return _plain(node, {})


def _plain(node: yaml.Node, built: dict[int, Any]) -> Any:
    if id(node) in built:  # an alias
        return built[id(node)]
    if isinstance(node, yaml.ScalarNode):
        value = _scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = [_plain(item, built) for item in node.value]
    else:
        value = _mapping(node, built)
    built[id(node)] = value
    return value


def _mapping(node: yaml.Node, built: dict[int, Any]) -> dict[Any, Any]:
    values: dict[Any, Any] = {}
    for key, item in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error(key, "a key must be text or a number, not a list or mapping")
        if key.value == "<<" and not key.style:
            raise _error(key, "'<<' merges mappings in YAML 1.1 only; write the entries out")
        name = _scalar(key)
        if name in values:
            raise _error(key, f"duplicate key {shown(key.value)}")
        values[name] = _plain(item, built)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    name, text = node.tag.removeprefix(_TAG), str(node.value)
    if name == "str":
        return text
    if name not in _PATTERNS or not _PATTERNS[name].fullmatch(text):
        raise _error(node, f"{shown(text)} is not a valid {name}")
    if name == "null":
        return None
    if name == "bool":
        return text.lower() == "true"
    try:
        return _whole(text) if name == "int" else _float(text)
    except ValueError:  # thousands of digits
        raise _error(node, "the number has too many digits") from None


def _whole(text: str) -> int:
    bases = {"0o": 8, "0x": 16}
    return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)


def _float(text: str) -> float:
    if text[-3:].lower() == "nan":
        return math.nan
    if text[-3:].lower() == "inf":
        return -math.inf if text.startswith("-") else math.inf
    return float(text)


def _error(node: yaml.Node, message: str) -> TextError:
    return TextError(message, node.start_mark.line + 1)


class _Size:
    """Counts the values inside each open list or mapping, and behind each anchor."""

    def __init__(self) -> None:
        self.open: list[tuple[str | None, int]] = []
        self.anchors: dict[str, int | None] = {}  # None while open
        self.count = 0

    def begin(self, anchor: str | None) -> None:
        self.open.append((anchor, self.count))
        self.count += 1
        if anchor is not None:
            self.anchors[anchor] = None

    def end(self) -> None:
        anchor, before = self.open.pop()
        if anchor is not None:
            self.anchors[anchor] = self.count - before


def _check(text: str) -> None:
    """Refuse a document that would be too large, or endless, once composed."""
    size = _Size()
    for event in yaml.parse(text, Loader=_BASE):
        if isinstance(event, yaml.DocumentStartEvent) and event.version == (1, 1):
            _refuse(event, "files are read as YAML 1.2; remove the line %YAML 1.1")
        if isinstance(event, yaml.AliasEvent):
            inside = size.anchors.get(str(event.anchor), 0)
            if inside is None:
                _refuse(event, f"the alias *{event.anchor} is inside its own anchor")
            size.count += inside
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.tag not in (None, "!", *_PLAIN):
                _refuse(event, f"the tag {event.tag} is not supported; write text, a number or a list")
            size.begin(event.anchor)
            if isinstance(event, yaml.ScalarEvent):
                size.end()
        elif isinstance(event, yaml.CollectionEndEvent):
            size.end()
        if len(size.open) > DEEPEST:
            _refuse(event, f"lists and mappings more than {DEEPEST} levels deep")
        if size.count > MOST:
            _refuse(event, f"more than {MOST} values")


def _refuse(event: yaml.Event, message: str) -> NoReturn:
    mark = event.start_mark
    raise TextError(message, mark.line + 1 if mark else 0)
