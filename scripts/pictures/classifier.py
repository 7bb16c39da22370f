"""A network of the user's own on the last poses of the demo's mouse: it runs to the right."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from dlclive_processors import ClassifierTrigger
from onnx import TensorProto, helper, numpy_helper

from ._trigger_picture import mice, run, trigger_picture

WINDOW, KEYPOINTS = 10, 5


def draw() -> str:
    """The network that the page makes, on windows of ten frames."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "runs_right.onnx"
        write_network(file)
        course = run(lambda **options: ClassifierTrigger(str(file), centred=True, scaled=True, **options), mice(29))
    about = "classifier:runs_right.onnx,centred=true,scaled=true: a network that recognises running to the right"
    return trigger_picture(
        "A behaviour that a network recognises", about, course, label="score [probability]", bounds=[0.5], top=1.0
    )


def write_network(file: Path) -> None:
    """Probability = sigmoid(4 d - 2), where d is how far the body came from the left in the window, in sizes of the body."""
    weights = np.zeros((WINDOW, KEYPOINTS, 3), np.float32)
    weights[0, :, 0] = -4 / KEYPOINTS  # x in the oldest frame, seen from where the animal is now
    parameters = [
        numpy_helper.from_array(weights.reshape(-1, 1), "weights"),
        numpy_helper.from_array(np.array([-2], np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("Flatten", ["poses"], ["numbers"], axis=1),
        helper.make_node("Gemm", ["numbers", "weights", "bias"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["probability"]),
    ]
    poses = helper.make_tensor_value_info("poses", TensorProto.FLOAT, ["animals", WINDOW, KEYPOINTS, 3])
    probability = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["animals", 1])
    graph = helper.make_graph(nodes, "runs_right", [poses], [probability], parameters)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
