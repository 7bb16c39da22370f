"""Component specs: `kalman:horizon=0.02`, `tables:out.h5`, `region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout`."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.errors import DLCLiveError, OptionError, UsageError, first_of, shown
from dlclive_core.hookspecs import ComponentInfo
from dlclive_core.plugins.catalog import PluginCatalog, check_options, construct

_OPENING, _CLOSING = "[{(", "]})"
_YES, _NO = {"true", "yes", "on"}, {"false", "no", "off"}
"""Words for an option that is true or false. Where another type is declared, `on` is a word."""


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """A component's name and its options as text. `first` is an unnamed option: the constructor's first argument."""

    name: str
    first: str | None
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> ComponentSpec:
        """Parse `name`, `name:first`, `name:option=value,option=value` or a mixture of these."""
        name, _, rest = text.partition(":")
        if not name.strip():
            raise UsageError(f"{shown(text)} does not name a component; write name:option=value,option=value")
        first: str | None = None
        options: list[tuple[str, str]] = []
        for index, part in enumerate(_split(rest) if rest else ()):
            option, equals, value = part.partition("=")
            if equals and option.strip().isidentifier():
                options.append((option.strip(), value.strip()))
            elif index == 0:
                first = part.strip()
            else:
                raise UsageError(f"in {shown(text)}, {shown(part)} is not an option; write option=value")
        return cls(name.strip(), first, tuple(options))

    @classmethod
    def parse_nested(cls, text: str) -> ComponentSpec:
        """Parse a component that is an option: as `parse`, in braces or not, or the mapping that a session file holds."""
        inner = text.strip()
        _check_closed(inner)
        if not inner.startswith("{"):
            return cls.parse(inner)
        from dlclive_core.text.decoding import TextError
        from dlclive_core.text.yaml_1_2 import load

        try:
            value = load(inner)
        except TextError:
            value = None
        if not isinstance(value, dict) or not value or None in value.values():
            return cls.parse(inner[1:-1])
        if len(value) > 1:
            raise UsageError(_not_one(value))
        ((name, options),) = value.items()
        if not isinstance(options, dict):
            return cls(str(name), _written(options), ())
        return cls(str(name), None, tuple((str(option), _written(value)) for option, value in options.items()))


@dataclass(frozen=True, slots=True)
class NestedParts:
    """The `PartBuilder` for the options of one component.

    Attributes:
        catalog: where the component is found.
        resolve_path, overwrite: as in `build_component`.
    """

    catalog: PluginCatalog
    resolve_path: Callable[[Path], Path] | None = None
    overwrite: bool = False

    def build(self, kind: type[ComponentInfo], text: str) -> Any:
        """Build the component of a nested spec. Raises what `build_component` raises."""
        spec = ComponentSpec.parse_nested(text)
        return build_component(self.catalog, kind, spec, resolve_path=self.resolve_path, overwrite=self.overwrite)


def build_component(
    catalog: PluginCatalog,
    kind: type[ComponentInfo],
    text: str | ComponentSpec,
    *,
    resolve_path: Callable[[Path], Path] | None = None,
    overwrite: bool = False,
) -> Any:
    """Build the component that a spec describes.

    Args:
        resolve_path: maps each path among the options, for example to another folder.
        overwrite: pass `overwrite=True` to a component that has this option, unless the spec sets it.

    Raises:
        OptionError: an option is unknown or has a wrong value; the message names the nearest valid one.
        UsageError: a required option is missing, or the component rejects its options.
        PluginError, DependencyError: the component does not exist or cannot be imported.
    """
    spec = text if isinstance(text, ComponentSpec) else ComponentSpec.parse(text)
    info = catalog.find(kind, spec.name)
    factory = catalog.factory(info)
    label = f"{kind.kind} {spec.name!r}"
    parameters = inspect.signature(factory).parameters
    options = dict(spec.options)
    if spec.first is not None:
        if not parameters:
            raise UsageError(f"{label} takes no options; got {shown(spec.first)}")
        options = {next(iter(parameters)): spec.first, **options}
    errors: list[DLCLiveError] = []
    known = {}
    for name, value in options.items():
        try:
            check_options(factory, (name,), label)
            known[name] = value
        except UsageError as error:
            errors.append(OptionError(_meant_inside(catalog, factory, name, spec) or str(error), name))
    required = [
        name
        for name, p in parameters.items()
        if p.default is p.empty and name not in options and p.kind not in (p.VAR_KEYWORD,)
    ]
    if required and not errors:  # it may be the one that is misspelt
        errors.append(UsageError(f"{label} needs the option {required[0]!r}: {spec.name}:{required[0]}=..."))
    parts = NestedParts(catalog, resolve_path, overwrite)
    values: dict[str, Any] = {}
    try:
        values = convert_options(factory, known, label, parts)
    except DLCLiveError as error:
        errors.append(error)
    if errors:
        raise first_of(errors)
    if resolve_path is not None:
        values = {name: resolve_path(value) if isinstance(value, Path) else value for name, value in values.items()}
    if overwrite and "overwrite" in parameters:
        values.setdefault("overwrite", True)
    try:
        return construct(factory, label, **values)
    except UsageError as error:
        if label in str(error):
            raise
        raise first_of([type(each)(f"{label}: {each}") for each in (error, *error.further)]) from error


def convert_options(
    factory: Any, options: Mapping[str, Any], label: str, parts: NestedParts | None = None
) -> dict[str, Any]:
    """Convert the options that are text to the types that a constructor declares.

    Args:
        factory: a class or a function.
        options: by name; values that are not text stay unchanged.
        label: the component's name in messages: "sink 'tables'".
        parts: builds options that are components.

    Raises:
        OptionError: a value cannot be converted to its option's type. All options are looked at: see `DLCLiveError.further`.
    """
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    values = dict(options)
    errors: list[DLCLiveError] = []
    for name, text in options.items():
        if isinstance(text, str):
            try:
                values[name] = convert(text, hints.get(name, str), f"option {name!r} of {label}", parts)
            except DLCLiveError as error:
                errors.append(inside(name, error))
    if errors:
        raise first_of(errors)
    return values


def convert(text: str, annotation: Any, label: str, parts: NestedParts | None = None) -> Any:
    """Convert text to an annotated type: numbers, booleans, text, paths, lists, tuples, components, and unions of them."""
    choices = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    if type(None) in choices and text.lower() in ("none", "null", ""):
        return None
    for choice in choices if parts is not None else ():
        if hasattr(choice, "from_option"):
            _refuse_list(text, label)
            return choice.from_option(text, parts)
        items = typing.get_args(choice)
        if len(items) == 1 and hasattr(items[0], "from_option") and _is_list(choice):
            return _built(items[0], _items(text), parts)
    value = read_value(text)
    for choice in choices:
        converted, fits = _as(value, text, choice)
        if fits:
            return converted
    raise UsageError(f"{label} takes {type_in_words(annotation)}; got {shown(text)}")


def type_in_words(annotation: Any) -> str:
    """What an option of this type takes, such as "a number", for messages and lists of options."""
    choices = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    return " or ".join(dict.fromkeys(_name(choice) for choice in choices if choice is not type(None)))


def read_value(text: str) -> Any:
    """The value of an option's text, as in a session file: a number, true, null, a list, a mapping; else the text."""
    from dlclive_core.text.decoding import TextError
    from dlclive_core.text.yaml_1_2 import load  # here: it imports PyYAML, which a plugin's description does not need

    try:
        return load(text)
    except TextError:
        return text


def inside(name: str, error: DLCLiveError) -> DLCLiveError:
    """The error of an option, whose value may be a component with an error in an option of its own."""
    return first_of([_inside(name, each) for each in (error, *error.further)])


def _inside(name: str, error: DLCLiveError) -> DLCLiveError:
    way = f"{name}.{error.option}" if error.option else name
    if isinstance(error, UsageError):
        return OptionError(str(error), way)
    error.option, error.further = way, ()
    return error


def _meant_inside(catalog: PluginCatalog, factory: Any, name: str, spec: ComponentSpec) -> str:
    """What to write for an unknown option that the component before it has: `output=zmq:5560,patience=3`; or empty."""
    try:
        hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except Exception:  # annotations of a stranger's class that cannot be read: the unknown option is told all the same
        return ""
    for option, text in spec.options:
        annotation = hints.get(option, str)
        kinds = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
        kind = next((each for each in kinds if hasattr(each, "from_option")), None)
        if option == name or kind is None or text[:1] in _OPENING:
            continue
        inner = ComponentSpec.parse(text)
        if name in _options_of(catalog, kind, inner.name):
            value = dict(spec.options)[name]
            written = f"{text}{',' if ':' in text else ':'}{name}={value}"
            return f"option {name!r} is one of {inner.name}, which needs braces: {option}={{{written}}}"
    return ""


def _options_of(catalog: PluginCatalog, kind: Any, name: str) -> Sequence[str]:
    """The options of a component of this class, by its name."""
    for info in (info for plugin in catalog.plugins for info in plugin.components if info.name == name):
        try:
            factory = catalog.factory(info)
            if inspect.isclass(factory) and issubclass(factory, kind):
                return tuple(inspect.signature(factory).parameters)
        except (DLCLiveError, ValueError):  # it cannot be used, or does not tell
            continue
    return ()


def _built(kind: Any, texts: Sequence[str], parts: NestedParts | None) -> list[Any]:
    """The components of a list."""
    built: list[Any] = []
    errors: list[DLCLiveError] = []
    for number, text in enumerate(texts):
        try:
            built.append(kind.from_option(text, parts))
        except DLCLiveError as error:
            errors.append(inside(str(number), error))
    if errors:
        raise first_of(errors)
    return built


def _as(value: Any, text: str, annotation: Any) -> tuple[Any, bool]:
    origin = typing.get_origin(annotation)
    if annotation is Any:
        return value, True
    if origin is typing.Literal:
        return text, text in typing.get_args(annotation)
    if annotation is bool:
        return (text.lower() in _YES, True) if text.lower() in _YES | _NO else (None, False)
    if annotation is int:
        return value, isinstance(value, int) and not isinstance(value, bool)
    if annotation is float:
        return _number(value, text)
    if annotation is str:
        return text, True
    if annotation is Path:
        return Path(text), True
    if origin is tuple or annotation is tuple:
        return (tuple(value), True) if isinstance(value, list) else (None, False)
    if _is_list(annotation):
        return value, isinstance(value, list)
    return None, False


def _is_list(annotation: Any) -> bool:
    """Whether it is a list, a Sequence or an Iterable of something."""
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(list, origin)


def _items(text: str) -> Sequence[str]:
    """The components of a list: `[speed:threshold=300,region:...]`, or as JSON; a single one needs no brackets."""
    inner = text.strip()
    _check_closed(inner)
    if not inner.startswith("["):
        return [inner]
    try:
        written = json.loads(inner)
    except ValueError:
        return _split(inner[1:-1]) if inner[1:-1].strip() else []
    return [_written(item) for item in written]


def _refuse_list(text: str, label: str) -> None:
    """Raise UsageError for a list where one component is expected."""
    if not text.strip().startswith("["):
        return
    items = _items(text)
    if len(items) != 1:
        raise UsageError(f"{label} takes one component, {{name:option=value}}, and not a list of {len(items)}")
    one = items[0] if items[0].startswith("{") else f"{{{items[0]}}}"
    raise UsageError(f"{label} takes one component, and not a list: write {one}, without the brackets around it")


def _check_closed(text: str) -> None:
    """Raise UsageError for a nested component that begins with a bracket and does not end with it."""
    if text[:1] in ("[", "{") and text[-1] != _CLOSING[_OPENING.index(text[0])]:
        raise UsageError(
            f"{shown(text)} begins with {text[0]} and does not end with {_CLOSING[_OPENING.index(text[0])]}"
        )


def _written(value: Any) -> str:
    """A value of a session file, as it is written on the command line."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _number(value: Any, text: str) -> tuple[Any, bool]:
    if isinstance(value, bool):
        return None, False
    try:
        return float(value if isinstance(value, int | float) else text), True
    except (ValueError, OverflowError):  # an integer can be larger than any float
        return None, False


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _name(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(annotation)))
    plain = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        Path: "a path",
        Any: "any value",
    }
    items = typing.get_args(annotation)
    if hasattr(annotation, "from_option"):
        return "{name:option=value}"
    if items and hasattr(items[0], "from_option"):
        return "[{name:option=value},...]"
    if items and typing.get_args(items[0]):
        return "a list such as [[1,2],[3,4]]"
    return plain.get(annotation, "a list such as [a,b]" if items == (str,) else "a list such as [1,2,3]")


def _not_one(components: Mapping[Any, Any]) -> str:
    """The message for `{serial: /dev/ttyACM0, width: 0.005}`, where an option stands beside its component."""
    (name, first), *others = components.items()
    message = f"it must be one component, written name: options; got {shown(', '.join(map(str, components)))[1:-1]}"
    if any(isinstance(value, Mapping) for value in components.values()):
        return f"{message}; indent its options"
    options = ",".join(f"{option}={_written(value)}" for option, value in others)
    return f"{message}; write {{{name}:{_written(first)},{options}}}"


def _split(text: str) -> Sequence[str]:
    """Split at commas that are not inside brackets."""
    parts, depth, begin = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter in _OPENING) - (letter in _CLOSING)
        if letter == "," and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    return [*parts, text[begin:]]
