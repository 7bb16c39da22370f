# ruff: noqa: N815
"""A double of `cuda.bindings.runtime`: memory is host memory, and a stream does nothing until it is waited for.

As in CUDA, work queued in a stream runs later; here as late as possible, in `cudaStreamSynchronize`, so that code that reads a
result too early reads an old one. Work queued while a stream is captured does not run, but becomes part of the graph. Addresses
that were never allocated, or were freed, are errors.
"""

from __future__ import annotations

import ctypes
import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any


@dataclass
class Card:
    """A GPU."""

    name: str = "NVIDIA GeForce RTX 4090"
    major: int = 8
    minor: int = 9
    memory: int = 24 << 30


@dataclass
class Machine:
    """The computer that both doubles simulate, and a record of what happened on it."""

    cards: list[Card] = field(default_factory=lambda: [Card()])
    tensorrt: str = "11.4.0.106"
    free: int = 20 << 30
    build_error: str = ""
    cannot_capture: bool = False
    graphs_fit: bool = True
    events: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    levels: list[int] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    timings: list[bytes] = field(default_factory=list)
    graphs: list[bytes] = field(default_factory=list)
    blocks: dict[int, Any] = field(default_factory=dict)
    streams: dict[int, Any] = field(default_factory=dict)
    live: set[int] = field(default_factory=set)
    gpu_of_thread: dict[int, int] = field(default_factory=dict)

    def all_freed(self) -> bool:
        """Whether all memory, streams and graphs are freed."""
        return not (self.blocks or self.streams or self.live)

    def capturing(self, stream: int) -> bool:
        """Whether a stream is being captured."""
        return self.streams[stream].capture is not None

    def enqueue(self, stream: int, work: Callable[[], None]) -> None:
        """Queue work in a stream, or add it to the graph that is being captured."""
        state = self.streams[stream]
        (state.queue if state.capture is None else state.capture).append(work)

    def memory(self, address: int, size: int) -> Any:
        """The bytes at an address; KeyError unless they lie within one allocated block."""
        for start, (length, _) in self.blocks.items():
            if start <= address and address + size <= start + length:
                return (ctypes.c_uint8 * size).from_address(address)
        raise KeyError(address)


class Code(enum.IntEnum):
    """cudaError_t."""

    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorNoDevice = 100
    cudaErrorInvalidDevice = 101
    cudaErrorStreamCaptureInvalidated = 901


class Kind(enum.IntEnum):
    """cudaMemcpyKind."""

    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class Mode(enum.IntEnum):
    """cudaStreamCaptureMode."""

    cudaStreamCaptureModeThreadLocal = 1


def make_cuda(machine: Machine) -> ModuleType:
    """The module `cuda.bindings.runtime` of a machine."""
    module = ModuleType("cuda.bindings.runtime")
    ok = Code.cudaSuccess

    def allocate(size: int, event: str) -> tuple[Any, ...]:
        if size > machine.free:
            return Code.cudaErrorMemoryAllocation, None
        block = ctypes.create_string_buffer(size + 256)
        address = -(-ctypes.addressof(block) // 256) * 256
        machine.blocks[address] = (size, block)
        machine.events.append(event)
        return ok, address

    def free(address: int) -> tuple[Any, ...]:
        return (ok,) if machine.blocks.pop(address, None) is not None else (Code.cudaErrorInvalidValue,)

    def copy(target: int, source: int, size: int, kind: Kind, stream: int) -> tuple[Any, ...]:
        try:
            machine.memory(target, size), machine.memory(source, size)
        except KeyError:
            return (Code.cudaErrorInvalidValue,)
        machine.enqueue(stream, lambda: ctypes.memmove(target, source, size))
        machine.events.append("upload" if kind == Kind.cudaMemcpyHostToDevice else "download")
        return (ok,)

    def make_stream(flags: int) -> tuple[Any, ...]:
        assert flags == 1, "a stream that waits for the default stream"
        number = max(machine.streams, default=0) + 1
        machine.streams[number] = SimpleNamespace(queue=[], capture=None, broken=False)
        return ok, number

    def wait(stream: int) -> tuple[Any, ...]:
        machine.events.append("wait")
        assert not machine.capturing(stream), "waiting while a stream is captured"
        queue, machine.streams[stream].queue = machine.streams[stream].queue, []
        for work in queue:
            work()
        return (ok,)

    def begin(stream: int, mode: Mode) -> tuple[Any, ...]:
        machine.events.append("begin")
        machine.streams[stream].capture = []
        return (ok,)

    def end(stream: int) -> tuple[Any, ...]:
        machine.events.append("end")
        state = machine.streams[stream]
        work, state.capture = state.capture, None
        if state.broken:
            state.broken = False
            return Code.cudaErrorStreamCaptureInvalidated, None
        graph = SimpleNamespace(work=work)
        machine.live.add(id(graph))
        return ok, graph

    def instantiate(graph: Any, flags: int) -> tuple[Any, ...]:
        if not machine.graphs_fit:
            return Code.cudaErrorMemoryAllocation, None
        executable = SimpleNamespace(work=list(graph.work))
        machine.live.add(id(executable))
        return ok, executable

    def launch(executable: Any, stream: int) -> tuple[Any, ...]:
        machine.events.append("launch")
        for work in executable.work:
            machine.enqueue(stream, work)
        return (ok,)

    def destroy(graph: Any) -> tuple[Any, ...]:
        machine.live.remove(id(graph))
        return (ok,)

    def choose(index: int) -> tuple[Any, ...]:
        machine.gpu_of_thread[threading.get_ident()] = index
        return (ok,) if index < len(machine.cards) else (Code.cudaErrorInvalidDevice,)

    def describe(index: int) -> tuple[Any, ...]:
        card = machine.cards[index]
        return ok, SimpleNamespace(
            name=card.name.encode(), major=card.major, minor=card.minor, totalGlobalMem=card.memory
        )

    names: dict[str, Any] = {
        "cudaError_t": Code,
        "cudaMemcpyKind": Kind,
        "cudaStreamCaptureMode": Mode,
        "cudaStreamNonBlocking": 1,
        "cudaGetDeviceCount": lambda: (
            (ok, len(machine.cards)) if machine.cards else (Code.cudaErrorInsufficientDriver, None)
        ),
        "cudaGetDeviceProperties": describe,
        "cudaSetDevice": choose,
        "cudaMemGetInfo": lambda: (ok, machine.free, 24 << 30),
        "cudaDriverGetVersion": lambda: (ok, 13020),
        "cudaRuntimeGetVersion": lambda: (ok, 13000),
        "cudaGetErrorString": lambda code: (ok, code.name.encode()),
        "cudaMalloc": lambda size: allocate(size, "malloc"),
        "cudaMallocHost": lambda size: allocate(size, "pin"),
        "cudaFree": free,
        "cudaFreeHost": free,
        "cudaMemcpyAsync": copy,
        "cudaStreamCreateWithFlags": make_stream,
        "cudaStreamSynchronize": wait,
        "cudaStreamDestroy": lambda stream: (
            (ok,) if machine.streams.pop(stream, None) else (Code.cudaErrorInvalidValue,)
        ),
        "cudaStreamBeginCapture": begin,
        "cudaStreamEndCapture": end,
        "cudaGraphInstantiate": instantiate,
        "cudaGraphLaunch": launch,
        "cudaGraphExecDestroy": destroy,
        "cudaGraphDestroy": destroy,
    }
    vars(module).update(names)
    return module
