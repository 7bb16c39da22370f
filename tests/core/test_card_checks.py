"""Cards come from files: each field is checked when it is read, and the network against its card when it is loaded."""

import json
from typing import Any

import numpy as np
import pytest

from dlclive_core import ModelCard, ModelError, Skeleton, UsageError
from dlclive_core.models.output_shapes import check_arrays, check_network
from dlclive_core.runtimes import AssemblyRules

RULES = AssemblyRules(edges=((0, 1), (1, 2)), individuals=2)
CARD = ModelCard(net_type="resnet_50", skeleton=Skeleton(("snout", "ear", "tail"), ((0, 1),)), assembly=RULES)


def changed(path: str, value: Any) -> str:
    """The card's JSON with one value changed; `...` removes it."""
    values = json.loads(CARD.to_json())
    *parents, last = path.split(".")
    inner = values
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("net_type", 3, "net_type must be text, not '3'"),
        ("net_type", "a\x1b[2Jb", "net_type contains a control character"),
        ("net_type", ..., "net_type is missing"),
        ("skeleton", None, "skeleton is not a JSON object"),
        ("skeleton.keypoints", "snout", "skeleton.keypoints must be a list of names"),
        ("skeleton.keypoints", [], "skeleton.keypoints must be a list of names"),
        ("skeleton.keypoints", ["a", 1, "c"], r"keypoints\[1\] must be text, not int"),
        ("skeleton.keypoints", ["a", None, "c"], r"keypoints\[1\] must be text, not NoneType"),
        ("skeleton.keypoints", ["a", ["b"], "c"], r"keypoints\[1\] must be text, not list"),
        ("skeleton.keypoints", ["a", "a", "c"], "keypoints must be unique; repeated: a"),
        ("skeleton.keypoints", ["a", " ", "c"], r"keypoints\[1\] is empty"),
        ("skeleton.keypoints", ["a", "b\n", "c"], r"keypoints\[1\] contains a control character: 'b\\n'"),
        ("skeleton.keypoints", ["a", "b\x00", "c"], r"keypoints\[1\] contains a control character"),
        ("skeleton.keypoints", ["a", "\u202eb", "c"], r"keypoints\[1\] contains a control character"),
        ("skeleton.keypoints", ["a", "\ud800", "c"], r"keypoints\[1\] contains a control character"),
        ("skeleton.keypoints", ["a", "b" * 201, "c"], r"keypoints\[1\] has 201 characters; 200 is the most"),
        ("skeleton.keypoints", [f"k{index}" for index in range(1001)], "1001 names; 1000 is the most"),
        ("skeleton.edges", [[0, 3]], r"edge \(0, 3\) is out of range for 3 keypoints"),
        ("skeleton.edges", [[0, -1]], r"edge \(0, -1\) is out of range"),
        ("skeleton.edges", [[0]], r"edge \(0,\) is not a pair"),
        ("skeleton.edges", [[0.5, 1]], r"edge \(0.5, 1\) is not a pair"),
        ("skeleton.edges", {"0": 1}, "edges must be a list of pairs"),
        ("skeleton.edges", [[0, 1]] * 20_001, "20001 edges; 20000 is the most"),
        ("individuals", None, "individuals must be a list of (texts|strings)"),
        ("individuals", [], "individuals is empty"),
        ("individuals", ["a", "a"], "individuals must be unique; repeated: a"),
        ("individuals", ["a\x07"], r"individuals\[0\] contains a control character"),
        ("multi_animal", "yes", "multi_animal must be true or false"),
        ("unique_keypoints", [1], "unique_keypoints must be a list of (texts|strings)"),
        ("method", "guess", "method must be one of bottom-up, top-down, conditional"),
        ("method", "top-down", "a top-down network has one animal in each crop, and no assembly"),
        ("scorer", [1], r"scorer must be text, not '\[1\]'"),
        ("scorer", "x" * 5000, "scorer must be text of at most 4096 characters"),
        ("scorer", "DLC\x1b]0;title\x07", "scorer contains a control character"),
        ("stride", "x", "stride must be a number above 0 up to 65536, not 'x'"),
        ("stride", 0, "stride must be a number above 0"),
        ("stride", float("nan"), "stride must be a number above 0"),
        ("stride", 10**400, "stride must be a number above 0"),
        ("stride", True, "stride must be a number above 0"),
        ("normalisation", "magic", "normalisation must be one of"),
        ("pad_divisor", [1], "pad_divisor must be 2 integers"),
        ("pad_divisor", [1, 0], "pad_divisor must be 2 integers from 1 to 16384"),
        ("pad_divisor", [1, 10**9], "pad_divisor must be 2 integers from 1 to 16384"),
        ("preparation", 5, "preparation is not a JSON object"),
        ("preparation", {"resize": [0, 1]}, "preparation.resize must be 2 integers from 1"),
        ("preparation", {"longest_side": 10**9}, "preparation.longest_side must be an integer from 1 to 16384"),
        ("preparation", {"divisor": [1, 0]}, "preparation.divisor must be 2 integers from 1 to 16384"),
        ("preparation", {"border": [256, 0, 0]}, "preparation.border must be 3 integers from 0 to 255"),
        ("preparation", {"position": "there"}, "preparation.position must be one of top_left"),
        ("preparation", {"rotate": 90}, "unknown field preparation.rotate"),
        ("input_size", [256], "input_size must be 2 integers"),
        ("input_size", [256, "256"], "input_size must be 2 integers"),
        ("input_size", [10**9, 10**9], "input_size must be 2 integers from 1 to 65536"),
        ("crop_margin", -1, "crop_margin must be a number from 0"),
        ("crop_context", 1, "crop_context must be true or false"),
        ("condition_margin", None, "condition_margin must be a number from 0"),
        ("assembly", [], "assembly must be an object or null"),
        ("assembly.edges", [[0, 3]], "assembly has an edge that is out of range for 3 keypoints"),
        ("assembly.edges", [[0, 1.5]], "assembly: edges must be a list of pairs of whole numbers"),
        ("assembly.edges", ..., "assembly: 'edges' is missing"),
        ("assembly.individuals", 10**9, "assembly: individuals must be a number from 0 to 1000"),
        ("assembly.individuals", "two", "assembly: individuals must be a number from 0 to 1000; got 'two'"),
        ("assembly.min_affinity", float("nan"), "assembly: min_affinity must be a number"),
        ("assembly.min_links", True, "assembly: min_links must be a number"),
        ("identity", None, "identity must be true or false"),
        ("detector_sha256", "../x", "detector_sha256 must be up to 64 hexadecimal digits"),
        ("format", 1, "format must be text"),
        ("precision", {}, "precision must be text"),
        ("source_sha256", 5, "source_sha256 must be text"),
        ("card_version", "2", "card_version must be an integer from 1"),
        ("card_version", 0, "card_version must be an integer from 1"),
    ],
)
def test_every_field_of_a_card_is_checked(field: str, value: Any, message: str) -> None:
    with pytest.raises(ModelError, match=rf"the card of mouse.onnx cannot be read: .*{message}") as raised:
        ModelCard.from_json(changed(field, value), "mouse.onnx")
    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert str(raised.value).endswith("export the model again")


def test_names_in_any_script_are_names() -> None:
    names = ("snout", "左耳", "queue gauche", "ذيل", "nəz", "tail-1_b", "می\u200cخواهم")
    card = CARD.with_(skeleton=Skeleton(names))
    assert ModelCard.from_json(card.to_json()) == card


def test_fields_that_are_missing_have_their_defaults_and_unknown_ones_are_ignored() -> None:
    text = json.dumps({"card_version": 1, "net_type": "n", "skeleton": {"keypoints": ["a"]}, "from_the_future": [[]]})
    assert ModelCard.from_json(text) == ModelCard(net_type="n", skeleton=Skeleton(("a",)))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{" * 100_000, '{"card_version": ' + "9" * 5000 + "}", " " * (3 << 20)]
)
def test_a_card_that_is_no_json_or_too_long_is_refused_at_once(text: str) -> None:
    with pytest.raises(ModelError, match=r"the card of the model cannot be read"):
        ModelCard.from_json(text)


def test_a_card_made_in_python_is_checked_too() -> None:
    with pytest.raises(ValueError, match="scorer contains a control character"):
        CARD.with_(scorer="a\nb")
    with pytest.raises(UsageError, match=r"keypoints\[0\] must be text"):
        Skeleton((1,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="more than can be assembled"):
        AssemblyRules(edges=tuple((0, end) for end in range(1, 101)), individuals=1000)


PLAIN = CARD.with_(assembly=None)
IMAGE = {"image": ["batch", "height", "width", 3]}


@pytest.mark.parametrize(
    ("card", "inputs", "outputs"),
    [
        (PLAIN, IMAGE, {"keypoints": ["batch", 1, 3, 3]}),
        (PLAIN, IMAGE, {"keypoints": [None, None, None, None]}),
        (PLAIN.with_(input_size=(64, 48)), {"image": [1, 64, 48, 3]}, {"keypoints": [1, 1, 3, 3]}),
        (PLAIN.with_(unique_keypoints=("lever",)), IMAGE, {"keypoints": ["b", 1, 3, 3], "unique": ["b", 1, 3]}),
        (PLAIN.with_(identity=True), IMAGE, {"keypoints": ["b", 2, 3, 3], "identity": ["b", 2, 3, 2]}),
        (CARD, IMAGE, {"peaks": ["b", 3, 2, 3], "affinities": ["b", 2, 2, 2]}),
        (
            PLAIN.with_(method="top-down", unique_keypoints=("lever",), identity=True),
            IMAGE,
            {"keypoints": ["b", 1, 3, 3]},
        ),
        (PLAIN.with_(method="conditional"), {**IMAGE, "conditions": ["b", 3, 3]}, {"keypoints": ["b", 1, 3, 3]}),
    ],
)
def test_a_network_that_fits_its_card_passes(card: ModelCard, inputs: dict, outputs: dict) -> None:
    check_network(card, inputs, outputs, "mouse.onnx")


@pytest.mark.parametrize(
    ("card", "inputs", "outputs", "message"),
    [
        (PLAIN, IMAGE, {"keypoints": ["b", 1, 50, 3]}, r"output 'keypoints' is \(any, 1, 50, 3\), and .* \(any, any, 3, 3\)"),
        (PLAIN, IMAGE, {"keypoints": ["b", 3, 3]}, r"output 'keypoints' is \(any, 3, 3\)"),
        (PLAIN, IMAGE, {"keypoints": ["b", 1, 3, 2]}, r"output 'keypoints' is \(any, 1, 3, 2\)"),
        (PLAIN, IMAGE, {"peaks": ["b", 3, 2, 3]}, "no output 'keypoints', but peaks"),
        (PLAIN, {}, {"keypoints": ["b", 1, 3, 3]}, "no input 'image', but nothing"),
        (PLAIN.with_(input_size=(64, 48)), {"image": ["b", 48, 64, 3]}, {"keypoints": ["b", 1, 3, 3]}, "input 'image'"),
        (
            PLAIN.with_(unique_keypoints=("a", "b")),
            IMAGE,
            {"keypoints": ["b", 1, 3, 3], "unique": ["b", 1, 3]},
            "output 'unique'",
        ),
        (PLAIN.with_(identity=True), IMAGE, {"keypoints": ["b", 1, 3, 3]}, "no output 'identity'"),
        (CARD, IMAGE, {"peaks": ["b", 3, 2, 3], "affinities": ["b", 7, 2, 2]}, "output 'affinities'"),
        (PLAIN.with_(method="conditional"), IMAGE, {"keypoints": ["b", 1, 3, 3]}, "no input 'conditions'"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_its_card_is_refused(
    card: ModelCard, inputs: dict, outputs: dict, message: str
) -> None:
    with pytest.raises(ModelError, match=rf"mouse.onnx has the card of another model: {message}"):
        check_network(card, inputs, outputs, "mouse.onnx")


def test_arrays_whose_shapes_the_file_left_free_are_checked_when_they_come() -> None:
    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    check_arrays(PLAIN, {"keypoints": zeros(2, 1, 3, 3), "more": zeros(1)})
    with pytest.raises(ModelError, match=r"does not fit its card: output 'keypoints' is \(2, 1, 5, 3\)"):
        check_arrays(PLAIN, {"keypoints": zeros(2, 1, 5, 3)})
    with pytest.raises(ModelError, match="different numbers of images"):
        check_arrays(CARD, {"peaks": zeros(2, 3, 2, 3), "affinities": zeros(1, 2, 2, 2)})
