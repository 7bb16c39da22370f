"""Models that are told where an animal's keypoints were (placeholder)."""

from __future__ import annotations

from dlclive_core.components import PoseModel
from dlclive_core.finding import Finding
from dlclive_core.network import Network


class ConditionalModel(PoseModel):
    """To be written."""

    def __init__(
        self, network: Network, search: PoseModel | None, finding: Finding, *, owns_search: bool = False
    ) -> None:
        raise NotImplementedError
