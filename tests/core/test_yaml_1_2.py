"""YAML 1.2, of which DeepLabCut's files are written; the values are those of its core schema."""

import math

import pytest
import yaml

from dlclive_core.text import yaml_1_2
from dlclive_core.text.decoding import TextError
from dlclive_core.text.yaml_1_2 import load

WORDS = (
    "on", "off", "yes", "no", "y", "n", "On", "OFF", "tRue", "nUll", "none", "None",
    "12:30", "1:2:3", "190:20:30", "1_000", "1_0.5", "0b101", "0o8", "0x", "1e", "inf", "nan", "+.nan", "-0x1F",
    "2024-01-01", "2024-01-01T10:00:00Z", "1.2.3", "=", "..5", "left ear", "C:\\Users\\a b", "a#b", "Jürgen", "目",
)  # fmt: skip
VALUES = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "~": None, "null": None, "Null": None, "NULL": None, "": None,
    "0": 0, "-0": 0, "07": 7, "010": 10, "08": 8, "0o7": 7, "0o17": 15, "+7": 7, "-19": -19, "0x1F": 31, "0xfF": 255,
    "1.": 1.0, "0.": 0.0, ".5": 0.5, "+.5": 0.5, "-1.5": -1.5, "1e3": 1000.0, "1E3": 1000.0, "1e-3": 0.001, "6.8e+03": 6800.0,
    ".inf": math.inf, "-.INF": -math.inf, "+.Inf": math.inf,
}  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_words_stay_words(text: str) -> None:
    assert load(f"- {text}\n") == [text]
    assert load(f"{text}: 1\n") == {text: 1}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_values_have_their_type(text: str, value: object) -> None:
    (read,) = load(f"- {text}\n")
    assert (type(read), read) == (type(value), value)
    assert load(f"- '{text}'\n") == [text]  # in quotes all are words


def test_not_a_number() -> None:
    assert all(math.isnan(value) for value in load("[.nan, .NaN, .NAN]"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 12", "12"),
        ("!!float 3", 3.0),
        ("!!int '3'", 3),
        ("!!null ''", None),
        ("!!bool true", True),
    ],
)
def test_a_tag_says_the_type(text: str, value: object) -> None:
    (read,) = load(f"- {text}\n")
    assert (type(read), read) == (type(value), value)


def test_without_the_parser_in_c_the_values_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(yaml_1_2._Resolver, yaml.BaseLoader):  # type: ignore[misc]
        pass

    text = "".join(f"- {scalar}\n" for scalar in (*WORDS, *VALUES))
    fast = load(text)
    monkeypatch.setattr(yaml_1_2, "_BASE", yaml.BaseLoader)
    monkeypatch.setattr(yaml_1_2, "_Loader", Slow)
    assert load(text) == fast == [*WORDS, *VALUES.values()]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_lines_end_as_on_any_system(line_break: str) -> None:
    text = line_break.join(["a: on", "b:", "- C:\\Users\\x", "- 'it''s'", ""])
    assert load(text) == {"a": "on", "b": ["C:\\Users\\x", "it's"]}


def test_an_alias_is_what_it_stands_for() -> None:
    assert load("a: &x [1, no]\nb: *x\n") == {"a": [1, "no"], "b": [1, "no"]}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is there twice"),
        ("a:\n  b: {c: 1,\n c: 2}\n", 3, "'c' is there twice"),
        ("a: &x\n  b: *x\n", 2, r"the alias \*x is within what it stands for"),
        ("a: 1\n<<: {b: 2}\n", 2, "merges mappings in YAML 1.1 only"),
        ("a: 1\n? [b]\n: 2\n", 2, "a key is one word or number"),
        ("a: 1\nb: !!int 0b11\n", 2, "'0b11' is not a value of the type int"),
        ("a: 1\nb: !!set {c}\n", 2, "tag:yaml.org,2002:set is not taken"),
        ("a: !!python/object/apply:os.system ['touch canary']\n", 1, "is not taken"),
        ("%YAML 1.1\n---\na: on\n", 1, "read as YAML 1.2"),
        ("a: 1\n--- \nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: [\n", 3, "not valid YAML"),
        ("a: 1\nb: \x01\n", 2, "not valid YAML"),
        ("a: " + "9" * 5000, 1, "too many digits"),
        ("[" * 65 + "]" * 65, 1, "more than 64 levels deep"),
        ("a: [" + "1," * 200_001 + "]", 1, "more than 200000 values"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TextError, match=message) as caught:
        load(text)
    assert caught.value.line == line
    assert "\n" not in str(caught.value)


def test_aliases_of_aliases_are_counted_as_what_they_become() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]  # 10 to the power of 9
    with pytest.raises(TextError, match="more than 200000 values"):
        load("\n".join(lines))


def test_nothing_in_a_file() -> None:
    assert load("") is None
    assert load("# only a comment\n") is None
