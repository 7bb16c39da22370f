"""A network of the user's own: what it is given, what it may return, what is refused."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the classifier needs onnxruntime")
onnx = pytest.importorskip("onnx", reason="the test makes its networks with onnx")

from dlclive_processors import ClassifierTrigger, Scene  # noqa: E402
from dlclive_processors.triggers.external_data import has_external_data  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from dlclive_core import DLCLiveError, ModelError, ModelNotFoundError, Pose, RunInfo, Skeleton, UsageError  # noqa: E402

SKELETON = Skeleton(("snout", "left_ear", "right_ear", "tail_base"))
NAN = float("nan")


def scene(points: object, at: int = 0, confidence: float = 0.9) -> Scene:
    """A scene of (N, 4, 2) points; NaN is unseen."""
    places = np.asarray(points, np.float32).reshape(-1, 4, 2)
    keypoints = np.concatenate([places, np.full((*places.shape[:2], 1), confidence)], axis=2).astype(np.float32)
    names = tuple(f"m{row}" for row in range(len(places)))
    return Scene.of(Pose(keypoints, SKELETON), names, 0.6, at * 0.01, at * 0.01)


def write_classifier(
    path: Path,
    shape: Sequence[int | str],
    weights: np.ndarray,
    *,
    labels: str = "",
    kind: int = 1,
    flattens: bool = True,
    external: bool = False,
) -> Path:
    """A linear layer: scores = flattened input @ weights, with the input's shape as declared."""
    nodes = [onnx.helper.make_node("MatMul", ["flat", "weights"], ["scores"])]
    if flattens:
        nodes.insert(0, onnx.helper.make_node("Flatten", ["poses"], ["flat"], axis=1))
    graph = onnx.helper.make_graph(
        nodes,
        "classifier",
        [onnx.helper.make_tensor_value_info("poses" if flattens else "flat", kind, list(shape))],
        [onnx.helper.make_tensor_value_info("scores", kind, None)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    if labels:
        onnx.helper.set_model_props(model, {"labels": labels})
    if external:
        onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    else:
        onnx.save(model, path)
    return path


def scores(trigger: ClassifierTrigger, scenes: Sequence[Scene]) -> list[float | None]:
    """Of the first animal: the value, None where it is unknown."""
    trigger.condition.bind(SKELETON)
    readings = [trigger.condition.evaluate(each)["m0",] for each in scenes]
    return [None if reading.holds is None else reading.value for reading in readings]


def picks(*positions: int, size: int = 24) -> np.ndarray:
    """Weights that return these numbers of the flattened input, one class each."""
    weights = np.zeros((size, len(positions)), np.float32)
    for column, position in enumerate(positions):
        weights[position, column] = 1
    return weights


PLACES = [[[10 * n, 1], [10 * n + 1, 2], [10 * n + 2, 3], [10 * n + 3, 4]] for n in range(4)]


@pytest.mark.parametrize(
    "shape",
    [
        [1, 2, 4, 3], ["n", 2, 4, 3], ["n", "t", 4, 3], [1, 2, 12], ["n", "t", 12], ["n", "t", "k"], [1, 24], ["n", 24],
        ["n", "t"],
    ],
    ids=str,
)  # fmt: skip
def test_the_last_frames_oldest_first(shape: list[int | str], tmp_path: Path) -> None:
    """x of the snout in the older frame, x of the tail base in the newer one, its confidence."""
    flattens = len(shape) > 2
    file = write_classifier(tmp_path / "c.onnx", shape, picks(0, 21, 23), flattens=flattens)
    for label, expected in (("0", [0, 10, 20]), ("1", [13, 23, 33]), ("2", [0.9, 0.9, 0.9])):
        trigger = ClassifierTrigger(str(file), label=label, window=2)
        found = scores(trigger, [scene(places, n) for n, places in enumerate(PLACES)])
        assert found == [None, *(pytest.approx(value) for value in expected)]


def test_a_probability_and_its_threshold(tmp_path: Path) -> None:
    file = write_classifier(tmp_path / "c.onnx", ["n", 1, 4, 3], picks(0, size=12))
    trigger = ClassifierTrigger(str(file), threshold=10)
    trigger.condition.bind(SKELETON)
    assert [trigger.condition.evaluate(scene(places))["m0",].holds for places in PLACES] == [False, True, True, True]


def test_each_animal_by_itself_in_one_call_or_in_several(tmp_path: Path) -> None:
    for batch in (1, "n"):
        file = write_classifier(tmp_path / f"{batch}.onnx", [batch, 1, 4, 3], picks(0, size=12))
        trigger = ClassifierTrigger(str(file))
        trigger.condition.bind(SKELETON)
        readings = trigger.condition.evaluate(scene(PLACES))
        assert [reading.value for reading in readings.values()] == [0, 10, 20, 30]


def test_labels_by_name_and_probabilities(tmp_path: Path) -> None:
    file = write_classifier(tmp_path / "c.onnx", [1, 1, 4, 3], picks(0, 3, size=12), labels="rear, groom")
    trigger = ClassifierTrigger(str(file), label="groom", softmax=True)
    assert scores(trigger, [scene(PLACES[0])]) == [pytest.approx(1 / (1 + np.exp(-1)))]
    with pytest.raises(UsageError, match="there is no label 'grom': did you mean 'groom'"):
        scores(ClassifierTrigger(str(file), label="grom"), [])
    with pytest.raises(UsageError, match=r"has 2 classes; give label: choose from groom, rear"):
        scores(ClassifierTrigger(str(file)), [])


def test_centred_and_scaled_on_the_newest_frame(tmp_path: Path) -> None:
    """Wherever the animal is and however large, the numbers are the same."""
    file = write_classifier(tmp_path / "c.onnx", [1, 2, 4, 3], picks(0, 12, 13))
    places = np.asarray(PLACES)
    for move, grow in ((0, 1), (500, 1), (-300, 7)):
        found = []
        for label in ("0", "1", "2"):
            trigger = ClassifierTrigger(str(file), label=label, centred=True, scaled=True)
            found.append(scores(trigger, [scene(grow * places[n] + move, n) for n in range(2)])[-1])
        size = np.sqrt(2.5)  # root mean square distance of four points on a diagonal
        assert found == [pytest.approx(value / size, abs=1e-4) for value in (-11.5, -1.5, -1.5)]
    with pytest.raises(UsageError, match="scaled needs centred=true"):
        ClassifierTrigger(str(file), scaled=True)


def test_unseen_keypoints_are_zeros_and_an_unseen_animal_is_unknown(tmp_path: Path) -> None:
    file = write_classifier(tmp_path / "c.onnx", [1, 1, 4, 3], np.ones((12, 1), np.float32))
    hidden = [[NAN, NAN], [2, 3], [NAN, NAN], [NAN, NAN]]
    found = scores(ClassifierTrigger(str(file)), [scene(hidden), scene([[NAN, NAN]] * 4), scene(PLACES[0], 0, 0.5)])
    assert found == [pytest.approx(5.9), None, None]


def test_chosen_keypoints_in_their_order(tmp_path: Path) -> None:
    file = write_classifier(tmp_path / "c.onnx", [1, 1, 2, 3], picks(0, size=6))
    trigger = ClassifierTrigger(str(file), keypoints=["tail_base", "snout"])
    assert scores(trigger, [scene(PLACES[0])]) == [3]


def test_a_score_that_is_not_finite_is_unknown(tmp_path: Path) -> None:
    file = write_classifier(tmp_path / "c.onnx", [1, 1, 4, 3], np.full((12, 2), np.inf, np.float32))
    for softmax in (False, True):
        assert scores(ClassifierTrigger(str(file), label="0", softmax=softmax), [scene(PLACES[1])]) == [None]


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        (
            [1, 2, 5, 3],
            {},
            "takes [1, 2, 5, 3]; the classifier gives x, y, confidence of 4 keypoints in T frames",
        ),
        ([1, 2, 4, 2], {}, "takes [1, 2, 4, 2]"),
        ([1, 25], {}, "takes [1, 25]"),
        ([1, 2, 4, 3], {"window": 5}, "in 5 frames: (1, 5, 4, 3), (1, 5, 12) or (1, 5*12)"),
        ([4, 2, 4, 3], {}, "takes [4, 2, 4, 3]; the classifier gives a first axis of 1, or of any length"),
        (["n", "t", 4, 3], {}, "takes any number of frames; give window"),
        ([1, 2, 4, 3, 1], {}, "takes [1, 2, 4, 3, 1]"),
        ([24], {}, "takes [24]"),
    ],
    ids=str,
)
def test_a_file_that_does_not_fit_is_refused_with_both_shapes(
    shape: list[int | str], options: dict[str, int], message: str, tmp_path: Path, make_run: Callable[..., RunInfo]
) -> None:
    size = math.prod(each for each in shape[1:] or shape if isinstance(each, int))
    file = write_classifier(tmp_path / "c.onnx", shape, picks(0, size=size), flattens=len(shape) != 1)
    with pytest.raises(UsageError) as caught:
        ClassifierTrigger(str(file), **options).open(make_run())  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("frames", "window"), [(10**12, None), ("t", 10**12)], ids=["file", "option"])
def test_a_window_of_any_length_that_is_claimed_is_refused(
    frames: int | str, window: int | None, tmp_path: Path
) -> None:
    poses, means = (
        onnx.helper.make_tensor_value_info(name, 1, shape)
        for name, shape in (("poses", [1, frames, 4, 3]), ("scores", None))
    )
    mean = onnx.helper.make_node("GlobalAveragePool", ["poses"], ["scores"])
    graph = onnx.helper.make_graph([mean], "mean", [poses], [means])
    file = tmp_path / "c.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), file)
    with pytest.raises(UsageError, match="a window of 1000000000000 frames is too long; 10000 are allowed"):
        scores(ClassifierTrigger(str(file), window=window), [])


def test_who_leaves_begins_a_new_window_and_others_keep_theirs(tmp_path: Path) -> None:
    """In whatever rows they are: x of the snout, a frame ago."""
    file = write_classifier(tmp_path / "c.onnx", ["n", 2, 4, 3], picks(0))
    condition = ClassifierTrigger(str(file)).condition
    condition.bind(SKELETON)
    values = []
    for at, names in enumerate([("a", "b"), ("b", "a"), ("b",), ("a", "b"), ("a", "b")]):
        x = {"a": 10.0 + at, "b": 50.0 + at}
        keypoints = np.array([[[x[name], 0, 0.9]] * 4 for name in names], np.float32)
        readings = condition.evaluate(Scene.of(Pose(keypoints, SKELETON), names, 0.6, at * 0.01, at * 0.01))
        values.append({name: readings[name,].value if readings[name,].holds is not None else None for name in names})
    assert values == [{"a": None, "b": None}, {"b": 50, "a": 10}, {"b": 51}, {"a": None, "b": 52}, {"a": 13, "b": 53}]


def test_other_types_are_refused(tmp_path: Path) -> None:
    file = write_classifier(
        tmp_path / "c.onnx", [1, 2, 4, 3], picks(0).astype(np.float64), kind=onnx.TensorProto.DOUBLE
    )
    with pytest.raises(
        UsageError, match=r"takes poses: tensor\(double\) \[1, 2, 4, 3\]; the classifier gives one input of"
    ):
        scores(ClassifierTrigger(str(file)), [])


def test_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file"):
        scores(ClassifierTrigger(str(tmp_path / "gone.onnx")), [])
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(ModelError, match=r"not an ONNX file|cannot be loaded"):
        scores(ClassifierTrigger(str(tmp_path / "text.onnx")), [])
    file = write_classifier(tmp_path / "split.onnx", [1, 2, 4, 3], picks(0), external=True)
    monkeypatch.chdir(tmp_path)  # where ONNX Runtime would find the weights
    with pytest.raises(ModelError, match="keeps weights in other files, which are not read"):
        scores(ClassifierTrigger(str(file)), [])


def test_weights_in_other_files_are_found_wherever_a_tensor_can_be(tmp_path: Path) -> None:
    helper, proto = onnx.helper, onnx.TensorProto
    inside = helper.make_tensor("t", proto.FLOAT, [1], [0.0])
    constant = helper.make_node("Constant", [], ["c"], value=inside)
    branch = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("c", proto.FLOAT, [1])])
    choice = helper.make_node("If", ["b"], ["y"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph(
        [choice], "g", [helper.make_tensor_value_info("b", proto.BOOL, [])],
        [helper.make_tensor_value_info("y", proto.FLOAT, [1])],
    )  # fmt: skip
    model = helper.make_model(graph)
    assert not has_external_data(model.SerializeToString())
    tensor = model.graph.node[0].attribute[0].g.node[0].attribute[0].t
    tensor.data_location = proto.EXTERNAL
    assert has_external_data(model.SerializeToString())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_protocol_buffer_or_not(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert has_external_data(content) in (True, False)


def test_an_error_names_the_file_when_a_session_begins(tmp_path: Path, make_run: Callable[..., RunInfo]) -> None:
    with pytest.raises(DLCLiveError, match=r"gone\.onnx"):
        ClassifierTrigger(str(tmp_path / "gone.onnx")).open(make_run())
