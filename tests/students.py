"""Students for tests: one of Python, whose frames say how unlike its training they are, and one in an ONNX file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelCard, Pose, StudentFacts, as_rgb
from dlclive_core.demo import MODEL
from dlclive_core.machine.system import sha256
from dlclive_core.testing import BlobModel, BlobSource

FACTS = StudentFacts(
    teacher="teacher.onnx",
    teacher_sha256="ab" * 32,
    videos=("monday.mp4", "tuesday.mp4"),
    student="window-128",
    frames=1200,
    steps=5000,
    seed=7,
    median_px=0.61,
    p95_px=1.9,
    p99_px=4.25,
    lost=0.012,
    hallucinated=0.003,
    human_px=2.4,
    teacher_human_px=2.1,
)


class MarkedSource(BlobSource):
    """A BlobSource with a pixel in the corner that says how unlike the training the frame is.

    Args:
        unlike: the number of each frame, to two digits; after the last one, from the first one again.
    """

    def __init__(self, *unlike: float, frames: int = 20, live: bool = False) -> None:
        super().__init__(frames=frames)
        self.is_live = live
        self._unlike = unlike

    def draw(self, index: int) -> NDArray[np.uint8]:
        image = super().draw(index)
        image[0, 0, 1] = round(100 * self._unlike[index % len(self._unlike)])
        return image


class BlobStudent(BlobModel):
    """A BlobModel that reads from the frames of a MarkedSource how unlike its training they are. It is sure by a half."""

    def __init__(self, facts: StudentFacts | None = FACTS, *, keypoints: int = 3, **changes: object) -> None:
        super().__init__(keypoints)
        self.card = self.card.with_(student=facts, **changes)
        self.runtime = "small"
        self.calls: list[str] = []

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        self.calls.append("predict")
        return self._mark(super().predict(image, boxes=boxes), image)

    def predict_batch(self, images: list[NDArray[np.uint8]]) -> list[Pose]:
        self.calls.append(f"batch of {len(images)}")
        return [self._mark(BlobModel.predict(self, image), image) for image in images]

    def _mark(self, pose: Pose, image: NDArray[np.uint8]) -> Pose:
        half = pose.keypoints.copy()
        half[..., 2] /= 2
        return replace(pose, keypoints=half, unlike=as_rgb(image)[0, 0, 1] / 100)


def write_student(path: Path, *, bright: float = 100.0, teacher: Path = MODEL, **changes: object) -> ModelCard:
    """Write a model with one more output, `unlike`: the mean of an image's values, where `bright` is 1. Needs `onnx`.

    Args:
        teacher: a model that dlclive wrote, which the student copies.
        changes: to the facts about the student.
    """
    import onnx
    from onnx import TensorProto, helper

    from dlclive_core.runtimes import CARD_KEY

    model = onnx.load(str(teacher))
    graph = model.graph
    batch = graph.output[0].type.tensor_type.shape.dim[0]
    unlike = helper.make_tensor_value_info("unlike", TensorProto.FLOAT, [batch.dim_param or batch.dim_value or None])
    graph.initializer.append(helper.make_tensor("unlike_axes", TensorProto.INT64, [3], [1, 2, 3]))
    graph.initializer.append(helper.make_tensor("unlike_bright", TensorProto.FLOAT, [], [bright]))
    graph.node.extend(
        [
            helper.make_node("Cast", ["image"], ["unlike_values"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["unlike_values", "unlike_axes"], ["unlike_mean"], keepdims=0),
            helper.make_node("Div", ["unlike_mean", "unlike_bright"], ["unlike"]),
        ]
    )
    graph.output.append(unlike)
    entry = next(item for item in model.metadata_props if item.key == CARD_KEY)
    facts = replace(FACTS, **{"teacher": teacher.name, "teacher_sha256": sha256(teacher), **changes})
    card = ModelCard.from_json(entry.value).with_(student=facts)
    entry.value = card.to_json()
    onnx.save(model, str(path))
    return card


class CountingTeacher(BlobModel):
    """A BlobModel that counts its calls."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        self.card = self.card.with_(net_type="large", **changes)
        self.runtime, self.device = "large", "cuda:0"
        self.predicted = self.warmed = self.resets = self.closed = 0

    def predict(self, image, *, boxes=None):
        self.predicted += 1
        return super().predict(image, boxes=boxes)

    def warmup(self, shape):
        self.warmed += 1

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed += 1


def image(unlike: float) -> np.ndarray:
    """A frame of a MarkedSource."""
    return MarkedSource(unlike).draw(0)
