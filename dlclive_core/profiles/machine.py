"""What a profile was made on: times on another machine say nothing."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from dlclive_core.machine.cores import usable_cores
from dlclive_core.machine.gpus import gpu_names
from dlclive_core.machine.system import system_info


@dataclass(frozen=True, slots=True)
class Machine:
    """As much of a machine as decides which way of running a network is the fastest.

    Attributes:
        processor: its name.
        cores: physical ones that this program may use.
        system: "Linux", "Windows", "Darwin".
        gpus: names of NVIDIA's, as their own tool gives them.
    """

    processor: str
    cores: int
    system: str
    gpus: tuple[str, ...] = ()

    @classmethod
    def this(cls) -> Machine:
        """The machine that this runs on."""
        return cls(str(system_info()["processor"]), usable_cores(), platform.system(), gpu_names())

    def difference(self, other: Machine) -> str:
        """In what another one differs from this one, in words; empty if in nothing."""
        pairs = [
            (f"{self.processor or 'an unnamed processor'}", f"{other.processor or 'an unnamed processor'}"),
            (f"{self.cores} cores", f"{other.cores} cores"),
            (self.system, other.system),
            (", ".join(self.gpus) or "no GPU", ", ".join(other.gpus) or "no GPU"),
        ]
        return "; ".join(f"{there} there, {here} here" for here, there in pairs if there != here)
