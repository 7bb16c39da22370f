"""How OpenVINO is asked to run a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dlclive_core import DataError, UsageError
from dlclive_core.runtimes import usable_cores
from dlclive_openvino.devices import CPU
from dlclive_openvino.precision import Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of the inferences of a network, one after the other.

    Attributes:
        threads: None: as many as there are physical cores that the process may use.
        pinning: whether each thread stays on a core of its own. It steadies the times on a computer that does nothing else,
            and is in the way of cameras and recording on one that does.
        cache: a folder, which must be there, in which OpenVINO keeps what it compiled; None: nothing is kept.
    """

    threads: int | None = None
    pinning: bool = False
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads is a number from 1 up; got {self.threads}")
        if self.cache is not None and not Path(self.cache).is_dir():
            raise DataError(f"no such folder: {self.cache}, which was given as the cache of OpenVINO")

    def properties(self, device: str, arithmetic: Arithmetic) -> dict[str, object]:
        """OpenVINO's own names and values, for `compile_model`."""
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
