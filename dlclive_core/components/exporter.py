"""The base class of exporters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.components.base import Component, PoseModel
from dlclive_core.data.card import ModelCard


class Exporter(Component):
    """Converts a model file from one format to another.

    Attributes:
        calibrates: whether, with its current options, it calibrates on `frames`. `export_model` then requires frames, passes
            it three quarters of them, checks the result on the rest, and tolerates the error of an int8 export. Not needed for
            precisions that always require calibration.
        detection: for exporters for a program: how a top-down export finds its boxes, as fields of `DetectionOptions`; the
            others have their defaults.
    """

    calibrates: bool = False
    detection: Mapping[str, Any] = MappingProxyType({})

    def check(self, card: ModelCard, *, precision: str = "fp32", size: tuple[int, int] | None = None) -> None:
        """Raise what rules out an export and can be known before its source exists, such as a missing GPU.

        `dlclive_core.export_model` checks every exporter in a chain before it starts the first one, so that a step that
        must fail does so at once. Must be fast and write nothing. By default, it accepts everything.

        Args:
            card: the card of the future source file, as far as it is known.
            precision, size: as in `export`.
        """

    def shown(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the network sees of an (H, W, 3) uint8 RGB frame that the program of the export gives it, as such a frame.

        By default the frame itself. Source and export are compared on this.
        """
        return image

    def load(self, target: Path) -> PoseModel | None:
        """Load what `export` wrote as its program does, on the CPU; None: as `load_model` does.

        Exporters for a program override it. `dlclive_core.export_model` compares this model's poses with the source's. A
        top-down one returns the boxes that it saw in `Pose.boxes`.
        """
        return None

    @abstractmethod
    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        """Write `target` and return its card.

        `dlclive_core.export_model` passes a temporary target, compares the result with the source in pixels, and moves the
        file into place; an exporter only writes.

        Args:
            precision: of the weights and the arithmetic: "fp32", "fp16", ...
            size: (width, height) to which the input is fixed; None leaves it free.
            frames: (H, W, 3) uint8 RGB images as the network will see them, for calibration; empty if the user gave none.
        """
