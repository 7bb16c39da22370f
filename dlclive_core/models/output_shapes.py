"""Whether a network's inputs and outputs are those of its card: both come from a file, and one may belong to another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.card import ModelCard
from dlclive_core.errors import ModelError
from dlclive_core.models.model_contracts import CONDITIONS_INPUT, IMAGE_INPUT
from dlclive_core.models.network import Arrays

Shape = tuple[int | None, ...]
"""None: any length."""


def check_network(
    card: ModelCard, inputs: Mapping[str, Sequence[object]], outputs: Mapping[str, Sequence[object]], name: str
) -> None:
    """Refuse a network that does not fit its card. For runtimes, when a file has been loaded.

    Args:
        card: the model's.
        inputs, outputs: names and shapes in the file; what is not an integer is a free dimension.
        name: what the file is called in messages.

    Raises:
        ModelError: an input or output is missing or has another shape; the message names it and both shapes.
    """
    _check(_input_shapes(card), inputs, f"{name} has the card of another model", "input")
    _check(output_shapes(card), outputs, f"{name} has the card of another model", "output")


def check_arrays(card: ModelCard, arrays: Mapping[str, object]) -> None:
    """The same for the arrays that a network returned, of which dimensions that the file left free are known only now."""
    shapes = {name: tuple(getattr(array, "shape", ())) for name, array in arrays.items()}
    _check(output_shapes(card), shapes, f"{card.net_type} ({card.format}) does not fit its card", "output")
    if len({shapes[name][0] for name in output_shapes(card)}) > 1:
        raise ModelError(f"{card.net_type} ({card.format}) returned arrays for different numbers of images: {shapes}")


def keypoints_of(card: ModelCard, arrays: Arrays) -> NDArray[np.float32]:
    """The (N, I, K, 3) keypoints of a network for crops. Raises as `check_arrays` does."""
    check_arrays(card, arrays)
    return arrays["keypoints"]


def output_shapes(card: ModelCard) -> dict[str, Shape]:
    """What `Network.run` returns for a model with this card; the first dimension is the batch."""
    keypoints = len(card.skeleton)
    shapes: dict[str, Shape] = {}
    if card.assembly is None:
        shapes["keypoints"] = (None, None, keypoints, 3)
    else:
        shapes["peaks"] = (None, keypoints, None, 3)
        shapes["affinities"] = (None, len(card.assembly.edges), None, None)
    if card.method != "bottom-up":  # a crop holds one animal, and neither unique keypoints nor a choice of individuals
        return shapes
    if card.unique_keypoints:
        shapes["unique"] = (None, len(card.unique_keypoints), 3)
    if card.identity:
        shapes["identity"] = (None, None, keypoints, None) if card.assembly is None else (None, keypoints, None, None)
    if card.student is not None:
        shapes["unlike"] = (None,)
    return shapes


def _input_shapes(card: ModelCard) -> dict[str, Shape]:
    height, width = card.input_size or (None, None)
    shapes: dict[str, Shape] = {IMAGE_INPUT: (None, height, width, 3)}
    if card.method == "conditional":
        shapes[CONDITIONS_INPUT] = (None, len(card.skeleton), 3)
    return shapes


def _check(wanted: Mapping[str, Shape], found: Mapping[str, Sequence[object]], problem: str, kind: str) -> None:
    for name, shape in wanted.items():
        if name not in found:
            names = ", ".join(found) or "nothing"
            raise ModelError(f"{problem}: no {kind} {name!r}, but {names}; export the model again")
        if not _fits(shape, found[name]):
            raise ModelError(
                f"{problem}: {kind} {name!r} is {_described(found[name])}, and the card says {_described(shape)}; "
                "export the model again"
            )


def _fits(wanted: Shape, found: Sequence[object]) -> bool:
    if len(found) != len(wanted):
        return False
    pairs = zip(wanted, found, strict=True)
    return all(length is None or not isinstance(other, int) or length == other for length, other in pairs)


def _described(shape: Sequence[object]) -> str:
    return "(" + ", ".join(str(length) if isinstance(length, int) else "any" for length in shape) + ")"
