"""How many operations a second this machine can do at most: measured with products of matrices, never guessed."""

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

_SIDE = 512  # a few milliseconds: between two moments in which something else has the core
_SECONDS = 0.3  # for each way to multiply

TOLERANCE = 1.3
"""How far above a measured peak a network may seem to be: the peak is what one product reached, and Winograd's convolutions
need fewer multiplications than are counted."""

BY_NUMPY = 2 * TOLERANCE
"""The same where only numpy could measure it, whose products may use half of the width of a CPU's vectors."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most floating-point operations (a multiplication and an addition are two) per second of one device.

    Attributes:
        flops: by precision; one that is missing is not known.
        how: how it was found, in words.
        tolerance: how many times as much a network may seem to do before that is not believed.
    """

    flops: Mapping[str, float] = field(default_factory=dict)
    how: str = "not measured"
    tolerance: float = TOLERANCE

    def at_least(self, other: Peak) -> Peak:
        """The larger of two measurements, for each precision: what was reached once can be reached."""
        names = {*self.flops, *other.flops}
        return Peak(
            {name: max(self.flops.get(name, 0.0), other.flops.get(name, 0.0)) for name in names},
            self.how,
            self.tolerance,
        )


def measure_peak(device: str, catalog: PluginCatalog, seconds: float = _SECONDS) -> Peak:
    """Measure the peak of "cpu", "cuda:0", ... with the libraries of the installed runtimes (`Network.peak_work`).

    On the CPU numpy's products count, too. It takes about a second, and all cores.

    Returns:
        A peak without numbers where nothing that is installed can measure this device.
    """
    name = device.split()[0] if device else ""
    measured: dict[str, tuple[float, str]] = {}
    for work in _peak_work(name, catalog):
        try:
            speed = _best(work.call, work.operations, seconds)
        except RuntimeError:  # too little memory beside the models
            continue
        measured[work.precision] = max(measured.get(work.precision, (0.0, "")), (speed, work.description))
    if name == "cpu":
        return _cpu(measured.get("fp32"), seconds)
    flops = {precision: speed for precision, (speed, _) in measured.items()}
    if not flops:
        return Peak()
    how = "the fastest of " + ", ".join(dict.fromkeys(description for _, description in measured.values()))
    if "fp16" in flops and "int8" not in flops:
        flops["int8"], how = 2 * flops["fp16"], f"{how}; in int8 twice that of fp16"
    return Peak(flops, how)


def _peak_work(device: str, catalog: PluginCatalog) -> list[PeakWork]:
    if not device:
        return []
    ready = [info for info in catalog.components(RuntimeInfo) if not missing_requirements(info)]
    work: list[PeakWork] = []
    for info in ready:
        try:
            factory = catalog.factory(info)
        except DLCLiveError:  # it is listed as broken, and measures nothing
            continue
        if isinstance(factory, type) and issubclass(factory, Network):
            work += factory.peak_work(device)
    return work


def _cpu(by_runtime: tuple[float, str] | None, seconds: float) -> Peak:
    a = np.random.default_rng(0).random((_SIDE, _SIDE), dtype=np.float32)
    product = 2.0 * _SIDE**3
    ways: list[tuple[float, str, float]] = [(_best(lambda: a @ a, product, seconds), "numpy", BY_NUMPY)]
    cores = usable_cores()
    if cores > 1:  # a library that was told to use one thread is asked from several
        at_once = _best(lambda: _at_once(lambda: a @ a, cores), cores * product, seconds)
        ways.append((at_once, f"numpy in {cores} threads", BY_NUMPY))
    if by_runtime is not None:
        speed, description = by_runtime
        ways = [(max(speed, max(ways)[0]), f"products by numpy and {description}", TOLERANCE)]
    best, how, tolerance = max(ways)
    bf16, int8 = _multiples()
    flops = {"fp32": best, "fp16": bf16 * best, "bf16": bf16 * best, "int8": int8 * best}
    return Peak(
        flops,
        f"the fastest product of matrices in fp32 ({how}); {bf16} times that in half precision and {int8} times in int8, as "
        "the CPU's instructions have it",
        tolerance,
    )


def _best(multiply: Callable[[], object], operations: float, seconds: float) -> float:
    """Operations per second of the fastest of many calls, each of so many operations."""
    multiply()
    fastest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or fastest == float("inf"):
        began = time.perf_counter()
        multiply()
        fastest = min(fastest, time.perf_counter() - began)
    return operations / fastest


def _at_once(what: Callable[[], object], times: int) -> None:
    threads = [threading.Thread(target=what) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _multiples(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[int, int]:
    """How many times as much a CPU does in half precision and int8 as in fp32: 2 and 4 by vectors, 16 and 32 by tiles."""
    try:
        flags = next(
            (line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("flags")), ""
        )
    except OSError:
        flags = ""
    return (16 if "amx_bf16" in flags else 2), (32 if "amx_int8" in flags else 4)
