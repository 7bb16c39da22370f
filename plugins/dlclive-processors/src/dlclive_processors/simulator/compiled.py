"""The firmware's own state machine, compiled for this computer: the same methods as `Device`."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from dlclive_processors.output.protocol import Limits

_C_NAMES = """
#include "dlclive_output.h"
using dlclive::Device;
static Device& of(void* device) { return *static_cast<Device*>(device); }
extern "C" {
void* device_new(uint8_t channels, uint32_t watchdog, uint32_t pulse, uint32_t train, uint16_t duty) {
  dlclive::Limits limits = {channels, watchdog, pulse, train, duty};
  return new Device(limits);
}
void device_delete(void* device) { delete &of(device); }
void device_connect(void* device) { of(device).connect(); }
void device_tick(void* device, uint32_t now) { of(device).tick(now); }
uint8_t device_levels(void* device) { return of(device).levels(); }
const uint8_t* device_reply(void* device) { return of(device).reply; }
size_t device_receive(void* device, uint8_t byte, uint32_t now) {
  return of(device).receive(byte, now) ? of(device).answer() : 0;
}
}
"""


def compile_firmware(folder: Path, library: Path, compiler: str = "g++") -> Path:
    """Compile `dlclive_output.h` in `folder`, with checks for undefined behaviour; return the library."""
    source = library.with_suffix(".cpp")
    source.write_text(_C_NAMES, encoding="utf-8")
    strict = ("-std=c++11", "-Wall", "-Wextra", "-Werror", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all")
    command = [compiler, *strict, "-shared", "-fPIC", "-I", str(folder), "-o", str(library), str(source)]
    subprocess.run(command, check=True, timeout=120)
    return library


class CompiledDevice:
    """A device in a library built by `compile_firmware`."""

    def __init__(self, library: Path, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        names = self._names = ctypes.CDLL(str(library))
        byte, word, long, device = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_void_p
        names.device_new.argtypes = byte, long, long, long, word
        names.device_new.restype = names.device_reply.restype = device
        names.device_levels.restype, names.device_receive.restype = byte, ctypes.c_size_t
        for name in ("delete", "connect", "levels", "reply"):
            getattr(names, f"device_{name}").argtypes = (device,)
        names.device_tick.argtypes, names.device_receive.argtypes = (device, long), (device, byte, long)
        self._device = names.device_new(
            limits.channels, limits.watchdog_us, limits.pulse_us, limits.train_us, limits.duty_permille
        )

    def __del__(self) -> None:
        self._names.device_delete(self._device)

    def connect(self) -> None:
        """Reset at power-up, and whenever the connection is made or lost."""
        self._names.device_connect(self._device)

    def disconnect(self) -> None:
        """The host closes the port: a board with native USB detects that."""
        self.connect()

    @property
    def levels(self) -> int:
        """One bit per channel, set while its pin is high."""
        return int(self._names.device_levels(self._device))

    def tick(self, now: int) -> None:
        """Advance to this time."""
        self._names.device_tick(self._device, now)

    def receive(self, data: bytes, now: int) -> bytes:
        """Process bytes; return the answers."""
        answers = b""
        for byte in data:
            size = self._names.device_receive(self._device, byte, now)
            if size:
                answers += ctypes.string_at(self._names.device_reply(self._device), size)
        return answers
