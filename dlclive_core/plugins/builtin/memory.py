"""A sink that keeps poses in memory, for scripts."""

from __future__ import annotations

from dlclive_core.components import Sink
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.pose import Pose


class MemorySink(Sink):
    """Keeps every pose and the index of its frame in lists; images are not kept.

    Attributes:
        poses: the poses, in frame order.
        indices: the frames' indices.
        latencies: seconds from capture to pose.
    """

    dimensions = (2, 3)

    def __init__(self) -> None:
        self.poses: list[Pose] = []
        self.indices: list[int] = []
        self.latencies: list[float] = []
        self.finished = False

    def open(self, run: RunInfo) -> None:
        self.poses, self.indices, self.latencies, self.finished = [], [], [], False

    def write(self, estimate: Estimate) -> None:
        self.poses.append(estimate.pose)
        self.indices.append(estimate.frame.index)
        self.latencies.append(estimate.latency)

    def finish(self) -> None:
        self.finished = True
