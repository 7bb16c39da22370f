"""Two tiny graphs, written by hand: one as dlclive exports it, one as anyone's `torch.onnx.export` gives it."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
import yaml
from onnx import numpy_helper

from dlclive_core import ModelCard, Skeleton

CARD = ModelCard(
    net_type="two-colours", skeleton=Skeleton(("red", "green")), scorer="DLC_two", stride=1.0, format="onnx"
)

WHOLE = """
<ir_version: 10, opset_import: ["": 21]>
whole (uint8[{n},{h},{w},3] image) => (float[{n},1,2,3] keypoints)
<int64[1] first = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}}, int64[1] three = {{3}}, int64[1] four = {{4}},
 int64[3] flat = {{0, 0, -1}}, float half = {{0.5}}, float white = {{255.0}}>
{{
    pixels = Cast<to = 1>(image)
    planes = Transpose<perm = [0, 3, 1, 2]>(pixels)
    maps = Slice(planes, first, two, one)
    rows = Reshape(maps, flat)
    best = ArgMax<axis = 2, keepdims = 1>(rows)
    shape = Shape(planes)
    width = Slice(shape, three, four)
    column = Mod(best, width)
    row = Div(best, width)
    cell = Concat<axis = 2>(column, row)
    cellf = Cast<to = 1>(cell)
    xy = Add(cellf, half)
    top = ReduceMax<keepdims = 1>(rows, two)
    score = Div(top, white)
    points = Concat<axis = 2>(xy, score)
    keypoints = Unsqueeze(points, one)
}}
"""

BARE = """
<ir_version: 10, opset_import: ["": 17]>
bare (float[{n},3,{h},{w}] input) => (float[{n},2,a,b] heatmap, float[{n},4,c,d] locref)
{{
    heatmap = Conv<strides = [8, 8]>(input, hw)
    locref = Conv<strides = [8, 8]>(input, lw, lb)
}}
"""

CONFIG = {
    "net_type": "resnet_50",
    "method": "bu",
    "metadata": {"bodyparts": ["red", "green"], "unique_bodyparts": [], "individuals": ["animal"]},
    "data": {
        "inference": {
            "normalize_images": False,
            "scale_to_unit_range": True,
            "auto_padding": {"pad_height_divisor": 8, "pad_width_divisor": 8},
        }
    },
    "model": {
        "heads": {
            "bodypart": {
                "predictor": {
                    "location_refinement": True,
                    "locref_std": 2.0,
                    "clip_scores": True,
                    "apply_sigmoid": False,
                },
                "locref_config": {"channels": [8, 4]},
            }
        }
    },
}


@pytest.fixture
def whole(tmp_path: Path):
    """Write a whole graph: the brightest red and the brightest green pixel are its keypoints."""

    def write(name: str = "whole.onnx", *, n: str = "N", h: str = "H", w: str = "W", card: str | None = None) -> Path:
        model = onnx.parser.parse_model(WHOLE.format(n=n, h=h, w=w))
        onnx.helper.set_model_props(model, {"dlclive.card": CARD.to_json() if card is None else card})
        onnx.checker.check_model(model)
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def bare(tmp_path: Path):
    """Write a bare network of stride 8 with its configuration: a cell's heat is the red (green) in it."""

    def write(
        name: str = "bare.onnx", *, n: str = "N", h: str = "H", w: str = "W", config: dict | None = CONFIG
    ) -> Path:
        model = onnx.parser.parse_model(BARE.format(n=n, h=h, w=w))
        heat = np.zeros((2, 3, 8, 8), np.float32)
        heat[0, 0], heat[1, 1] = 1 / 64, 1 / 64
        arrays = {
            "hw": heat,
            "lw": np.zeros((4, 3, 8, 8), np.float32),
            "lb": np.asarray([0.25, -0.5, 1.0, 0.0], np.float32),  # x0, y0, x1, y1
        }
        model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in arrays.items())
        onnx.checker.check_model(model)
        onnx.save(model, tmp_path / name)
        if config is not None:
            (tmp_path / "pytorch_config.yaml").write_text(yaml.safe_dump(config))
        return tmp_path / name

    return write


@pytest.fixture
def with_metadata():
    """The configuration with other names in it."""

    def change(**names: list[str]) -> dict:
        return {**CONFIG, "metadata": {**CONFIG["metadata"], **names}}

    return change
