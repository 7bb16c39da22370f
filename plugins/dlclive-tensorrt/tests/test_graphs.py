"""The adapted graph computes the same as the original, in types and shapes that TensorRT supports."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from dlclive_tensorrt.graphs import prepare
from onnx import TensorProto, numpy_helper

from dlclive_core import UsageError

ort = pytest.importorskip("onnxruntime", reason="graphs are compared in ONNX Runtime")


def run(model: onnx.ModelProto, **feeds: np.ndarray) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # no optimisation, so that the graphs run as written
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    onnx.checker.check_model(model)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feeds)


def graph(text: str, **weights: np.ndarray) -> onnx.ModelProto:
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 18]>\n{text}')
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return model


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 96, 128), (2, 90, 111)])
def test_the_demo_network_stays_the_same(mouse: Path, batch: int, height: int, width: int) -> None:
    model = onnx.load(mouse)
    prepared = prepare(model, batch, (height, width))
    image = noise(batch, height, width, 3)
    np.testing.assert_array_equal(run(prepared, image=image)[0], run(model, image=image)[0])
    dims = prepared.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [batch, height, width, 3]
    assert not {"Shape", "Range", "Floor"} & set(kinds(prepared))
    pads = 0 if height % 16 == width % 16 == 0 else 1
    assert (
        sum(
            "image_float" in node.input or "pad" in node.name
            for node in prepared.graph.node
            if node.op_type == "Gather"
        )
        == pads
    )


def test_prepare_does_not_change_its_input(mouse: Path) -> None:
    model = onnx.load(mouse)
    before = model.SerializeToString()
    prepare(model, 1, (96, 128))
    assert model.SerializeToString() == before


def test_the_image_is_cast_before_anything_else() -> None:
    model = graph(
        """g (uint8[N,H,W,3] image) => (float[N,3,H,W] keypoints) <int64[2] rows = {1, 0}>
        {
            turned = Gather<axis = 1>(image, rows)
            planes = Transpose<perm = [0, 3, 1, 2]>(turned)
            keypoints = Cast<to = 1>(planes)
        }"""
    )
    prepared = prepare(model, 1, (2, 5))
    assert prepared.graph.node[0].op_type == "Cast"
    assert [node.op_type for node in prepared.graph.node if "image" in node.input] == ["Cast"]
    image = noise(1, 2, 5, 3)
    np.testing.assert_array_equal(run(prepared, image=image)[0], run(model, image=image)[0])


def test_a_size_other_than_the_fixed_one_is_rejected(mouse: Path) -> None:
    model = onnx.load(mouse)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 64
    with pytest.raises(UsageError, match=r"input image is fixed to batchx64xwidthx3 and cannot be 1x96x128x3"):
        prepare(model, 1, (96, 128))


def test_only_idle_gathers_are_removed() -> None:
    model = graph(
        """g (float[N,4] image) => (float[N,4] a, float[N,2] b) <int64[4] all = {0, 1, 2, 3}, int64[2] some = {0, 1}>
        {
            same = Gather<axis = 1>(image, all)
            a = Relu(same)
            b = Gather<axis = 1>(same, some)
        }"""
    )
    model.graph.input[0].name = "conditions"
    model.graph.node[0].input[0] = "conditions"
    prepared = prepare(model, 2, (1, 1))
    assert kinds(prepared) == ["Relu", "Gather"]
    conditions = noise(2, 4).astype(np.float32)
    for ours, theirs in zip(run(prepared, conditions=conditions), run(model, conditions=conditions), strict=True):
        np.testing.assert_array_equal(ours, theirs)


ROWS = """g (float[N,1,M] conditions) => ({kind}[N,1] rows) <float width = {{{width}}}>
{{
    best = ArgMax<axis = 2, keepdims = 0>(conditions)
    {change}
    wide = Cast<to = 1>(place)
    exact = Div(wide, width)
    down = Floor(exact)
    rows = Cast<to = {to}>(down)
}}"""


@pytest.mark.parametrize(
    ("kind", "to", "width", "change", "integer"),
    [
        ("int64", 7, "7.0", "place = Identity(best)", True),
        ("int32", 6, "7.0", "place = Identity(best)", True),
        ("int64", 7, "7.5", "place = Identity(best)", False),
        ("int64", 7, "7.0", "place = Neg(best)", False),
    ],
)
def test_rows_are_computed_by_integer_division(kind: str, to: int, width: str, change: str, integer: bool) -> None:
    """Unless the divisor is not an integer or the dividend may be negative, where rounding differs."""
    model = graph(ROWS.format(kind=kind, to=to, width=width, change=change))
    # prepare fixes only the batch of this input, not M
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 50
    prepared = prepare(model, 1, (1, 1))
    division = next(node for node in prepared.graph.node if node.op_type == "Div")
    assert ("Floor" not in kinds(prepared)) == integer
    types = {item.name: item.data_type for item in prepared.graph.initializer}
    assert (types[division.input[1]] == TensorProto.INT64) == integer
    for index in (0, 6, 7, 20, 21, 49):
        conditions = np.zeros((1, 1, 50), np.float32)
        conditions[0, 0, index] = 1
        np.testing.assert_array_equal(run(prepared, conditions=conditions)[0], run(model, conditions=conditions)[0])


def test_integers_are_cast_to_float_where_tensorrt_requires_it() -> None:
    model = graph(
        """g (float[N,6] conditions) => (int64[N,6] powers, int32[N,6] sums) <int64 two = {2}, int64 axis = {1}>
        {
            whole = Cast<to = 7>(conditions)
            small = Cast<to = 6>(conditions)
            powers = Pow(whole, two)
            sums = CumSum(small, axis)
        }"""
    )
    prepared = prepare(model, 1, (1, 1))
    inferred = onnx.shape_inference.infer_shapes(prepared).graph
    types = {item.name: item.type.tensor_type.elem_type for item in (*inferred.value_info, *inferred.output)}
    for node in prepared.graph.node:
        if node.op_type in ("Pow", "CumSum"):
            assert types[node.input[0]] == types[node.output[0]] == TensorProto.FLOAT
    conditions = np.asarray([[1, 2, 3, 40, 500, -6]], np.float32)
    for ours, theirs in zip(run(prepared, conditions=conditions), run(model, conditions=conditions), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


NORM = """g (float[N,8,H,W] conditions) => (float[N,8,H,W] keypoints)
<int64[3] grouped = {{0, {groups}, -1}}, float[{groups}] one = {{{ones}}}, float[{groups}] zero = {{{zeros}}}>
{{
    shape = Shape(conditions)
    groups = Reshape(conditions, grouped)
    normal = InstanceNormalization<epsilon = 0.001>(groups, {first}, zero)
    back = Reshape(normal, shape)
    scaled = Mul(back, scale)
    keypoints = Add(scaled, bias)
}}"""


def norm(groups: int = 4, first: str = "one") -> onnx.ModelProto:
    ones, zeros = ", ".join(["1.0"] * groups), ", ".join(["0.0"] * groups)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(1, 1, (8, 1, 1)).astype(np.float32) for name in ("scale", "bias")}
    model = graph(NORM.format(groups=groups, ones=ones, zeros=zeros, first=first), **weights)
    for dim, length in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], (6, 5), strict=True):
        dim.dim_value = length
    return model


@pytest.mark.parametrize("groups", [1, 4, 8])
def test_group_normalisations_are_merged_on_request(groups: int) -> None:
    model = norm(groups)
    prepared = prepare(model, 2, (1, 1), group_norms=True)
    assert kinds(prepared) == ["GroupNormalization"]
    assert prepared.opset_import[0].version == 21
    conditions = np.random.default_rng(1).normal(3, 2, (2, 8, 6, 5)).astype(np.float32)
    np.testing.assert_allclose(run(prepared, conditions=conditions)[0], run(model, conditions=conditions)[0], atol=1e-5)
    assert "InstanceNormalization" in kinds(prepare(model, 2, (1, 1)))


def test_group_norms_without_a_group_normalisation_is_an_error(mouse: Path) -> None:
    with pytest.raises(UsageError, match="the network has no group normalisation"):
        prepare(norm(first="zero"), 2, (1, 1), group_norms=True)
    with pytest.raises(UsageError, match="the network has no group normalisation"):
        prepare(onnx.load(mouse), 1, (96, 128), group_norms=True)


def test_double_precision_becomes_single() -> None:
    model = graph(
        """g (uint8[N,H,W,3] image) => (float[N,H,W,3] keypoints)
        {
            wide = Cast<to = 11>(image)
            half = Constant<value = double {0.5}>()
            scaled = Mul(wide, scale)
            moved = Add(scaled, half)
            keypoints = Cast<to = 1>(moved)
        }""",
        scale=np.asarray(0.1, np.float64),
    )
    prepared = prepare(model, 1, (4, 4))
    inferred = onnx.shape_inference.infer_shapes(prepared).graph
    inferred_types = {item.type.tensor_type.elem_type for item in inferred.value_info}
    assert TensorProto.DOUBLE not in inferred_types | {item.data_type for item in prepared.graph.initializer}
    image = noise(1, 4, 4, 3)
    np.testing.assert_allclose(run(prepared, image=image)[0], run(model, image=image)[0], rtol=1e-6)


def test_size_dependent_nodes_are_folded() -> None:
    model = graph(
        """g (uint8[N,H,W,3] image) => (float[N,M] keypoints) <int64[1] minus = {-1}, int64[1] one = {1}, int64[1] zero = {0}>
        {
            shape = Shape(image)
            batch = Slice(shape, zero, one)
            flat = Concat<axis = 0>(batch, minus)
            wide = Cast<to = 1>(image)
            keypoints = Reshape(wide, flat)
            unused = Cast<to = 7>(wide)
        }"""
    )
    prepared = prepare(model, 2, (3, 5))
    assert kinds(prepared) == ["Cast", "Reshape"] or kinds(prepared) == ["Cast", "Cast", "Reshape"]
    image = noise(2, 3, 5, 3)
    np.testing.assert_array_equal(run(prepared, image=image)[0], run(model, image=image)[0])


LAYERS = """g (uint8[N,H,W,3] image) => (float[N,2,3] keypoints, float[N,2,M] places)
<float big = {3001.0}, float[4] twice = {1.0, 1.0, 2.0, 2.0}, int64[3] rows = {0, 0, -1}, int64[1] last = {2}>
{
    wide = Cast<to = 1>(image)
    planes = Transpose<perm = [0, 3, 1, 2]>(wide)
    pixels = Mul(planes, scale)
    first = Conv<kernel_shape = [1, 1]>(pixels, w1)
    relu = Relu(first)
    larger = Resize<mode = "nearest">(relu, , twice)
    moved = Add(larger, small)
    second = Conv<kernel_shape = [1, 1]>(moved, w2)
    flat = Reshape(second, rows)
    best = ReduceMean<keepdims = 1>(flat, last)
    keypoints = Add(best, far)
    places = Mul(flat, big)
}"""


def layers(**changes: np.ndarray) -> onnx.ModelProto:
    rng = np.random.default_rng(2)
    weights = {
        "scale": np.asarray(1 / 255, np.float32),
        "w1": rng.normal(size=(4, 3, 1, 1)).astype(np.float32),
        "small": np.full((1, 4, 1, 1), 0.1, np.float32),
        "w2": rng.normal(size=(2, 4, 1, 1)).astype(np.float32),
        "far": np.asarray([[[2049.0, 4099.0, 0.5]]], np.float32),
    }
    return graph(LAYERS, **(weights | changes))


def test_only_the_network_is_converted_to_half_precision() -> None:
    model = layers()
    prepared = prepare(model, 2, (4, 5), fp16=True)
    inferred = onnx.shape_inference.infer_shapes(prepared, strict_mode=True).graph
    types = {item.name: item.type.tensor_type.elem_type for item in (*inferred.value_info, *inferred.output)}
    types |= {item.name: item.data_type for item in inferred.initializer}
    computed = {node.op_type: {types[name] for name in node.output} for node in prepared.graph.node}
    for kind in ("Conv", "Relu", "Resize"):
        assert computed[kind] == {TensorProto.FLOAT16}
    for kind in ("ReduceMean", "Mul", "Reshape"):  # before the first layer and after the last
        assert computed[kind] == {TensorProto.FLOAT}
    assert types["twice"] == TensorProto.FLOAT
    image = noise(2, 4, 5, 3)
    for ours, theirs in zip(run(prepared, image=image), run(model, image=image), strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=8)
    half, single = (each[0] for each in (run(prepared, image=image), run(model, image=image)))
    np.testing.assert_allclose(half, single, atol=5e-3)  # also above 2048, because decoding is in float32
    assert not np.array_equal(half, single)


def test_weights_above_the_fp16_range_are_rejected() -> None:
    with pytest.raises(UsageError, match="w2 of the network contains numbers above 65504, the largest of fp16"):
        prepare(layers(w2=np.full((2, 4, 1, 1), 1e5, np.float32)), 1, (4, 5), fp16=True)
    prepare(layers(far=np.full((1, 1, 3), 1e5, np.float32)), 1, (4, 5), fp16=True)


def test_the_last_layer_may_be_the_output() -> None:
    model = graph(
        """g (float[N,2,4,4] conditions) => (float[N,2,4,4] keypoints)
        {
            inner = Conv<kernel_shape = [1, 1]>(conditions, w)
            keypoints = Conv<kernel_shape = [1, 1]>(inner, w)
        }""",
        w=np.asarray([[[[0.5]], [[0.25]]], [[[1.0]], [[2.0]]]], np.float32),
    )
    prepared = prepare(model, 1, (1, 1), fp16=True)
    conditions = noise(1, 2, 4, 4).astype(np.float32)
    output = run(prepared, conditions=conditions)[0]
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, run(model, conditions=conditions)[0], rtol=2e-3)
