"""Components that are options of another component."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dlclive_core import OptionError, OutputInfo, PartBuilder, PluginCatalog, ProcessorInfo, UsageError
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import ComponentSpec, build_component


class Lamp:
    """An output with a path, a number and `overwrite`."""

    def __init__(self, place: str, *, width: float = 1.0, file: Path | None = None, overwrite: bool = False) -> None:
        self.place, self.width, self.file, self.overwrite = place, width, file, overwrite

    @classmethod
    def from_option(cls, text: str, parts: PartBuilder) -> Lamp:
        lamp: Lamp = parts.build(OutputInfo, text)
        return lamp


class Watch:
    """A processor with one output, and with several."""

    def __init__(self, *, output: Lamp | None = None, more: Sequence[Lamp] = ()) -> None:
        self.output, self.more = output, more


@pytest.fixture
def catalog() -> PluginCatalog:
    here = __name__
    components = (
        OutputInfo(name="lamp", summary="A lamp", factory=f"{here}:Lamp"),
        ProcessorInfo(name="watch", summary="Watches", factory=f"{here}:Watch"),
    )
    plugin = Plugin(name="test", distribution="test", version="1", status="ready", components=components)
    return PluginCatalog([plugin])


@pytest.mark.parametrize(
    "text",
    [
        "watch:output={lamp:red,width=0.5}",
        "watch:output={lamp:place=red,width=0.5}",
        'watch:output={"lamp":{"place":"red","width":0.5}}',
        "watch:output={lamp: {place: red, width: 0.5}}",
    ],
)
def test_an_output_is_built_from_all_forms(catalog: PluginCatalog, text: str) -> None:
    lamp = build_component(catalog, ProcessorInfo, text).output
    assert (lamp.place, lamp.width, lamp.overwrite) == ("red", 0.5, False)


@pytest.mark.parametrize("text", ["watch:output=lamp:red", "watch:output={lamp:red}", "watch:output={lamp: red}"])
def test_one_option_needs_no_name(catalog: PluginCatalog, text: str) -> None:
    lamp = build_component(catalog, ProcessorInfo, text).output
    assert (lamp.place, lamp.width) == ("red", 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "watch:more=[{lamp:red,width=0.5},lamp:blue]",
        'watch:more=[{"lamp":{"place":"red","width":0.5}},{"lamp":"blue"}]',
        'watch:more=[{"lamp":{"place":"red","width":0.5}},"lamp:blue"]',
        'watch:more=["lamp:red,width=0.5","lamp:blue"]',
    ],
)
def test_a_list_of_outputs(catalog: PluginCatalog, text: str) -> None:
    lamps = build_component(catalog, ProcessorInfo, text).more
    assert [(lamp.place, lamp.width) for lamp in lamps] == [("red", 0.5), ("blue", 1.0)]


def test_an_empty_list(catalog: PluginCatalog) -> None:
    assert build_component(catalog, ProcessorInfo, "watch:more=[]").more == []


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("watch:output={lamp:red,widht=2}", "output.widht"),
        ("watch:output={lamp:red,width=wide}", "output.width"),
        ("watch:more=[lamp:red,{lamp:blue,width=wide}]", "more.1.width"),
        ("watch:more=[lamp:red,{}]", "more.1"),
    ],
)
def test_errors_have_the_way_to_the_option(catalog: PluginCatalog, text: str, option: str) -> None:
    with pytest.raises(OptionError) as caught:
        build_component(catalog, ProcessorInfo, text)
    assert caught.value.option == option


def test_paths_of_nested_components_are_resolved(catalog: PluginCatalog, tmp_path: Path) -> None:
    text = "watch:output={lamp:red,file=a.csv}"
    lamp = build_component(
        catalog, ProcessorInfo, text, resolve_path=lambda path: tmp_path / path, overwrite=True
    ).output
    assert lamp.file == tmp_path / "a.csv"
    assert lamp.overwrite


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("watch:output={lamp:red,widht=2}", "output 'lamp' has no option 'widht'"),
        ("watch:output=lmap:red", "no output 'lmap': did you mean 'lamp'?"),
        ("watch:output={lamp:red,width=wide}", "option 'width' of output 'lamp' takes a number"),
        (
            "watch:output={lamp: red, lamp2: {}}",
            "one component, written name: options; got lamp, lamp2; indent its options",
        ),
        ('watch:output={"lamp":"red","widht":0.005}', "got lamp, widht; write {lamp:red,widht=0.005}$"),
        ("watch:output=[{lamp:red}]", "one component, and not a list: write {lamp:red}, without the brackets"),
        ("watch:output=[lamp:red]", "one component, and not a list: write {lamp:red}, without the brackets"),
        ("watch:output=[{lamp:red},{lamp:blue}]", "takes one component, .* and not a list of 2"),
        ("watch:output=lamp:red,width=2", "'width' is one of lamp, which needs braces: output={lamp:red,width=2}"),
        ("watch:output={lamp:red},width=2", "processor 'watch' has no option 'width'"),
        ("watch:output=lamp:red,widht=2", "processor 'watch' has no option 'widht'"),
        ("watch:output=lmap:red,width=2", "processor 'watch' has no option 'width'"),
        ("watch:more=[{lamp:red}", r"begins with \[ and does not end with \]"),
        ("watch:output={lamp:red", "begins with { and does not end with }"),
    ],
)
def test_errors_name_the_nested_component(catalog: PluginCatalog, text: str, message: str) -> None:
    with pytest.raises(Exception, match=message.replace("?", r"\?")) as caught:
        build_component(catalog, ProcessorInfo, text)
    assert "\n" not in str(caught.value)


def test_a_none_output_is_none(catalog: PluginCatalog) -> None:
    assert build_component(catalog, ProcessorInfo, "watch:output=none").output is None


def test_a_spec_in_braces_without_a_name() -> None:
    with pytest.raises(UsageError, match="does not name a component"):
        ComponentSpec.parse_nested("{}")
