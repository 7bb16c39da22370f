"""The machine that a profile was made on: times do not carry over to another machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.gpus import gpu_names
from dlclive_core.machine.system import system_info


@dataclass(frozen=True, slots=True)
class Machine:
    """The properties of a machine that determine the fastest way to run a network.

    Attributes:
        processor: name of the processor.
        cores: physical cores available to this process.
        system: "Linux", "Windows", "Darwin".
        gpus: names of the NVIDIA GPUs, as nvidia-smi reports them.
    """

    processor: str
    cores: int
    system: str
    gpus: tuple[str, ...] = ()

    @classmethod
    def this(cls) -> Machine:
        """The machine that this process runs on."""
        return cls(str(system_info()["processor"]), usable_cores(), platform.system(), gpu_names())

    def difference(self, other: Machine) -> str:
        """The differences from another machine, for messages; empty if there are none."""
        pairs = [
            (self.processor or "an unnamed processor", other.processor or "an unnamed processor"),
            (f"{self.cores} cores", f"{other.cores} cores"),
            (self.system, other.system),
            (", ".join(self.gpus) or "no GPU", ", ".join(other.gpus) or "no GPU"),
        ]
        return "; ".join(f"{theirs} there, {ours} here" for ours, theirs in pairs if theirs != ours)
