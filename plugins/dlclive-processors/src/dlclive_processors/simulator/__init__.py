"""A device without hardware: the state machine of the firmware behind a pseudo-terminal.

`python -m dlclive_processors.simulator` prints the port to pass to an output, and a line whenever an output is switched.
"""

from dlclive_processors.simulator.compiled import CompiledDevice, compile_firmware
from dlclive_processors.simulator.device import Device
from dlclive_processors.simulator.simulator_process import Simulator

__all__ = ["CompiledDevice", "Device", "Simulator", "compile_firmware"]
