"""What exporters write into model files and runtimes read from them, the same for every format."""

from __future__ import annotations

from collections.abc import Sequence

from dlclive_core.data.card import ModelCard
from dlclive_core.errors import ModelError, UnsupportedModelError, UsageError

CARD_KEY = "dlclive.card"
"""The metadata entry of a model file that holds its card as JSON (`ModelCard.to_json`)."""

DETECTOR_KEY = "dlclive.detector"
"""The metadata entry of a detector's file: JSON with the hash of the model that it was exported with."""

IMAGE_INPUT = "image"
"""The input of an exported network or detector: (N, H, W, 3) uint8 RGB."""

CONDITIONS_INPUT = "conditions"
"""The second input of an exported conditional network: (N, K, 3) float32."""

DETECTOR_OUTPUTS = ("boxes", "scores")
"""The outputs of an exported detector, in this order: (M, 4) x1, y1, x2, y2 in pixels of the image, and (M,) scores 0..1."""

OTHER_PROGRAMS = ("bonsai", "sleap-nn")
"""`ModelCard.format` of files for programs that run SLEAP's models. Any other format, also none, is for the runtimes."""


def refuse_other_program(card: ModelCard, name: str) -> None:
    """Raise UnsupportedModelError for a file that was exported for another program; `name` is the file's, for the message."""
    if card.format in OTHER_PROGRAMS:
        raise UnsupportedModelError(
            f"{name} is {card.net_type} ({card.scorer}) as an export for {card.format}, and answers as SLEAP's models do: "
            "use the model that it was made from"
        )


def fix_input_size(card: ModelCard, size: tuple[int, int] | None, name: str) -> ModelCard:
    """The card of a model whose input is fixed to a size: its `input_size` is (height, width), as the input's shape.

    Args:
        card: of the model.
        size: (width, height) in pixels of the images that it will be given; None changes nothing. Where the card has a
            `preparation`, the input is what that makes of them.
        name: what messages call the model.

    Raises:
        UsageError: it is not a size, or the input is fixed to another one already.
    """
    if size is None:
        return card
    width, height = size
    if min(size) < 1:
        raise UsageError(f"the input's size is in pixels, 1 x 1 at least; got {width}x{height} (WIDTHxHEIGHT)")
    shape = network_shape(card, size)
    if card.input_size not in (None, shape):
        fixed_height, fixed_width = card.input_size
        raise UsageError(
            f"the input of {name} is fixed to {fixed_width}x{fixed_height} (WIDTHxHEIGHT) and cannot be {width}x{height}: "
            "omit --size"
        )
    return card.with_(input_size=shape)


def network_shape(card: ModelCard, size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of what a network sees of images of a size, (width, height)."""
    width, height = size
    return (height, width) if card.preparation is None else card.preparation.prepared((height, width))


def check_detector(inputs: Sequence[str], outputs: Sequence[str], name: str) -> None:
    """Refuse a file that is not a detector exported by dlclive.

    Args:
        inputs, outputs: names in the file, in order.
        name: what the file is called in the message.

    Raises:
        ModelError: it has other inputs or outputs.
    """
    if tuple(inputs) != (IMAGE_INPUT,) or tuple(outputs) != DETECTOR_OUTPUTS:
        raise ModelError(
            f"{name} takes {', '.join(inputs) or 'nothing'} and gives {', '.join(outputs) or 'nothing'}, not "
            f"{IMAGE_INPUT} and {' and '.join(DETECTOR_OUTPUTS)}: it is not a detector exported by dlclive"
        )
