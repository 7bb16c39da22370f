"""The language of rules: what it says, what it refuses, and that it agrees with a plain evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from dlclive_processors import RuleTrigger, Scene
from dlclive_processors.triggers.rule import Rule
from hypothesis import given, settings
from hypothesis import strategies as st

from dlclive_core import Pose, Skeleton, UsageError

SKELETON = Skeleton(("snout", "left ear", "tail_base", "and"))
NAN = float("nan")
POINTS = [[10, 20, 0.9], [30, 20, 0.8], [NAN, NAN, 0.0], [10, 50, 0.7]]


def scene(rows: object = POINTS, at: float = 0.0) -> Scene:
    keypoints = np.asarray(rows, np.float32).reshape(-1, 4, 3)
    names = tuple(f"m{row}" for row in range(len(keypoints)))
    return Scene.of(Pose(keypoints, SKELETON), names, 0.6, at, at)


def truth(text: str, *scenes: Scene) -> bool | None:
    """Of the first animal, in the last scene."""
    rule = Rule(text)
    rule.bind(SKELETON)
    readings = [rule.evaluate(each) for each in scenes or [scene()]]
    return readings[-1]["m0",].holds


@pytest.mark.parametrize(
    "text",
    [
        "snout.x == 10",
        "snout.y != 10",
        "snout.x < snout.y <= 20",
        "snout.x + 2 * snout.y == 50",
        "snout.x - 2 - 3 == 5",
        "snout.y / 2 / 5 == 2",
        "-snout.x == -10 and --snout.x == 10",
        "(snout.x + 2) * 2 == 24",
        "snout.x < 5 or snout.y > 5 and snout.x > 5",
        "not snout.x < 5",
        "not (snout.x < 5 or snout.y < 5)",
        "not not snout.x > 5",
        "'left ear'.x == 30",
        '"left ear".x == 30',
        "'and'.y == 50",
        "snout.confidence > 0.89",
        "distance(snout, 'left ear') == 20",
        "angle('left ear', snout, 'and') == 90",
        "heading(snout, 'left ear') == 0 and heading(snout, 'and') == 90",
        "inside(snout, 0,0, 20,0, 20,30, 0,30)",
        "not inside(snout, -5,-5, 5,-5, 5,5)",
        "abs(5 - snout.x) == 5",
        "min(snout.x, snout.y, 15) == 10 and max(snout.x, snout.y) == 20",
        "1e1 == snout.x and .5 < snout.x and 10. == snout.x",
        "snout.x==10and snout.y==20",
    ],
)
def test_true_of_the_animal(text: str) -> None:
    assert truth(text) is True
    assert truth(f"not ({text})") is False


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("tail_base.x > 0", None),
        ("not tail_base.x > 0", None),
        ("tail_base.x > 0 and snout.x > 0", None),
        ("tail_base.x > 0 and snout.x < 0", False),
        ("tail_base.x > 0 or snout.x > 0", True),
        ("tail_base.x > 0 or snout.x < 0", None),
        ("5 < snout.x < tail_base.x", None),
        ("50 < snout.x < tail_base.x", False),
        ("tail_base.confidence < 0.5", None),
        ("0 * tail_base.x == 0", None),
        ("min(tail_base.x, snout.x) > 0", None),
        ("distance(snout, tail_base) > 0", None),
        ("angle(snout, tail_base, 'and') > 0", None),
        ("heading(snout, snout) > -500", None),
        ("inside(tail_base, 0,0, 9,0, 9,9)", None),
        ("speed() > 0", None),
        ("still(5, 0)", None),
        ("snout.x / (snout.y - 20) > 0", None),
        ("snout.x * 1e308 * 1e308 > 0", None),
        ("snout.x / 1e-308 / 1e-308 > 0", None),
    ],
)
def test_what_is_not_seen_is_unknown_where_it_decides(text: str, holds: bool | None) -> None:
    assert truth(text) is holds


def test_nothing_is_true_of_an_animal_that_is_not_seen() -> None:
    gone = scene([[NAN, NAN, 0]] * 4)
    assert truth("snout.x > 0 or 1 < 2", gone) is None
    assert truth("snout.x > 0", scene([[5, 5, 0.59]] * 4)) is None


def test_speeds_and_stillness() -> None:
    def at(n: int) -> Scene:
        return scene([[10 + 3 * n, 20, 0.9], [30, 20, 0.8], [NAN, NAN, 0], [10, 50, 0.7]], n * 0.01)

    run = [at(n) for n in range(10)]
    assert truth("299 < speed(snout) < 301", *run)
    assert truth("99 < speed() < 101", *run)
    assert truth("speed('left ear') == 0 and speed(snout) > 0", *run)
    assert truth("still(101, 0.05)", *run)
    assert truth("still(101, 0.09)", *run) is False  # the first speed is known in the second frame
    assert truth("still(99, 0.05)", *run) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the rule is empty"),
        ("   ", "the rule is empty"),
        (
            "snout.x < 5 and",
            "rule snout.x < 5 and[]: the rule ends too early; expected a keypoint, a number or a function",
        ),
        ("snout.x <", "rule snout.x <[]: the rule ends too early"),
        ("snout.x", "rule [snout].x: a rule needs a condition here, and this is a number"),
        ("snout.x + 3", "a rule needs a condition here"),
        ("snout.x < 5 and snout.y", "rule snout.x < 5 and [snout].y: and needs a condition here"),
        ("not snout.x", "not needs a condition here"),
        ("(snout.x < 5) + 3 < 7", "rule [(]snout.x < 5) + 3 < 7: a sum needs a number here"),
        ("(snout.x < 5) < 7", "a comparison needs a number here"),
        ("-(snout.x < 5) < 7", "a minus sign needs a number here"),
        ("abs(snout.x < 5) < 7", "abs needs a number here"),
        ("snout.z < 5", "rule snout.[z] < 5: a keypoint has no 'z': choose from confidence, x, y"),
        ("snout.confidenc < 5", "did you mean 'confidence'?"),
        ("snout < 5", "rule [snout] < 5: write snout.x, .y or .confidence"),
        ("snout.x < 5 snout.y", "'snout' is not expected here; join conditions by and, or"),
        ("snout.x < 5)", "rule snout.x < 5[)]: ')' is not expected here"),
        ("(snout.x < 5", "rule (snout.x < 5[]: the rule ends too early; expected ')'"),
        ("spede(snout) < 5", "rule [spede](snout) < 5: there is no function 'spede': did you mean 'speed'?"),
        ("speed < 5", "'speed' is a word of the language; quote a keypoint of this name: 'speed'"),
        ("and.x < 5", "rule [and].x < 5: 'and' is not expected here"),
        ("distance(snout) < 5", "distance takes two keypoints"),
        ("distance(snout, tail_base, snout) < 5", "distance takes two keypoints"),
        ("distance(snout, 5) < 5", "'5' is not expected here; expected the name of a keypoint"),
        ("still(5)", "still takes a speed in px/s and a number of seconds"),
        ("still(-5, 1)", "still takes a speed in px/s"),
        ("inside(snout, 0,0, 1,1)", "2 different corners"),
        ("inside(snout, 0,0, 1,1, 2)", "there are 5 numbers, and y of the last corner is missing"),
        ("inside(snout, 0,0, snout.x,1, 2,2)", "'snout' is not expected here; expected a number such as 20"),
        ("1 < 2", "the rule names no keypoint"),
        ("snout.x < 1e999", "this number is too large"),
        ("snout.x < 5; import os", "';' is not expected here; it is not part of the language of rules"),
        ("__import__('os').system('x') < 1", "there is no function '__import__'"),
        ("snout.__class__ < 5", "a keypoint has no '__class__'"),
        ("'snout.x < 5", "close the quotes"),
        ("snout.x < 5\x00", "is not expected here"),
        ("snout.x = 5", "'=' is not expected here"),
        ("speed(snot) < 5", "rule speed([snot]) < 5: no keypoint 'snot': did you mean 'snout'?"),
        ("snout.x < 5 and tale_base.y > 3", "rule snout.x < 5 and [tale_base].y > 3: no keypoint 'tale_base': did you"),
    ],
)
def test_errors_are_one_line_and_show_the_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Rule(text).bind(SKELETON)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 100_000 + "snout.x < 5" + ")" * 100_000,
        "(" * 900 + "snout.x < 5" + ")" * 900,
        "not " * 400 + "snout.x < 5",
        "-" * 1500 + "snout.x < 5",
        "abs(" * 300 + "snout.x" + ")" * 300 + " < 5",
        "[" * 100_000,
        "snout.x+" * 20_000 + "1 < 5",
    ],
    ids=range(8),
)
def test_deep_and_long_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"levels deep|is the most"):
        Rule(text)


def test_a_long_flat_rule_is_no_deep_one() -> None:
    text = " and ".join(["snout.x>0"] * 100) + " and 0" + "+1" * 200 + " < 1000"
    assert truth(text)


WORDS = st.sampled_from(
    ["snout", "'left ear'", ".x", ".y", "and", "or", "not", "(", ")", "<", ">=", "+", "-", "*", "/", ",", "5", "1e3", " ",
     "speed(", "distance(", "inside(", "min(", "still(", "abs(", ".confidence", "'", "\n", "é", "1e999", "=="]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.text(max_size=40) | st.lists(WORDS, max_size=30).map(" ".join) | st.lists(WORDS, max_size=30).map("".join))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    refusal = refused(text)
    assert "\n" not in refusal
    refusal.encode()
    if not refusal:
        rule = Rule(text)
        rule.bind(SKELETON)
        for rows in (POINTS, [], [[NAN, NAN, 0]] * 40):
            rule.evaluate(scene(rows))


def refused(text: str) -> str:
    """Why a rule is refused; empty if it is not."""
    try:
        Rule(text).bind(SKELETON)
    except UsageError as error:
        return str(error)
    return ""


# A rule as a tree, its text, and a plain evaluator of the tree that shares nothing with the compiled one.
NAMES = {"snout": 0, "'left ear'": 1, "tail_base": 2, "'and'": 3}
COORDINATES = st.tuples(
    st.just("coordinate"), st.sampled_from(sorted(NAMES)), st.sampled_from(["x", "y", "confidence"])
)
CONSTANTS = st.tuples(st.just("constant"), st.integers(-30, 60).map(float))
NUMBERS = st.recursive(
    COORDINATES | CONSTANTS,
    lambda inner: (
        st.tuples(st.sampled_from(["+", "-", "*", "/", "min", "max"]), inner, inner)
        | st.tuples(st.sampled_from(["neg", "abs"]), inner)
    ),
    max_leaves=6,
)
TRUTHS = st.recursive(
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS, NUMBERS),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner),
    max_leaves=6,
)


def text_of(tree: tuple) -> str:  # type: ignore[type-arg]
    kind, *parts = tree
    if kind == "coordinate":
        return f"{parts[0]}.{parts[1]}"
    if kind == "constant":
        return f"{parts[0]:g}" if parts[0] >= 0 else f"(0 - {-parts[0]:g})"
    inner = [text_of(part) for part in parts]
    if kind in ("min", "max", "abs"):
        return f"{kind}({', '.join(inner)})"
    if kind in ("neg", "not"):
        return f"({'-' if kind == 'neg' else 'not '}{inner[0]})"
    return f"({inner[0]} {kind} {inner[1]})"


def number_of(tree: tuple, rows: list[list[float]]) -> float | None:  # type: ignore[type-arg]
    kind, *parts = tree
    if kind == "constant":
        return parts[0]
    if kind == "coordinate":
        x, y, confidence = (float(np.float32(value)) for value in rows[NAMES[parts[0]]])
        if not (math.isfinite(x) and math.isfinite(y) and 0.6 <= np.float32(confidence) <= 1):
            return None
        return {"x": x, "y": y, "confidence": confidence}[parts[1]]
    inner = [number_of(part, rows) for part in parts]
    if None in inner:
        return None
    plain: dict[str, Callable[..., float]] = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "min": min, "max": max,
        "/": lambda a, b: a / b if b else NAN, "neg": lambda a: -a, "abs": abs,
    }  # fmt: skip
    value = plain[kind](*inner)
    return value if math.isfinite(value) else None


def truth_of(tree: tuple, rows: list[list[float]]) -> bool | None:  # type: ignore[type-arg]
    """Kleene's tables, with False, unknown, True as 0, 1/2, 1: `and` is the least, `or` the greatest, `not` 1 - x."""
    kind, *parts = tree
    if kind in ("and", "or", "not"):
        grades = [0.5 if (value := truth_of(part, rows)) is None else float(value) for part in parts]
        grade = 1 - grades[0] if kind == "not" else min(grades) if kind == "and" else max(grades)
        return {0.0: False, 0.5: None, 1.0: True}[grade]
    a, b = (number_of(part, rows) for part in parts)
    if a is None or b is None:
        return None
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[kind]


CELLS = st.tuples(
    st.sampled_from([0.0, 1.5, 20.0, 50.0, NAN, math.inf]),
    st.sampled_from([0.0, 7.0, 20.0, NAN]),
    st.sampled_from([0.0, 0.59, 0.6, 0.9, 1.0, 1.5, NAN]),
)


@settings(max_examples=500, deadline=None)
@given(TRUTHS, st.lists(CELLS, min_size=4, max_size=4))
def test_rules_agree_with_a_plain_evaluator(tree: tuple, rows: list[list[float]]) -> None:  # type: ignore[type-arg]
    text = text_of(tree)
    if refusal := refused(text):
        assert "names no keypoint" in refusal
        return
    rule = Rule(text)
    rule.bind(SKELETON)
    found = scene(rows)
    expected = truth_of(tree, rows) if found.seen.any() else None
    assert rule.evaluate(found)["m0",].holds is expected, text


def test_events_are_at_the_keypoints_of_the_rule(make_run: Callable[..., object]) -> None:
    rule = RuleTrigger("'left ear'.x > 0").condition
    rule.bind(SKELETON)
    assert rule.place(scene(), ("m0",)) == (30.0, 20.0, pytest.approx(0.8))


def test_a_rule_is_bound_again_when_the_skeleton_changes() -> None:
    rule = Rule("snout.x > 15")
    rule.bind(SKELETON)
    assert rule.evaluate(scene())["m0",].holds is False
    rule.bind(Skeleton(("other", "snout", "third", "fourth")))
    assert rule.evaluate(scene())["m0",].holds is True
