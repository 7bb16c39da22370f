"""A device without hardware: the state machine of the firmware behind a pseudo-terminal.

`python -m dlclive_processors.simulator` prints the port to pass to an output, and a line whenever an output is switched.
"""

from dlclive_processors.simulator.arduino import MEGA, UNO, Board, build_host, build_sketch, memory_use, missing_tools
from dlclive_processors.simulator.chip import ChipDevice, chip_command
from dlclive_processors.simulator.chip_record import ChipRecord
from dlclive_processors.simulator.compiled import CompiledDevice, compile_firmware
from dlclive_processors.simulator.device import Device
from dlclive_processors.simulator.simulator_process import Simulator

__all__ = [
    "MEGA",
    "UNO",
    "Board",
    "ChipDevice",
    "ChipRecord",
    "CompiledDevice",
    "Device",
    "Simulator",
    "build_host",
    "build_sketch",
    "chip_command",
    "compile_firmware",
    "memory_use",
    "missing_tools",
]
