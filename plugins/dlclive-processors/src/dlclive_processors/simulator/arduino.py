"""Builds the sketch for an Arduino, and the program that runs it on a simulated processor.

With Debian's packages: avr-gcc, Arduino's core, and simavr. What the Arduino IDE does, without it: the compilers' options are
those of the core's `platform.txt`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dlclive_processors.output.protocol import Limits

PACKAGES = ("gcc", "gcc-avr", "avr-libc", "arduino-core-avr", "libsimavr-dev")
"""The Debian packages that are needed."""

_ARDUINO = Path("/usr/share/arduino/hardware/arduino/avr")
_SIMAVR = Path("/usr/include/simavr")
_NOT_NEEDED = {"WString.cpp"}  # does not compile with Debian's avr-gcc 5.4
_COMMON = ("-c", "-Os", "-flto", "-ffunction-sections", "-fdata-sections", "-DF_CPU=16000000L", "-DARDUINO=10807")
_C = ("avr-gcc", *_COMMON, "-w", "-std=gnu11", "-fno-fat-lto-objects", "-DARDUINO_ARCH_AVR")
_CPP = ("avr-g++", *_COMMON, "-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics")


@dataclass(frozen=True, slots=True)
class Board:
    """An Arduino.

    Attributes:
        processor: the name that avr-gcc and simavr have for it.
        variant: the folder with its pins in Arduino's core.
        pins: port and bit of the sketch's pins 13 and 3, from the board's schematic.
    """

    processor: str
    macro: str
    variant: str
    pins: tuple[str, str]


UNO = Board("atmega328p", "AVR_UNO", "standard", ("B5", "D3"))
MEGA = Board("atmega2560", "AVR_MEGA2560", "mega", ("B7", "E5"))


def missing_tools() -> str:
    """What to install before anything here can be built, in one line; empty if nothing is missing."""
    compilers = all(shutil.which(name) for name in ("gcc", "avr-gcc", "avr-g++", "avr-size"))
    if compilers and (_ARDUINO / "cores" / "arduino" / "Arduino.h").exists() and (_SIMAVR / "sim_avr.h").exists():
        return ""
    return f"needs the Debian packages {' '.join(PACKAGES)}"


def build_sketch(source: Path, folder: Path, board: Board, limits: Limits | None = None, *, include: Path) -> Path:
    """Compile a sketch as the Arduino IDE does; return the program for the processor.

    Args:
        source: the `.ino` file.
        folder: for everything that is written.
        limits: replace those at the top of the sketch, as its user would; the watchdog, the longest pulse, the longest train
            and the duty cycle only.
        include: the folder with `dlclive_output.h`.

    Raises:
        subprocess.CalledProcessError: it does not compile; the compiler's messages are on standard error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    core = _ARDUINO / "cores" / "arduino"
    options = [f"-mmcu={board.processor}", f"-DARDUINO_{board.macro}"]
    paths = [f"-I{core}", f"-I{_ARDUINO / 'variants' / board.variant}"]
    objects = []
    for file in sorted([*core.glob("*.c"), *core.glob("*.cpp")]):
        if file.name not in _NOT_NEEDED:
            objects.append(str(folder / f"{file.name}.o"))
            compiler = _C if file.suffix == ".c" else (*_CPP, "-w")
            _run(*compiler, *options, *paths, str(file), "-o", objects[-1])
    text = source.read_text(encoding="utf-8")
    (folder / "sketch.cpp").write_text("#include <Arduino.h>\n" + (_with(limits, text) if limits else text), "utf-8")
    strict = ("-Wall", "-Wextra", "-Werror", f"-I{include}")
    _run(*_CPP, *options, *paths, *strict, str(folder / "sketch.cpp"), "-o", str(folder / "sketch.o"))
    program = folder / "sketch.elf"
    link = ("avr-gcc", "-Os", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections", options[0])
    archive = folder / "core.a"  # only what the sketch needs is taken from an archive
    archive.unlink(missing_ok=True)
    _run("avr-gcc-ar", "rcs", str(archive), *objects)
    _run(*link, "-o", str(program), str(folder / "sketch.o"), str(archive), "-lm")
    return program


def build_host(source: Path, program: Path) -> Path:
    """Compile `chip.c`, which runs a sketch in simavr; return the program.

    Raises:
        subprocess.CalledProcessError: it does not compile.
    """
    _run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{_SIMAVR}", "-o", str(program), str(source), "-lsimavr")
    return program


def memory_use(program: Path) -> tuple[int, int]:
    """(flash, RAM) that a compiled sketch occupies, in bytes; RAM without its stack."""
    command = ("avr-size", "-A", str(program))
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sizes = {name: int(size) for name, size in re.findall(r"^\.(\w+)\s+(\d+)", listing, re.MULTILINE)}
    return sizes["text"] + sizes["data"], sizes["data"] + sizes.get("bss", 0) + sizes.get("noinit", 0)


def _with(limits: Limits, text: str) -> str:
    values = (limits.watchdog_us, limits.pulse_us, limits.train_us)
    body = f"sizeof(PINS), {', '.join(f'{value}UL' for value in values)}, {limits.duty_permille}"
    changed, count = re.subn(r"(LIMITS = \{).*?(\};)", rf"\g<1>{body}\g<2>", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError("the sketch has no limits at its top")
    return changed


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=120)
