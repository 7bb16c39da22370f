"""The options with which OpenVINO runs a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlclive_core import DataError, UsageError
from dlclive_core.runtimes import usable_cores
from dlclive_openvino.devices import CPU
from dlclive_openvino.precision import Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a network that runs one inference at a time.

    Attributes:
        threads: threads of one inference; None: one per physical core available to the process.
        pinning: whether each thread is pinned to its own core. Pinning reduces jitter on an otherwise idle computer, and
            interferes with cameras and recording on a busy one.
        cache: an existing folder for OpenVINO's compiled networks; None: no cache.
    """

    threads: int | None = None
    pinning: bool = False
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be 1 or more; got {self.threads}")
        if self.cache is not None and not Path(self.cache).is_dir():
            raise DataError(f"no such folder: {self.cache} (the cache of OpenVINO)")

    def properties(self, device: str, arithmetic: Arithmetic) -> dict[str, object]:
        """The properties for `compile_model`, by OpenVINO's names."""
        properties: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": arithmetic.hint,
        }
        if device == CPU:
            properties["INFERENCE_NUM_THREADS"] = self.threads or usable_cores()
            properties["ENABLE_CPU_PINNING"] = self.pinning
        if self.cache is not None:
            properties["CACHE_DIR"] = str(self.cache)
        return properties
