"""Triggers inside triggers: all, any, not, sequence, by name and in Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from dlclive_processors import (
    AllTrigger,
    AnyTrigger,
    Condition,
    DistanceTrigger,
    NotTrigger,
    Place,
    Reading,
    RegionTrigger,
    RuleTrigger,
    Scene,
    SequenceTrigger,
    SpeedTrigger,
    Stimulate,
    Trigger,
    TriggerOptions,
    plugin,
)
from dlclive_processors.triggers.combinable import Combinable
from dlclive_processors.triggers.condition import About
from typing_extensions import Unpack

from dlclive_core import DLCLiveError, OptionError, PluginCatalog, Pose, ProcessorInfo, Skeleton, UsageError
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import build_component

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
EMPTY = Scene.of(Pose.missing(SKELETON, 0), (), 0.6)


class Said(Condition):
    """Says what the test wrote, of whom it wrote."""

    def __init__(self, *frames: Mapping[tuple[str, ...], bool | None], about: About = About.INDIVIDUALS) -> None:
        self.frames, self.number, self.about = list(frames), -1, about

    def evaluate(self, scene: Scene) -> Mapping[tuple[str, ...], Reading]:
        self.number += 1
        return {subject: Reading(holds, float(self.number)) for subject, holds in self.frames[self.number].items()}

    def place(self, scene: Scene, subject: tuple[str, ...]) -> Place:
        return Place(float(len(self.frames)))


def truths(trigger: Trigger, frames: int = 1, step: float = 0.1) -> list[dict[tuple[str, ...], bool | None]]:
    found = []
    for number in range(frames):
        scene = Scene.of(Pose.missing(SKELETON, 0), (), 0.6, number * step, number * step)
        found.append({subject: reading.holds for subject, reading in trigger.condition.evaluate(scene).items()})
    return found


TABLE = {(a, b): (a, b) for a in (True, False, None) for b in (True, False, None)}


@pytest.mark.parametrize("pair", TABLE, ids=str)
def test_kleenes_tables(pair: tuple[bool | None, bool | None]) -> None:
    first = pair[0]
    parts = [Trigger(Said({("a",): holds})) for holds in pair]
    both = False if False in pair else None if None in pair else True
    either = True if True in pair else None if None in pair else False
    assert truths(AllTrigger(parts)) == [{("a",): both}]
    parts = [Trigger(Said({("a",): holds})) for holds in pair]
    assert truths(AnyTrigger(parts)) == [{("a",): either}]
    opposite = None if first is None else not first
    assert truths(NotTrigger(Trigger(Said({("a",): first})))) == [{("a",): opposite}]


def test_whom_only_one_condition_knows_is_unknown_to_the_others() -> None:
    one, other = Said({("a",): True, ("b",): False}), Said({("a",): True})
    assert truths(AllTrigger([Trigger(one), Trigger(other)])) == [{("a",): True, ("b",): False}]
    one, other = Said({("a",): True, ("b",): True}), Said({("a",): True})
    assert truths(AllTrigger([Trigger(one), Trigger(other)])) == [{("a",): True, ("b",): None}]


def test_what_is_true_of_the_scene_is_true_of_everyone() -> None:
    night, runs = Said({(): True}, about=About.SCENE), Said({("a",): True, ("b",): False})
    assert truths(AllTrigger([Trigger(night), Trigger(runs)])) == [{("a",): True, ("b",): False}]
    night = Said({(): True}, about=About.SCENE)
    assert truths(NotTrigger(Trigger(night))) == [{(): False}]


def test_a_pair_counts_for_both_of_its_animals_where_individuals_are_meant() -> None:
    near = Said({("a", "b"): True, ("a", "c"): False, ("b", "c"): None}, about=About.PAIRS)
    runs = Said({("a",): True, ("b",): True, ("c",): True})
    assert truths(AllTrigger([Trigger(near), Trigger(runs)])) == [{("a",): True, ("b",): True, ("c",): None}]
    near = Said({("a", "b"): True}, about=About.PAIRS)
    far = Said({("a", "b"): False}, about=About.PAIRS)
    assert truths(AnyTrigger([Trigger(near), Trigger(far)])) == [{("a", "b"): True}]


def course(*columns: Sequence[bool | None]) -> list[Said]:
    return [Said(*({("a",): holds} for holds in column)) for column in columns]


def sequence(*columns: Sequence[bool | None], within: float = 0.25) -> list[int]:
    """The frames, 0.1 s apart, in which a sequence of conditions holds."""
    trigger = SequenceTrigger([Trigger(each) for each in course(*columns)], within=within)
    return [n for n, each in enumerate(truths(trigger, len(columns[0]))) if each["a",]]


T, F, U = True, False, None


@pytest.mark.parametrize(
    ("first", "second", "frames"),
    [
        ([T, F, F, F], [F, F, T, F], [2]),
        ([T, F, F, F], [F, F, F, T], []),  # later than within
        ([F, F, T, F], [T, T, F, F], []),  # the wrong way round
        ([T, F, F, F, F], [F, T, T, T, F], [1, 2, 3]),  # it holds while the last one does
        ([T, T, T, T, F], [F, F, F, F, T], [4]),  # within counts from when the first one last held
        ([T, F, F, F], [T, F, F, F], []),  # in one frame is not one after the other
        ([T, T, F, F], [T, T, F, F], [1]),
        ([T, F, F, F, F], [F, T, F, T, T], [1]),  # once
        ([T, U, F, F], [F, U, T, F], [2]),
        ([T, F, F, F, F], [F, T, U, T, F], [1, 3]),
        ([T, F, F, F, F, F, F], [F, T, U, U, U, U, T], [1]),
    ],
)
def test_one_after_another(first: list[bool | None], second: list[bool | None], frames: list[int]) -> None:
    assert sequence(first, second) == frames


def test_three_in_order() -> None:
    assert sequence([T, F, F, F, T], [F, T, F, F, F], [F, F, F, T, T]) == [3, 4]
    assert sequence([T, F, F, F, F], [F, F, F, F, F], [F, T, T, T, T]) == []


def test_a_sequence_is_unknown_while_what_it_waits_for_is_not_seen() -> None:
    trigger = SequenceTrigger([Trigger(each) for each in course([U, T, F, F], [T, T, U, T])], within=1.0)
    assert [each["a",] for each in truths(trigger, 4)] == [None, False, None, True]


def test_a_sequence_forgets_animals_that_are_gone() -> None:
    first = Said(*({(f"track {n}",): True} for n in range(300)))
    second = Said(*({} for _ in range(300)))
    trigger = SequenceTrigger([Trigger(first), Trigger(second)], within=0.5)
    truths(trigger, 300)
    assert len(trigger.condition._progress) <= 7  # type: ignore[attr-defined]


def test_places_are_those_of_the_first_condition_and_of_the_last_in_a_sequence() -> None:
    one, two = Said({}), Said({}, {})
    assert AllTrigger([Trigger(one), Trigger(two)]).condition.place(EMPTY, ("a",)).x == 1
    assert SequenceTrigger([Trigger(one), Trigger(two)], within=1).condition.place(EMPTY, ("a",)).x == 2


# ---- by name


class Rearing(Condition):
    """A stranger's condition."""

    def __init__(self, height: float) -> None:
        self._height = height

    def evaluate(self, scene: Scene) -> Mapping[tuple[str, ...], Reading]:
        return {(name,): Reading(scene.points[row, 0, 1] < self._height) for row, name in enumerate(scene.names)}


class RearingTrigger(Trigger):
    """A stranger's trigger, with the shared options spelled out by one line."""

    def __init__(self, height: float = 50.0, **options: Unpack[TriggerOptions]) -> None:
        super().__init__(Rearing(height), **options)


class OwnRearing(RearingTrigger):
    """Its own constructor, without the shared options."""

    def __init__(self, *, factor: float = 2.0) -> None:
        super().__init__(20.0 * factor, debounce=2)


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> PluginCatalog:
    module = ModuleType("strangers_triggers")
    module.RearingTrigger, module.OwnRearing = RearingTrigger, OwnRearing  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "strangers_triggers", module)
    strangers = [
        ProcessorInfo(name=name, summary="", factory=f"strangers_triggers:{kind}")
        for name, kind in (("rearing", "RearingTrigger"), ("own-rearing", "OwnRearing"))
    ]
    own = (*plugin.dlclive_register_processors(), *plugin.dlclive_register_outputs())
    plugins = [
        Plugin(name=name, distribution=name, version="1", status="ready", components=tuple(components))
        for name, components in (("processors", own), ("strangers", strangers))
    ]
    return PluginCatalog(plugins)


def build(catalog: PluginCatalog, spec: str) -> Trigger:
    trigger: Trigger = build_component(catalog, ProcessorInfo, spec)
    return trigger


@pytest.mark.parametrize(
    "spec",
    [
        "speed:threshold=300",
        "speed:300",
        "speed:below=20,keypoints=[left_ear,right_ear],window=0.2,hold=0.5,delay=0.1,refractory=2,max_rate=5,events=e.csv",
        "distance:60,between_animals=true,debounce=3",
        "distance:above=60,a=snout,b=tail_base",
        "angle:a=snout,b=left_ear,c=tail_base,below=90",
        "heading:tail=tail_base,nose=snout,toward=[100,50],tolerance=20",
        "heading:tail=tail_base,nose=snout,range=[-45,45]",
        "rule:snout.y < tail_base.y - 20 and distance(snout, tail_base) < 5,name=rears",
        "rule:when=snout.y < 5,armed=false",
        "freezing:20,seconds=2",
        "all:of=[{speed:threshold=300},{region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout}],hold=1",
        'all:of=[{"speed":{"threshold":300}},{"rule":"snout.x < 5"}]',
        "all:[speed:300,freezing:5]",
        "any:of=[speed:300,{not:of={region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout}}]",
        "not:speed:300",
        "sequence:of=[{all:of=[speed:300,speed:below=900]},{freezing:20}],within=2",
        "rearing:height=40,hold=1",
        "all:of=[rearing:40,own-rearing:factor=3]",
        "speed:300,output={serial:/dev/ttyACM0,width=0.005}",
        "speed:300,output=serial:/dev/ttyACM0",
    ],
)
def test_triggers_are_built_from_command_line_specs(catalog: PluginCatalog, spec: str) -> None:
    trigger = build(catalog, spec)
    trigger.condition.bind(SKELETON)
    trigger.condition.evaluate(EMPTY)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("not:of=[{speed:60}]", "option 'of' of processor 'not' takes one component, and not a list: write {speed:60}"),
        ("speed:60,output=serial:p,patience=3", "which needs braces: output={serial:p,patience=3}"),
        (f"region:polygon={SQUARE},keypoint=snout,output=serial:p", "all:of=[{region:...}],output=..."),
        (f"region:polygon={SQUARE},keypoint=snout,hold=1", "write all:of=[{region:...}],hold=..."),
    ],
)
def test_an_option_at_the_wrong_place_says_where_it_goes(catalog: PluginCatalog, spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(catalog, spec)
    assert message in str(caught.value)


def test_stimulate_takes_an_output_and_a_rule_by_name(catalog: PluginCatalog) -> None:
    spec = "stimulate:when=snout.x < 5,output={serial:/dev/ttyACM0,width=0.005}"
    assert isinstance(build_component(catalog, ProcessorInfo, spec), Stimulate)


def test_a_nested_output_gets_the_folder_and_overwrite(catalog: PluginCatalog, tmp_path: Path) -> None:
    spec = "speed:300,events=speed.csv,output={serial:/dev/ttyACM0,events=laser.csv}"
    trigger = build_component(catalog, ProcessorInfo, spec, resolve_path=lambda path: tmp_path / path, overwrite=True)
    assert trigger.outputs == (tmp_path / "speed.csv", tmp_path / "laser.csv")
    inner = build_component(
        catalog, ProcessorInfo, "all:of=[speed:300]", overwrite=True
    )  # refuses nothing of its parts
    assert isinstance(inner, AllTrigger)


@pytest.mark.parametrize(
    ("spec", "option", "message"),
    [
        ("all:of=[]", "", "option 'of' is empty"),
        ("all:of=[speed:300,{spede:5}]", "of.1", "no processor 'spede': did you mean 'speed'?"),
        ("all:of=[speed:300,{speed:300,widnow=5}]", "of.1.widnow", "no option 'widnow': did you mean 'window'?"),
        ("all:of=[speed:300,{any:of=[freezing:5,speed:fast]}]", "of.1.of.1.threshold", "takes a number; got 'fast'"),
        ("all:of=[kalman]", "of.0", "processor 'kalman' has no condition that could be combined"),
        (
            "all:of=[{speed:300,hold=2}]",
            "",
            "option 'hold' of a trigger inside all has no effect; give it to all itself",
        ),
        (
            "not:of={region:polygon=[[0,0],[9,0],[9,9]],keypoint=a,events=x}",
            "",
            "option 'events' of a trigger inside not has no effect",
        ),
        ("not:of={speed:-5}", "of", "threshold is -5.0; give a number at least 0"),
        ("sequence:of=[speed:300],within=1", "", "of must have two triggers or more"),
        ("sequence:of=[speed:300,freezing:5],within=0", "", "within is 0.0; give a number above 0"),
        ("sequence:of=[speed:300,freezing:5]", "", "needs the option 'within'"),
        ("rule:snout.x <", "", "the rule ends too early"),
        ("speed:300,output=serail:/dev/x", "output", "no output 'serail': did you mean 'serial'?"),
        ("speed:300,output={serial:/dev/x,widht=5}", "output.widht", "did you mean 'width'?"),
    ],
)
def test_errors_of_specs(catalog: PluginCatalog, spec: str, option: str, message: str) -> None:
    with pytest.raises(DLCLiveError) as caught:
        build(catalog, spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    if option and isinstance(caught.value, OptionError):
        assert caught.value.option == option


def test_an_unknown_keypoint_of_a_nested_condition_has_the_way_to_it() -> None:
    inner = AnyTrigger([SpeedTrigger(5), NotTrigger(RuleTrigger("snot.x < 5"))])
    trigger = AllTrigger([DistanceTrigger(5, between_animals=True), inner])
    with pytest.raises(OptionError, match=r"\[snot\].x < 5: no keypoint 'snot': did you mean 'snout'") as caught:
        trigger.condition.bind(SKELETON)
    assert caught.value.option == "of.1.of.1.of"


def test_something_else_than_a_trigger_is_refused() -> None:
    with pytest.raises(UsageError, match="of takes triggers; got float"):
        AllTrigger([5.0])  # type: ignore[list-item]


def test_the_shared_options_are_in_the_signature_of_every_trigger() -> None:
    import inspect
    import typing

    shared = inspect.signature(Trigger).parameters
    assert {*TriggerOptions.__annotations__} == {*shared} - {"condition"}
    for kind in (SpeedTrigger, AllTrigger, RearingTrigger):
        parameters = inspect.signature(kind).parameters
        for name in TriggerOptions.__annotations__:
            assert parameters[name].default == shared[name].default
        assert typing.get_type_hints(kind.__init__)["hold"] is float
    assert list(inspect.signature(OwnRearing).parameters) == ["factor"]
    assert RearingTrigger()._name == "rearing"


def test_a_region_works_in_a_combination_as_alone(
    make_pose: Callable[..., Pose], make_run: Callable[..., object], make_frame: Callable[..., object]
) -> None:
    heard: list[str] = []
    region = RegionTrigger(polygon=SQUARE, keypoint="snout")
    assert isinstance(region, Combinable)
    trigger = NotTrigger(region, on_event=lambda event: heard.append(event.event))
    trigger.open(make_run())  # type: ignore[arg-type]
    for number, place in enumerate([[50, 50], [150, 50], [np.nan, np.nan], [50, 50], [150, 50], [50, 50]]):
        trigger.process(make_pose([place]), make_frame(number, number * 0.01))  # type: ignore[arg-type]
    assert heard == ["on", "lost", "on", "off"]
