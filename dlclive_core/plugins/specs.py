"""Components as words: `kalman:horizon=0.02`, `tables:out.h5`, `region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout`."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.errors import UsageError
from dlclive_core.hookspecs import ComponentInfo
from dlclive_core.plugins.catalog import PluginCatalog, check_options

_OPENING, _CLOSING = "[{(", "]})"


class OptionError(UsageError):
    """An option that a component does not take, or whose value it cannot use; `option` is its name."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """A component's name and its options as text; a first option without a name is the constructor's first argument."""

    name: str
    first: str | None
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> ComponentSpec:
        """Read `name`, `name:first`, `name:option=value,option=value` or a mixture."""
        name, _, rest = text.partition(":")
        if not name.strip():
            raise UsageError(f"{text!r} names no component; write name:option=value,option=value")
        first: str | None = None
        options: list[tuple[str, str]] = []
        for place, part in enumerate(_split(rest) if rest else ()):
            option, equals, value = part.partition("=")
            if equals and option.strip().isidentifier():
                options.append((option.strip(), value.strip()))
            elif place == 0:
                first = part.strip()
            else:
                raise UsageError(f"in {text!r}, {part!r} is no option; write option=value")
        return cls(name.strip(), first, tuple(options))


def build_component(
    catalog: PluginCatalog,
    kind: type[ComponentInfo],
    text: str | ComponentSpec,
    *,
    resolve_path: Callable[[Path], Path] | None = None,
    overwrite: bool = False,
) -> Any:
    """Make the component that a text describes.

    Args:
        resolve_path: maps each path among the options, for example to another folder.
        overwrite: pass `overwrite=True` to a component that has this option, unless the text says otherwise.

    Raises:
        OptionError: what is wrong with an option, and the nearest valid one.
        UsageError: an option is needed, or the component's own check of its options.
        PluginError, DependencyError: there is no such component, or it cannot be imported.
    """
    spec = text if isinstance(text, ComponentSpec) else ComponentSpec.parse(text)
    info = catalog.find(kind, spec.name)
    factory = catalog.factory(info)
    what = f"{kind.kind} {spec.name!r}"
    parameters = inspect.signature(factory).parameters
    words = dict(spec.options)
    if spec.first is not None:
        if not parameters:
            raise UsageError(f"{what} takes no options; got {spec.first!r}")
        words = {next(iter(parameters)): spec.first, **words}
    for name in words:
        try:
            check_options(factory, (name,), what)
        except UsageError as error:
            raise OptionError(str(error), name) from None
    needed = [
        name
        for name, p in parameters.items()
        if p.default is p.empty and name not in words and p.kind not in (p.VAR_KEYWORD,)
    ]
    if needed:
        raise UsageError(f"{what} needs the option {needed[0]!r}: {spec.name}:{needed[0]}=...")
    values = convert_options(factory, words, what)
    if resolve_path is not None:
        values = {name: resolve_path(value) if isinstance(value, Path) else value for name, value in values.items()}
    if overwrite and "overwrite" in parameters:
        values.setdefault("overwrite", True)
    return factory(**values)


def convert_options(factory: Any, options: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Options that a constructor has, text among them as values of the types that it says.

    Args:
        factory: a class, or a function.
        options: by their names; a value that is no text stays as it is.
        what: has them, for messages: "sink 'tables'".

    Raises:
        OptionError: a text that is no value of its option's type.
    """
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    values = dict(options)
    for name, word in options.items():
        if isinstance(word, str):
            try:
                values[name] = convert(word, hints.get(name, str), f"option {name!r} of {what}")
            except UsageError as error:
                raise OptionError(str(error), name) from None
    return values


def convert(word: str, wanted: Any, what: str) -> Any:
    """A word as a value of an annotated type: numbers, booleans, text, paths, lists and tuples, and unions of them."""
    import yaml

    choices = typing.get_args(wanted) if _is_union(wanted) else (wanted,)
    if type(None) in choices and word.lower() in ("none", "null", ""):
        return None
    try:
        value = yaml.safe_load(word)
    except yaml.YAMLError:
        value = word
    for choice in choices:
        made, fits = _as(value, word, choice)
        if fits:
            return made
    names = " or ".join(_name(choice) for choice in choices if choice is not type(None))
    raise UsageError(f"{what} takes {names}; got {word!r}")


def _as(value: Any, word: str, wanted: Any) -> tuple[Any, bool]:
    origin = typing.get_origin(wanted)
    if wanted is Any:
        return value, True
    if origin is typing.Literal:
        return word, word in typing.get_args(wanted)
    if wanted is bool:
        return value, isinstance(value, bool)
    if wanted is int:
        return value, isinstance(value, int) and not isinstance(value, bool)
    if wanted is float:
        return _number(value, word)
    if wanted is str:
        return word, True
    if wanted is Path:
        return Path(word), True
    if origin is tuple or wanted is tuple:
        return (tuple(value), True) if isinstance(value, list) else (None, False)
    if origin is not None and isinstance(origin, type) and issubclass(list, origin):  # list, Sequence, Iterable
        return value, isinstance(value, list)
    return None, False


def _number(value: Any, word: str) -> tuple[Any, bool]:
    if isinstance(value, bool):
        return None, False
    try:
        return float(value if isinstance(value, int | float) else word), True  # YAML takes 1e-3 for text
    except ValueError:
        return None, False


def _is_union(wanted: Any) -> bool:
    return typing.get_origin(wanted) in (typing.Union, types.UnionType)


def _name(wanted: Any) -> str:
    if typing.get_origin(wanted) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(wanted)))
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
    return plain.get(wanted, "a list such as [1,2,3]")


def _split(text: str) -> Sequence[str]:
    """Split at commas that are not inside brackets."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in _OPENING) - (letter in _CLOSING)
        if letter == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]
