"""Measures the peak performance of a device with matrix products."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dlclive_core.errors import DLCLiveError
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.machine.cores import usable_cores
from dlclive_core.models.network import Network, PeakWork
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

_SIDE = 512  # rows and columns: a product takes a few milliseconds, short enough to fit between interruptions
_SECONDS = 0.3  # for each method

TOLERANCE = 1.3
"""The largest plausible ratio of a network's speed to the measured peak. The peak is only what one product reached, and
Winograd convolutions need fewer multiplications than are counted."""

NUMPY_TOLERANCE = 2 * TOLERANCE
"""The same for a peak measured only with numpy, whose products may use half the width of a CPU's vector units."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak performance of one device in operations per second; a multiply-add counts as two.

    Attributes:
        flops: by precision; a missing precision is unknown.
        how: the method, for messages.
        tolerance: the largest plausible ratio of a network's speed to this peak.
    """

    flops: Mapping[str, float] = field(default_factory=dict)
    how: str = "not measured"
    tolerance: float = TOLERANCE

    def at_least(self, other: Peak) -> Peak:
        """The larger of two measurements for each precision."""
        names = {*self.flops, *other.flops}
        return Peak(
            {name: max(self.flops.get(name, 0.0), other.flops.get(name, 0.0)) for name in names},
            self.how,
            self.tolerance,
        )


def measure_peak(device: str, catalog: PluginCatalog, seconds: float = _SECONDS) -> Peak:
    """Measure the peak of "cpu", "cuda:0", ... with the libraries of the installed runtimes (`Network.peak_work`).

    On the CPU, also measures numpy. Takes about a second on all cores.

    Returns:
        A peak without values if no installed library can measure this device.
    """
    name = device.split()[0] if device else ""
    best_by_precision: dict[str, tuple[float, str]] = {}
    for work in _peak_work(name, catalog):
        try:
            speed = _best(work.call, work.operations, seconds)
        except RuntimeError:  # out of memory, because the models are loaded
            continue
        best_by_precision[work.precision] = max(
            best_by_precision.get(work.precision, (0.0, "")), (speed, work.description)
        )
    if name == "cpu":
        return _cpu(best_by_precision.get("fp32"), seconds)
    flops = {precision: speed for precision, (speed, _) in best_by_precision.items()}
    if not flops:
        return Peak()
    method = "the fastest of " + ", ".join(dict.fromkeys(description for _, description in best_by_precision.values()))
    if "fp16" in flops and "int8" not in flops:
        flops["int8"], method = 2 * flops["fp16"], f"{method}; int8 assumed to be twice fp16"
    return Peak(flops, method)


def _peak_work(device: str, catalog: PluginCatalog) -> list[PeakWork]:
    if not device:
        return []
    ready = [info for info in catalog.components(RuntimeInfo) if not missing_requirements(info)]
    work: list[PeakWork] = []
    for info in ready:
        try:
            factory = catalog.factory(info)
        except DLCLiveError:  # a broken plugin
            continue
        if isinstance(factory, type) and issubclass(factory, Network):
            work += factory.peak_work(device)
    return work


def _cpu(by_runtime: tuple[float, str] | None, seconds: float) -> Peak:
    a = np.random.default_rng(0).random((_SIDE, _SIDE), dtype=np.float32)
    product = 2.0 * _SIDE**3
    results: list[tuple[float, str, float]] = [(_best(lambda: a @ a, product, seconds), "numpy", NUMPY_TOLERANCE)]
    cores = usable_cores()
    if cores > 1:  # numpy's library may be limited to one thread
        parallel = _best(lambda: _in_parallel(lambda: a @ a, cores), cores * product, seconds)
        results.append((parallel, f"numpy in {cores} threads", NUMPY_TOLERANCE))
    if by_runtime is not None:
        speed, description = by_runtime
        results = [(max(speed, max(results)[0]), f"products by numpy and {description}", TOLERANCE)]
    best, method, tolerance = max(results)
    bf16, int8 = _speedups()
    flops = {"fp32": best, "fp16": bf16 * best, "bf16": bf16 * best, "int8": int8 * best}
    return Peak(
        flops,
        f"the fastest matrix product in fp32 ({method}); {bf16} times that in half precision and {int8} times in int8, from "
        "the CPU's instruction set",
        tolerance,
    )


def _best(multiply: Callable[[], object], operations: float, seconds: float) -> float:
    """Operations per second of the fastest of many calls, each with this number of operations."""
    multiply()
    fastest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or fastest == float("inf"):
        began = time.perf_counter()
        multiply()
        fastest = min(fastest, time.perf_counter() - began)
    return operations / fastest


def _in_parallel(function: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _speedups(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[int, int]:
    """A CPU's peak in half precision and int8 relative to fp32: 2 and 4 with vector units, 16 and 32 with AMX tiles."""
    try:
        flags = next(
            (line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("flags")), ""
        )
    except OSError:
        flags = ""
    return (16 if "amx_bf16" in flags else 2), (32 if "amx_int8" in flags else 4)
