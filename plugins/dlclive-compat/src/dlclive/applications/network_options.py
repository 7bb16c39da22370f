"""The network of a benchmark or an analysis, and the part of the frame that it sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive.core.model_runner import ModelRunner
from dlclive.dlclive import DLCLive
from dlclive_core import UnsupportedModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """The options of `DLCLive` that say which network runs, where, and on which part of the frame; see there.

    Attributes:
        model_type: as there; None: what the path says.
    """

    model_path: str | Path
    model_type: str | None
    device: str | None = None
    precision: str = "FP32"
    single_animal: bool = True
    cropping: Sequence[int] | None = None
    dynamic: Sequence[Any] = (False, 0.5, 10)
    resize: float | None = None

    def build(self) -> tuple[DLCLive, ModelRunner]:
        """The `DLCLive` with these options, and its runner; the network is not loaded yet. Raises DLCLiveError."""
        live = DLCLive(
            self.model_path,
            self.model_type or "base",
            precision=self.precision,
            single_animal=self.single_animal,
            device=self.device,
            cropping=self.cropping,
            dynamic=self.dynamic,
            resize=self.resize,
        )
        if not isinstance(live.runner, ModelRunner):
            raise UnsupportedModelError(f"model_type {self.model_type!r}: dlclive does not run such models")
        return live, live.runner
