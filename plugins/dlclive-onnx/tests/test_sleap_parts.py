"""The parts of the graph for SLEAP's programs: crops like dlclive's own to the last bit, boxes, animals, candidates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest
from dlclive_onnx.metadata import read_card
from dlclive_onnx.sleap import outputs
from dlclive_onnx.sleap.crops import choose_boxes, cut_crops
from dlclive_onnx.sleap.exporter import BonsaiExporter, SleapNNExporter
from dlclive_onnx.sleap.nodes import BOOL, BYTE, FLOAT, Nodes
from dlclive_onnx.sleap.preparation import from_prepared, prepare_picture

from dlclive_core import ModelCard, Skeleton, UnsupportedModelError, UsageError, export_model, load_model
from dlclive_core.data.preparation import Preparation
from dlclive_core.models.preparation import prepare
from dlclive_core.models.topdown import CropRules, cut_boxes
from dlclive_core.runtimes import CARD_KEY, DETECTOR_KEY, AssemblyRules, detector_beside, sha256

SKELETON = Skeleton(("red", "green"))


def run(nodes: Nodes, results: dict[str, tuple[str, int, int]], image: np.ndarray | None = None) -> list[Any]:
    """Run a graph. `results`: name -> (value, element type, rank)."""
    for name, (value, _, _) in results.items():
        nodes.call(name, value)
    image = np.zeros((1, 2, 2, 3), np.uint8) if image is None else image
    free = {name: (kind, [f"{name}_{axis}" for axis in range(rank)]) for name, (_, kind, rank) in results.items()}
    model = nodes.model(image.shape, free)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})


BOXES = {
    "inside": (20.3, 10.2, 71.9, 55.1),
    "leaves the picture": (-30.0, -12.5, 40.0, 33.0),
    "beyond the right and the bottom": (100.5, 60.5, 170.5, 140.5),
    "wide": (3.0, 30.0, 118.0, 37.0),
    "tall": (60.5, 2.5, 63.5, 88.5),
    "of the input's size": (10.0, 12.0, 42.0, 36.0),
    "twice the input's size": (4.0, 6.0, 68.0, 54.0),
    "between two pixels": (50.6, 40.6, 51.4, 41.4),
}


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("margin", [0.0, 7.5])
@pytest.mark.parametrize("shape", [(24, 32), (64, 64), (96, 40)])
def test_crops_are_those_of_dlclive(shape: tuple[int, int], margin: float, context: bool) -> None:
    """Bit for bit, including OpenCV's rounding, and the way back to the frame."""
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    picture = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    boxes = np.asarray(list(BOXES.values()), np.float32)
    card = ModelCard(
        net_type="small",
        skeleton=SKELETON,
        method="top-down",
        input_size=shape,
        crop_margin=margin,
        crop_context=context,
    )
    nodes = Nodes()
    crops = cut_crops(nodes, "image", nodes("Identity", boxes), card)
    pixels, corner, scale = run(
        nodes,
        {"pixels": (crops.pixels, BYTE, 4), "corner": (crops.corner, FLOAT, 3), "scale": (crops.scale, FLOAT, 3)},
        picture[None],
    )
    expected, transforms = cut_boxes(picture, boxes, CropRules(shape=shape, margin=margin, context=context))
    for name, crop, theirs in zip(BOXES, pixels, expected, strict=True):
        np.testing.assert_array_equal(crop, theirs, err_msg=name)
    points = np.array([[3.0, 5.0, 1.0]], np.float32)
    for index, transform in enumerate(transforms):
        outer = points[:, :2] * scale[index] + corner[index]
        np.testing.assert_allclose(outer, transform.to_outer(points)[:, :2], rtol=1e-6)


PREPARATIONS = [
    Preparation(resize=(60, 80)),
    Preparation(resize=(200, 300), keep_ratio=False),
    Preparation(longest_side=50),
    Preparation(min_size=(100, 150), position="center", border=(9, 99, 199)),
    Preparation(divisor=(32, 64), position="bottom_right"),
    Preparation(resize=(61, 45), longest_side=200, min_size=(310, 10), divisor=(7, 5), position="top_right"),
]


@pytest.mark.parametrize("steps", PREPARATIONS)
@pytest.mark.parametrize("shape", [(90, 120), (37, 51)])
def test_pictures_are_prepared_as_dlclive_does(shape: tuple[int, int], steps: Preparation) -> None:
    pytest.importorskip("cv2", reason="dlclive resizes with OpenCV")
    pictures = np.random.default_rng(1).integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    expected, transform = prepare(pictures, steps)
    nodes = Nodes()
    prepared = prepare_picture(nodes, "image", shape, ModelCard(net_type="small", skeleton=SKELETON, preparation=steps))
    assert prepared.shape == expected.shape[1:3]
    points = np.array([[[3.0, 5.0, 0.5], [41.5, 20.25, 1.0]]], np.float32)
    outer = from_prepared(nodes, nodes("Identity", points), prepared)
    picture, moved = run(nodes, {"picture": (prepared.picture, BYTE, 4), "moved": (outer, FLOAT, 3)}, pictures)
    np.testing.assert_array_equal(picture, expected)
    np.testing.assert_allclose(moved[0], transform.to_outer(points[0]), rtol=1e-5, atol=1e-5)


def test_a_configuration_that_resizes_frames(whole: Callable[..., Path], tmp_path: Path) -> None:
    """The whole way, with frames of another size than the network's input."""
    pytest.importorskip("cv2", reason="dlclive resizes with OpenCV")
    source = whole()
    card = read_card(source)
    assert card is not None
    model = onnx.load(source)
    onnx.helper.set_model_props(model, {CARD_KEY: card.with_(preparation=Preparation(resize=(60, 60))).to_json()})
    onnx.save(model, source)
    with pytest.raises(UsageError, match=r"resizes or pads frames .*pass the size of the frames, for example --size"):
        export_model(source, tmp_path / "out", program="bonsai")
    frames = [np.random.default_rng(seed).integers(0, 256, (97, 131, 3), dtype=np.uint8) for seed in range(3)]
    export = export_model(source, tmp_path / "out", program="bonsai", size=(131, 97), frames=frames)
    assert (export.parity.keypoints, export.parity.confident) == (6, 6)
    assert export.parity.max_px < 1e-4
    session = ort.InferenceSession(str(export.target), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 1, 97, 131]


def chosen(boxes: list[tuple[float, ...]], most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners, scores and presence of the boxes that `choose_boxes` takes."""
    rows = np.asarray(boxes, np.float32).reshape(-1, 5)
    nodes = Nodes()
    corners, scores = nodes("Identity", rows[:, :4]), nodes("Identity", rows[:, 4])
    found = choose_boxes(nodes, corners, scores, most=most, min_score=0.5)
    corners, scores, present = run(
        nodes,
        {"c": (found.corners, FLOAT, 2), "s": (found.scores, FLOAT, 1), "p": (found.present, BOOL, 1)},
    )
    return corners, scores, present


def test_the_first_usable_boxes_are_taken() -> None:
    boxes = [(0, 0, 9, 9, 0.9), (5, 5, 5.5, 20, 0.8), (1, 2, 30, 4, 0.7), (7, 7, 9, 9, 0.6), (2, 2, 8, 8, 0.4)]
    corners, scores, present = chosen(boxes, 2)
    np.testing.assert_array_equal(corners, [boxes[0][:4], boxes[2][:4]])
    np.testing.assert_allclose(scores, [0.9, 0.7])
    assert present.all()


@pytest.mark.parametrize("boxes", [[], [(0, 0, 9, 9, 0.2)]])
def test_without_a_usable_box_no_animal_is_present(boxes: list[tuple[float, ...]]) -> None:
    corners, scores, present = chosen(boxes, 3)
    assert not present.any()
    assert not scores.any()
    assert np.isfinite(corners).all()


def test_animals_with_missing_keypoints() -> None:
    keypoints = np.full((1, 3, 2, 3), np.nan, np.float32)
    keypoints[..., 2] = 0
    keypoints[0, 0] = [(10.5, 20.5, 0.8), (14.5, 30.5, 0.6)]
    keypoints[0, 2, 1] = (3.5, 4.5, 0.5)
    nodes = Nodes()
    arrays = outputs.several(nodes, nodes("Identity", keypoints))
    assert list(arrays) == ["centroids", "centroid_vals", "peaks", "peak_vals", "instance_valid"]
    ranks = {"centroids": 3, "centroid_vals": 2, "peaks": 4, "peak_vals": 3, "instance_valid": 2}
    kinds = {"instance_valid": BOOL}
    results = {f"out_{name}": (value, kinds.get(name, FLOAT), ranks[name]) for name, value in arrays.items()}
    centroids, centroid_values, peaks, values, valid = run(nodes, results)
    np.testing.assert_array_equal(valid, [[True, False, True]])
    np.testing.assert_allclose(centroids, [[(12, 25), (0, 0), (3, 4)]])
    np.testing.assert_allclose(centroid_values, [[0.7, 0, 0.5]])
    np.testing.assert_array_equal(peaks[0, 0], [(10, 20), (14, 30)])
    np.testing.assert_array_equal(peaks[0, 1], np.zeros((2, 2)))
    np.testing.assert_array_equal(peaks[0, 2], [(np.nan, np.nan), (3, 4)])
    np.testing.assert_allclose(values, [[(0.8, 0.6), (0, 0), (0, 0.5)]])


def test_candidates_for_sleap_nn() -> None:
    """Connection i * P + j joins candidate i of the edge's first keypoint with j of its second."""
    peaks = np.full((1, 3, 2, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    peaks[0, 0] = [(1.5, 2.5, 0.9), (3.5, 4.5, 0.8)]
    peaks[0, 1, 0] = (5.5, 6.5, 0.7)
    peaks[0, 2, 1] = (7.5, 8.5, 0.6)
    affinities = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2) / 10
    nodes = Nodes()
    arrays = outputs.candidates(nodes, nodes("Identity", peaks), nodes("Identity", affinities), ((0, 1), (2, 0)))
    results = {
        f"out_{name}": (value, BOOL if "mask" in name else FLOAT, 3 + (name == "peaks"))
        for name, value in arrays.items()
    }
    points, values, present, scores, connected = run(nodes, results)
    np.testing.assert_array_equal(points[0, 0], [(1, 2), (3, 4)])
    np.testing.assert_array_equal(points[0, 1], [(5, 6), (0, 0)])
    np.testing.assert_allclose(values[0, 2], [0, 0.6])
    np.testing.assert_array_equal(present, [[(True, True), (True, False), (False, True)]])
    np.testing.assert_allclose(scores[0], [(0, 0.1, 0.2, 0.3), (0.4, 0.5, 0.6, 0.7)])
    np.testing.assert_array_equal(connected[0], [(True, False, True, False), (False, False, True, True)])


def test_one_animal_takes_the_best_candidates() -> None:
    peaks = np.full((1, 2, 3, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    peaks[0, 0, 1:] = [(3, 4, 0.2), (5, 6, 0.9)]
    nodes = Nodes()
    best = outputs.best_candidates(nodes, nodes("Identity", peaks))
    np.testing.assert_allclose(
        run(nodes, {"best": (best, FLOAT, 4)})[0], [[[(5, 6, 0.9), (np.nan, np.nan, 0)]]], rtol=1e-6
    )


DETECTOR = """
<ir_version: 10, opset_import: ["": 21]>
detector (uint8[1,H,W,3] image) => (float[animals,4] boxes, float[animals] scores)
{
    boxes = Identity(known)
    scores = Identity(sure)
}
"""


@pytest.fixture
def top_down(whole: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a top-down network: the brightest red and green pixel of a crop of 24 x 32, in boxes that its detector holds."""

    def write(boxes: list[tuple[float, ...]], **facts: Any) -> Path:
        path = whole(h="24", w="32")
        detector = onnx.parser.parse_model(DETECTOR)
        rows = np.asarray(boxes, np.float32).reshape(-1, 5)
        for name, array in (("known", rows[:, :4]), ("sure", rows[:, 4])):
            detector.graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        card = read_card(path)
        assert card is not None
        card = card.with_(
            **{
                "method": "top-down",
                "input_size": (24, 32),
                "individuals": ("a", "b", "c"),
                "source_sha256": "1" * 64,
                **facts,
            }
        )
        onnx.helper.set_model_props(detector, {DETECTOR_KEY: json.dumps({"model_sha256": card.source_sha256})})
        onnx.save(detector, detector_beside(path))
        model = onnx.load(path)
        card = card.with_(detector_sha256=sha256(detector_beside(path)))
        onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
        onnx.save(model, path)
        return path

    return write


ANIMALS = [(10.2, 8.1, 61.7, 40.3, 0.95), (70.0, 30.0, 90.0, 80.0, 0.8), (0, 0, 5, 5, 0.3)]


@pytest.mark.parametrize("program", ["bonsai", "sleap-nn"])
def test_a_top_down_network_is_one_graph(top_down: Callable[..., Path], tmp_path: Path, program: str) -> None:
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    source = top_down(ANIMALS)
    frames = [np.random.default_rng(seed).integers(0, 256, (97, 131, 3), dtype=np.uint8) for seed in range(3)]
    options = {"channels": 3} if program == "bonsai" else {}
    export = export_model(source, tmp_path / "out", program=program, frames=frames, options=options)
    assert (export.parity.boxes, export.parity.box_px) == (2 * len(frames), 0)
    assert (export.parity.keypoints, export.parity.max_px) == (4 * len(frames), 0)
    assert export.parity.confident == 4 * len(frames)
    metadata = json.loads((tmp_path / "out" / "export_metadata.json").read_text())
    assert (metadata["model_type"], metadata["max_instances"], metadata["max_batch_size"]) == ("topdown", 3, 1)
    assert metadata["crop_size"] == [24, 32]
    session = ort.InferenceSession(str(export.target), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    assert names == ["centroids", "centroid_vals", "peaks", "peak_vals", "instance_valid", "boxes"]
    pixels = frames[0][:, :, ::-1].reshape(1, 3, 97, 131) if program == "bonsai" else frames[0].transpose(2, 0, 1)[None]
    found = dict(zip(names, session.run(None, {"image": np.ascontiguousarray(pixels)}), strict=True))
    np.testing.assert_array_equal(found["instance_valid"], [[True, True, False]])
    np.testing.assert_allclose(found["centroids"][0, :2], [(35.45, 23.7), (79.5, 54.5)], rtol=1e-6)
    np.testing.assert_allclose(found["centroid_vals"][0], [0.95, 0.8, 0], rtol=1e-6)
    with load_model(source) as model:
        pose = model.predict(frames[0])
    np.testing.assert_allclose(found["peaks"][0, :2], pose.keypoints[..., :2] - 0.5, atol=1e-4)
    np.testing.assert_allclose(found["peak_vals"][0, :2], pose.confidence, atol=1e-6)


def test_the_most_animals_and_the_lowest_score_are_options(top_down: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    frames = [np.random.default_rng(0).integers(0, 256, (97, 131, 3), dtype=np.uint8)]
    options = {"min_score": 0.9, "max_instances": 2}
    export = export_model(top_down(ANIMALS), tmp_path / "out", program="bonsai", frames=frames, options=options)
    assert export.parity.boxes == 1
    assert json.loads((tmp_path / "out" / "export_metadata.json").read_text())["max_instances"] == 2


def test_frames_without_an_animal_compare_nothing(top_down: Callable[..., Path], tmp_path: Path) -> None:
    frames = [np.zeros((97, 131, 3), np.uint8)]
    with pytest.raises(
        UsageError, match=r"finds no animal in 1 frames.*pass a clip that shows the animal with --video"
    ):
        export_model(top_down([]), tmp_path / "out", program="bonsai", frames=frames)
    assert not (tmp_path / "out").exists()


def test_a_top_down_network_needs_its_detector(top_down: Callable[..., Path], tmp_path: Path) -> None:
    source = top_down(ANIMALS)
    detector_beside(source).unlink()
    onnx_model = onnx.load(source)
    card = read_card(source)
    assert card is not None
    onnx.helper.set_model_props(onnx_model, {CARD_KEY: replace(card, detector_sha256="").to_json()})
    onnx.save(onnx_model, source)
    with pytest.raises(UnsupportedModelError, match="a top-down network without a detector, and bonsai gives no boxes"):
        export_model(source, tmp_path / "out", program="bonsai")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"method": "conditional"}, "it takes the keypoints of the last frame besides the picture"),
        ({"unique_keypoints": ("corner",)}, "it finds keypoints that exist once in the scene"),
        ({"identity": True}, "it tells individuals apart by candidates"),
        ({"assembly": AssemblyRules(edges=(), individuals=2)}, "(its animals have one keypoint each|.*has no node)"),
    ],
)
def test_networks_without_a_place_in_sleaps_arrays(facts: dict[str, Any], reason: str) -> None:
    card = ModelCard(net_type="small", skeleton=SKELETON, **facts)
    for exporter in (BonsaiExporter(), SleapNNExporter()):
        with pytest.raises(UnsupportedModelError, match=f"small cannot be exported for .*: {reason}"):
            exporter.check(card)


def test_bonsai_assembles_no_animals() -> None:
    card = ModelCard(net_type="small", skeleton=SKELETON, assembly=AssemblyRules(edges=((0, 1),), individuals=2))
    SleapNNExporter().check(card)
    with pytest.raises(UnsupportedModelError, match=r"Bonsai\.Sleap has no node for such networks.*--sink osc"):
        BonsaiExporter().check(card)
