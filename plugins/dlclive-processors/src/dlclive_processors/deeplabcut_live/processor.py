"""The base class of processors in DeepLabCut-live's style, for files that import it where deeplabcut-live is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Processor:
    """What `dlclive.Processor` is to its subclasses: options that are not used, a pose that passes through, nothing to save."""

    def __init__(self, **kwargs: Any) -> None:
        pass

    def process(self, pose: Array, **kwargs: Any) -> Array:
        """Return the pose, (K, 3) or (N, K, 3), for the next step."""
        return pose

    def save(self, file: str = "") -> Any:
        """Write to a file what was recorded; 0: there is nothing."""
        return 0


ArrayProcessorBase = Processor
"""Its public name in `dlclive_processors`: `dlclive_core.Processor` is another class."""
