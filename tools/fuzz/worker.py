"""One process that reads hostile files, one after the other, until one of them makes it fail."""

from __future__ import annotations

import ctypes
import logging
import resource
import shutil
import sys
import time
import traceback
import warnings
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from dlclive_core import DLCLiveError
from tools.fuzz.targets import Target, target

_PROCESSES: Any = get_context("fork")  # what was imported before is there at once
MOST_GROWTH = 500 << 10  # KB
_LONGEST = 2000  # characters of a message
_ADDRESSES = (
    4 << 30
)  # bytes, besides what it has; what asks for more gets a MemoryError in place of this machine's memory


class Worker:
    """A process on every `step`-th input from `first` on.

    Attributes:
        index: the input that it is reading; -1 when it is done.
        read, refused: how many were read and refused.
        slowest: seconds of the slowest input.
        failure: a file with the end of the traceback; the process ends after it.
    """

    def __init__(self, name: str, first: int, count: int, step: int, seed: int) -> None:
        self.name, self.step, self.count, self.seed = name, step, count, seed
        self.index = _PROCESSES.Value(ctypes.c_longlong, first)
        self.began = _PROCESSES.Value(ctypes.c_double, time.monotonic())
        self.read, self.refused = _PROCESSES.Value(ctypes.c_longlong, 0), _PROCESSES.Value(ctypes.c_longlong, 0)
        self.slowest, self.grown = _PROCESSES.Value(ctypes.c_double, 0.0), _PROCESSES.Value(ctypes.c_longlong, 0)
        self._home = Path(mkdtemp(prefix="dlclive-fuzz-"))
        self._folder, self.failure = self._home / "inputs", self._home / "failure.txt"
        self._folder.mkdir()
        self.process = _PROCESSES.Process(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the process."""
        with warnings.catch_warnings():  # of a fork beside threads: this process's own only wait
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()

    def close(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self) -> None:
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("error")
        limit = _ADDRESSES + _addresses()
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        tried = target(self.name)
        for data in tried.valid():
            tried.read(data, self._folder)  # imports what it needs, too
        before = _peak()
        while self.index.value < self.count:
            self.began.value = time.monotonic()
            failure = self._one(tried, before)
            if failure:
                self.failure.write_text(failure, encoding="utf-8", errors="replace")
                sys.exit(1)
            self.index.value += self.step
        self.index.value = -1

    def _one(self, tried: Target, before: int) -> str:
        failure = outcome = ""
        data = tried.hostile(self.index.value, self.seed)
        began = time.monotonic()
        try:
            outcome = read(tried, data, self._folder)
        except BaseException:
            failure = traceback.format_exc()[-_LONGEST:]
        self.slowest.value = max(self.slowest.value, time.monotonic() - began)
        grown = _peak() - before
        self.grown.value = max(self.grown.value, grown)
        if grown > MOST_GROWTH and not failure:
            failure = f"{grown >> 10} MB more memory"
        counter: Any = {"read": self.read, "refused": self.refused}.get(outcome)
        if counter is not None and not failure:
            counter.value += 1
        return failure


def read(tried: Target, data: bytes, folder: Path) -> str:
    """Give "read", or "refused" where the reader raised an error of ours; raises all others."""
    try:
        tried.read(data, folder)
    except DLCLiveError as error:
        text = str(error)
        if "\n" in text.strip() or len(text) > _LONGEST:
            problem = "several lines" if len(text) <= _LONGEST else f"{len(text)} characters"
            raise AssertionError(f"a message of {problem}: {text[:300]!r}") from error
        return "refused"
    return "read"


def _addresses() -> int:
    """Bytes of address space that this process has; 0 where that cannot be known."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
