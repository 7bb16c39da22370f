"""Component specs: parsing, conversion of options, and errors."""

from pathlib import Path

import pytest

from dlclive_core import OptionError, PluginCatalog, SourceInfo, UsageError, read_value
from dlclive_core.hookspecs import ProcessorInfo
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import ComponentSpec, build_component, convert


def catalog(factory: str) -> PluginCatalog:
    info = ProcessorInfo(name="gate", summary="", factory=factory)
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=(info,))])


@pytest.mark.parametrize(
    ("text", "name", "first", "options"),
    [
        ("kalman", "kalman", None, ()),
        ("kalman:horizon=0.02", "kalman", None, (("horizon", "0.02"),)),
        ("tables:out.h5", "tables", "out.h5", ()),
        ("tables:a=b.h5", "tables", None, (("a", "b.h5"),)),
        ("tables:C:/data/out.h5,overwrite=true", "tables", "C:/data/out.h5", (("overwrite", "true"),)),
        ("region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout", "region", None,
         (("polygon", "[[0,0],[9,0],[9,9]]"), ("keypoint", "snout"))),
    ],
)  # fmt: skip
def test_a_spec_is_parsed(text: str, name: str, first: str | None, options: tuple) -> None:
    assert ComponentSpec.parse(text) == ComponentSpec(name, first, options)


@pytest.mark.parametrize(
    ("text", "message"), [(":x=1", "does not name a component"), ("gate:a=1,b", "'b' is not an option")]
)
def test_a_bad_spec_is_rejected(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ComponentSpec.parse(text)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("3", int, 3),
        ("1e-3", float, 0.001),
        ("3", float, 3.0),
        ("true", bool, True),
        ("yes", bool, True),
        ("off", bool, False),
        ("off", bool | str, False),
        ("off", str, "off"),
        ("[on, 12:30]", list[str], ["on", "12:30"]),
        ("007", str, "007"),
        ("out.h5", Path, Path("out.h5")),
        ("none", float | None, None),
        ("2.5", float | None, 2.5),
        ("[1, 2]", tuple[int, int], (1, 2)),
        ("[[0,1],[2,3]]", list[list[float]], [[0, 1], [2, 3]]),
    ],
)
def test_text_is_converted_to_the_annotated_type(text: str, annotation: object, value: object) -> None:
    assert convert(text, annotation, "option") == value


@pytest.mark.parametrize(
    ("text", "annotation"),
    [("x", int), ("1.5", int), ("true", int), ("12:30", int), ("1_000", int), ("soon", float), ("3", bool)],
)
def test_the_error_for_a_wrong_value_gives_the_type(text: str, annotation: type) -> None:
    with pytest.raises(UsageError, match=r"option takes .*; got"):
        convert(text, annotation, "option")


def test_a_component_is_built_from_a_spec() -> None:
    processor = build_component(catalog("dlclive_core.testing:FailingProcessor"), ProcessorInfo, "gate:at=3")
    assert processor._at == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gate:att=3", r"no option 'att': did you mean 'at'\?"),
        ("gate:at=soon", "option 'at' of processor 'gate' takes a whole number; got 'soon'"),
        ("gte", r"no processor 'gte': did you mean 'gate'\?"),
    ],
)
def test_the_error_names_the_wrong_part_of_a_spec(text: str, message: str) -> None:
    with pytest.raises((UsageError, Exception), match=message):
        build_component(catalog("dlclive_core.testing:FailingProcessor"), ProcessorInfo, text)


def test_the_error_for_a_missing_option_names_it() -> None:
    with pytest.raises(UsageError, match="needs the option 'keypoints'"):
        build_component(catalog("dlclive_core:Skeleton"), ProcessorInfo, "gate")


def test_the_mouse_source_is_built_from_a_spec() -> None:
    source = build_component(PluginCatalog.installed(), SourceInfo, "mouse:seed=3,size=[160,120],fps=50")
    assert (source.name, source.is_live, source.frame_size, source.fps) == ("mouse 3", True, (160, 120), 50.0)


class Writer:
    def __init__(self, path: Path, level: int = 3, overwrite: bool = False) -> None:
        self.path, self.level, self.overwrite = path, level, overwrite


@pytest.mark.parametrize(("text", "option"), [("gate:out.h5,levle=1", "levle"), ("gate:out.h5,level=high", "level")])
def test_an_option_error_has_the_name_of_the_option(text: str, option: str) -> None:
    with pytest.raises(OptionError) as error:
        build_component(catalog(f"{__name__}:Writer"), ProcessorInfo, text)
    assert error.value.option == option


def test_relative_paths_are_resolved_and_overwrite_is_passed_on(tmp_path: Path) -> None:
    def build(text: str, **more: object) -> Writer:
        return build_component(
            catalog(f"{__name__}:Writer"), ProcessorInfo, text, resolve_path=tmp_path.joinpath, **more
        )

    assert build("gate:out.h5").path == tmp_path / "out.h5"
    assert build("gate:/data/out.h5").path == Path("/data/out.h5")
    assert not build("gate:out.h5").overwrite
    assert build("gate:out.h5", overwrite=True).overwrite
    assert not build("gate:out.h5,overwrite=false", overwrite=True).overwrite


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5", 2.5),
        ("true", True),
        ("null", None),
        ("on", "on"),
        ("[127.0.0.1, 6000]", ["127.0.0.1", 6000]),
        ("{a: [1]}", {"a": [1]}),
        ("/dev/ttyACM0", "/dev/ttyACM0"),
        ("[not closed", "[not closed"),
    ],
)
def test_a_text_is_read_as_in_a_session_file(text: str, value: object) -> None:
    assert read_value(text) == value
