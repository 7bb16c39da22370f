"""The whole graph that SLEAP's programs run: the picture as they send it in, the arrays that they read out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from dlclive_core import ModelCard
from dlclive_onnx.sleap import outputs
from dlclive_onnx.sleap.crops import choose_boxes, cut_crops
from dlclive_onnx.sleap.metadata import Answers
from dlclive_onnx.sleap.nodes import BOOL, FLOAT, Nodes
from dlclive_onnx.sleap.picture import PictureLayout, read_picture
from dlclive_onnx.sleap.preparation import from_prepared, prepare_picture

BOXES = "boxes"
"""An additional output of top-down models, after those that the programs read: the boxes in which the poses are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an export is made of.

    Attributes:
        network: an ONNX file of `dlclive export`, and its card.
        detector: that of a top-down network.
        most: I, the most animals in a frame of a top-down network.
        min_score: detections with a lower score are ignored.
        size: (height, width) of the frames; None: any. Needed where the card has a `preparation`.
    """

    network: onnx.ModelProto
    card: ModelCard
    detector: onnx.ModelProto | None = None
    most: int = 1
    min_score: float = 0.5
    size: tuple[int, int] | None = None


def build_graph(parts: Parts, layout: PictureLayout) -> tuple[onnx.ModelProto, Answers]:
    """Put the graph together."""
    nodes, card = Nodes(), parts.card
    picture = read_picture(nodes, "image", layout)
    batch: int | str = "batch"
    size: tuple[int | str, int | str] = ("height", "width")
    if card.method == "top-down":
        batch = 1
        arrays, answers = _in_boxes(nodes, parts, picture)
    else:
        size = parts.size or size
        arrays, answers = _in_picture(nodes, parts, picture)
    for name, value in arrays.items():
        nodes.call(name, value)
    shapes = _shapes(answers, len(card.skeleton), batch)
    return nodes.model((batch, layout.dimension, *size), {name: shapes[name] for name in arrays}), answers


def _in_picture(nodes: Nodes, parts: Parts, picture: str) -> tuple[dict[str, str], Answers]:
    card = parts.card
    prepared = prepare_picture(nodes, picture, parts.size or (0, 0), card)
    found = nodes.insert(parts.network, "network_", image=prepared.picture)
    if card.preparation is not None:
        for name in {"keypoints", "peaks"} & found.keys():
            found[name] = from_prepared(nodes, found[name], prepared)
    rules = card.assembly
    if rules is not None and rules.individuals > 1:
        count = _length(parts.network, "peaks", 2)
        arrays = outputs.candidates(nodes, found["peaks"], found["affinities"], rules.edges)
        return arrays, Answers(model_type="bottomup", animals=rules.individuals, candidates=count, edges=rules.edges)
    keypoints = outputs.best_candidates(nodes, found["peaks"]) if rules is not None else found["keypoints"]
    animals = 1 if rules is not None else _length(parts.network, "keypoints", 1)
    edges = card.skeleton.edges
    if animals == 1 and len(card.individuals) == 1:
        return outputs.single(nodes, keypoints), Answers(model_type="single_instance", edges=edges)
    return outputs.several(nodes, keypoints), Answers(model_type="topdown", animals=animals, edges=edges)


def _in_boxes(nodes: Nodes, parts: Parts, picture: str) -> tuple[dict[str, str], Answers]:
    assert parts.detector is not None  # the exporter has checked
    first = np.array([0])
    detections = nodes.insert(parts.detector, "detector_", image=picture)
    boxes = choose_boxes(nodes, detections["boxes"], detections["scores"], most=parts.most, min_score=parts.min_score)
    crops = cut_crops(nodes, picture, boxes.corners, parts.card)
    keypoints = nodes.insert(parts.network, "network_", image=crops.pixels)["keypoints"]  # (I, 1, K, 3)
    keypoints = nodes("Squeeze", keypoints, np.array([1]))
    points, values = outputs.split(nodes, keypoints)
    inner = nodes("Mul", nodes("Add", points, np.float32(outputs.HALF)), crops.scale)
    points = nodes("Sub", nodes("Add", inner, crops.corner), np.float32(outputs.HALF))
    ends = [
        nodes("Slice", boxes.corners, np.array(at), np.array(to), np.array([1])) for at, to in (([0], [2]), ([2], [4]))
    ]
    centre = nodes("Sub", nodes("Mul", nodes("Add", *ends), np.float32(0.5)), np.float32(outputs.HALF))
    arrays = outputs.instances(
        nodes,
        centroids=nodes("Unsqueeze", centre, first),
        centroid_values=nodes("Unsqueeze", boxes.scores, first),
        points=nodes("Unsqueeze", points, first),
        values=nodes("Unsqueeze", values, first),
        present=nodes("Unsqueeze", boxes.present, first),
    )
    arrays[BOXES] = nodes("Unsqueeze", boxes.corners, first)
    return arrays, Answers(model_type="topdown", animals=parts.most, edges=parts.card.skeleton.edges, most_batch=1)


def _shapes(answers: Answers, keypoints: int, batch: int | str) -> dict[str, Any]:
    animals, edges = answers.animals, len(answers.edges)
    if answers.model_type == "single_instance":
        return {"peaks": (FLOAT, (batch, keypoints, 2)), "peak_vals": (FLOAT, (batch, keypoints))}
    if answers.model_type == "topdown":
        return {
            "centroids": (FLOAT, (batch, animals, 2)),
            "centroid_vals": (FLOAT, (batch, animals)),
            "peaks": (FLOAT, (batch, animals, keypoints, 2)),
            "peak_vals": (FLOAT, (batch, animals, keypoints)),
            "instance_valid": (BOOL, (batch, animals)),
            BOXES: (FLOAT, (batch, animals, 4)),
        }
    count = answers.candidates or 0
    return {
        "peaks": (FLOAT, (batch, keypoints, count, 2)),
        "peak_vals": (FLOAT, (batch, keypoints, count)),
        "peak_mask": (BOOL, (batch, keypoints, count)),
        "line_scores": (FLOAT, (batch, edges, count * count)),
        "candidate_mask": (BOOL, (batch, edges, count * count)),
    }


def _length(model: onnx.ModelProto, output: str, axis: int) -> int:
    """The length of an output of a file of ours along an axis, which is fixed in it."""
    item = next(item for item in model.graph.output if item.name == output)
    return int(item.type.tensor_type.shape.dim[axis].dim_value)
