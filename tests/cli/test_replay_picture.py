"""The picture and the numbers of a replay: what fired, as recorded and as replayed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dlclive_core.cli.replay.comparison import Comparison, compare
from dlclive_core.cli.replay.event_file import Episode, episodes, read_events
from dlclive_core.cli.replay.replay_picture import replay_picture
from dlclive_core.cli.replay.replay_result import Firing, ReplayResult, TriggerResult
from dlclive_core.errors import DataError
from tests.svg_checks import SVG, check_picture

LONG = "a name that goes on and on and on and on until nothing holds it"
HEADER = "frame,time,individual,event,x,y,confidence,value\n"


def firing(count: int, individual: str = "", value: float = math.nan, until: float = 600.0) -> Firing:
    found = [Episode(individual, until * k / count, until * (k + 0.3) / count, value + k) for k in range(count)]
    return Firing(tuple(found), until)


def result(*triggers: TriggerResult, ended: float = 600.0) -> ReplayResult:
    return ReplayResult(name=LONG, is_exact=True, frames=9, began=0.0, ended=ended, triggers=list(triggers))


def trigger(recorded: Firing | None, replayed: Firing | None, **more) -> TriggerResult:
    return TriggerResult(more.pop("label", "speed"), "", "speed.csv", recorded, replayed, **more)


@pytest.mark.parametrize(
    "shown",
    [
        result(),
        result(trigger(firing(3), firing(5))),
        result(trigger(None, firing(5, "Lotte", 300.0), threshold=290.0), trigger(firing(2, LONG), None, label=LONG)),
        result(trigger(firing(99_999), firing(0)), trigger(firing(1), firing(1), label="b"), ended=86_400),
        result(trigger(firing(1, until=0.0), None), ended=0.0),
        result(trigger(firing(4, value=-50.0), firing(4, value=-40.0), threshold=-45.0)),
    ],
)
def test_the_picture_is_readable(shown: ReplayResult) -> None:
    check_picture(replay_picture(f"/data/{LONG}/{LONG}/run.json", shown))


def test_the_picture_shows_every_event_where_it_was() -> None:
    root = check_picture(replay_picture("t", result(trigger(firing(3), firing(5)))))
    bars = [element for element in root.iter(f"{SVG}rect") if float(element.get("width", "0")) > 15]
    by_colour: dict[str, list[float]] = {}
    for bar in bars:
        by_colour.setdefault(bar.get("fill", ""), []).append(float(bar.get("x", "0")))
    recorded, replayed = by_colour["#8a8f98"], by_colour["#1f5fa8"]
    assert (len(recorded), len(replayed)) == (3, 5)
    assert recorded[1] - recorded[0] == pytest.approx((replayed[1] - replayed[0]) * 5 / 3, abs=0.5)


@pytest.mark.parametrize(("unit", "axis"), [("px/s", "value [px/s]"), ("", "value [its unit]")])
def test_the_axis_has_the_unit_of_the_values(unit: str, axis: str) -> None:
    shown = trigger(None, firing(5, "Lotte", 300.0), threshold=290.0, unit=unit)
    texts = [element.text for element in check_picture(replay_picture("t", result(shown))).iter(f"{SVG}text")]
    assert axis in texts
    assert f"threshold 290 {unit}".strip() in texts


def test_events_are_paired_by_individual(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(
        HEADER + "0,1.0,a,enter,1,2,0.9,7.5\n1,1.5,b,enter,1,2,0.9,\n2,2.0,a,lost,nan,nan,0,\n"
        "3,3.0,a,enter,1,2,0.9,nan\n4,4.0,b,leave,1,2,0.9,8\n"
    )
    table = read_events(path)
    assert table is not None
    found = episodes(*table)
    assert [(one.individual, one.begin, one.end) for one in found] == [("a", 1, 2), ("b", 1.5, 4), ("a", 3, None)]
    assert found[0].value == 7.5
    assert math.isnan(found[1].value)
    numbers = Firing(tuple(found), until=5.0)
    assert numbers.on_time == 1 + 2.5 + 2
    assert numbers.per_minute(5.0) == 36
    assert numbers.to_dict(0.0)["per_minute"] == 0


def test_commands_of_an_output_are_read_and_those_of_the_device_are_not(tmp_path: Path) -> None:
    path = tmp_path / "laser.csv"
    path.write_text(
        "sequence,event,reason,frame,age,decided,sent,acknowledged,device_time\n"
        "9,on,condition,25,0.0004,1.0,1.1,,\n,ended,,,,,,2.0,2.1\n13,off,missing,35,0.0005,3.0,3.1,,\n"
        "30,off,end,-1,0.0,4.0,4.1,,\n"
    )
    table = read_events(path)
    assert table is not None
    assert table[0] == "output"
    assert [(event.event, event.reason, event.frame) for event in table[1]] == [
        ("on", "condition", 25), ("off", "missing", 35), ("off", "end", -1),
    ]  # fmt: skip
    assert [(one.begin, one.end) for one in episodes(*table)] == [(1.0, 3.0)]
    again = tmp_path / "again.csv"
    again.write_text(
        path.read_text().replace("9,on", ",on").replace("30,off", ",off").replace(",ended,,,,,,2.0,2.1\n", "")
    )
    assert compare(path, again, before_close=None) == Comparison(True, "identical, 3 commands")
    again.write_text(again.read_text().replace("missing,35", "condition,35"))
    assert compare(path, again, before_close=None).text == (
        "command 2: recorded off missing 35, replayed off condition 35"
    )


def test_what_has_no_events_is_none_and_what_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("frame,seconds,speed\n1,2,3\n")
    assert read_events(path) is None
    path.write_text(HEADER + "1,2,a,enter,1,2\n")
    with pytest.raises(DataError, match=r"e.csv, line 2"):
        read_events(path)
    path.write_text(HEADER + "1,soon,a,enter,1,2,0.5,\n")
    with pytest.raises(DataError, match=r"e.csv, line 2: could not convert"):
        read_events(path)


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    recorded, replayed = tmp_path / "a.csv", tmp_path / "b.csv"
    lines = [HEADER, "1,1.0,a,enter,1,2,0.9,\n", "2,2.0,a,leave,1,2,0.9,\n", "3,3.0,a,enter,1,2,0.9,\n"]
    recorded.write_text("".join(lines))
    replayed.write_text("".join(lines))
    assert compare(recorded, replayed, before_close=None) == Comparison(True, "identical, 3 events")
    replayed.write_text("".join(lines[:2]))
    assert compare(recorded, replayed, before_close=None).text == "line 3: only recorded: '2,2.0,a,leave,1,2,0.9,'"
    size = replayed.stat().st_size
    assert compare(recorded, replayed, before_close=size) == Comparison(
        True, "identical, 1 event; 2 later events not in the record"
    )
    replayed.write_text("".join([lines[0], lines[2]]))
    different = compare(recorded, replayed, before_close=size)
    assert not different.same
    assert different.text.startswith("line 2: recorded '1,1.0")
