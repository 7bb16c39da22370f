"""The base class of runners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class BaseRunner(ABC):
    """Loads a model and runs it on images: what `DLCLive` has as `runner`.

    Attributes:
        path: of the model.
        cfg: DeepLabCut's configuration of the model; None until it is loaded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.cfg: dict[str, Any] | None = None

    @abstractmethod
    def close(self) -> None:
        """Release the model. Safe to call twice."""

    @abstractmethod
    def get_pose(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """The pose in an image that `DLCLive.process_frame` returned."""

    @abstractmethod
    def init_inference(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """Load the model, and return the pose in its first image."""

    @abstractmethod
    def read_config(self) -> dict[str, Any]:
        """The configuration of the model, which is read if it has not been yet."""
