"""Streams: how late a pose is in another process, and what a receiver that is gone, stopped or hostile costs the loop.

python benchmarks/streams.py [--seconds 5] [--rounds 5] [--only zmq]

A live source gives frames at 100 frames/s to a model that waits 3 ms, as for a GPU, and finds 20 keypoints. Each case runs at the same time as a
second process that does the same without the sink, so that both meet the same load; the frames of all rounds are pooled. "no sink" is compared with
itself: how far from 1 it is, is noise. Needs mosquitto for MQTT, and Linux: receivers are stopped by signals, and all processes share
their clocks. On a busy machine: sudo chrt -r 1 python benchmarks/streams.py
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dlclive_streams import (
    LslOutput,
    LslStream,
    MqttOutput,
    MqttStream,
    OpenEphysOutput,
    OscOutput,
    OscStream,
    ZmqOutput,
    ZmqStream,
)

from dlclive_core import (
    EndOfStream,
    Estimate,
    Frame,
    FrameSource,
    Output,
    Pose,
    Processor,
    Reason,
    RunInfo,
    Session,
    Sink,
)
from dlclive_core.machine.system import system_info
from dlclive_core.testing import NullModel

RATE, MODEL_TIME, KEYPOINTS = 100, 0.003, 20
RECEIVERS = Path(__file__).parent / "stream_receivers.py"
MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")


class Camera(FrameSource):
    """Small pictures at a fixed rate."""

    is_live = True
    frame_size = (64, 48)
    fps = float(RATE)
    name = "camera"

    def __init__(self, frames: int) -> None:
        self._image, self.frame_count, self._index, self._due = np.zeros((48, 64, 3), np.uint8), frames, 0, 0.0

    def read(self, timeout: float) -> Frame:
        if self._index == self.frame_count:
            raise EndOfStream
        self._due = self._due + 1 / RATE if self._index else time.perf_counter()
        time.sleep(max(0.0, self._due - time.perf_counter()))
        self._index += 1
        return Frame(self._image, self._index - 1, time.perf_counter())


class Waiting(NullModel):
    """Waits some milliseconds without holding the GIL, like a model on a GPU."""

    def predict(self, image: np.ndarray, *, boxes: np.ndarray | None = None) -> Pose:
        time.sleep(MODEL_TIME)
        return super().predict(image)


class Latencies(Sink):
    """Keeps the loop's latency of each frame, in every case."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def write(self, estimate: Estimate) -> None:
        self.values.append(estimate.latency)


class Toggle(Processor):
    """Switches an output at every frame, as no trigger does."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def open(self, run: RunInfo) -> None:
        self._output.open(run.started_clock)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self._output.renew(frame.index % 2 == 0, Reason.CONDITION, frame.index, 0.0)
        return pose

    def close(self) -> None:
        with suppress(Exception):  # a stopped receiver does not confirm that it is off
            self._output.close()


class Receiver:
    """A receiver in another process; `ages` are those of the frames that it got."""

    def __init__(self, kind: str, address: object) -> None:
        command = [sys.executable, str(RECEIVERS), kind, str(address)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.ages: list[float] = []

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self.ages = json.loads(self._process.communicate(timeout=60)[0] or "[]")


@dataclass(frozen=True)
class Case:
    """A sink or an output, and what its receiver does."""

    name: str
    component: Callable[[int], Sink | Output]
    receiver: str = ""  # of `stream_receivers.py`
    address: str = "{port}"
    stopped: bool = False
    broker: str = ""  # further settings of mosquitto
    measures_ages: bool = False


CASES = [
    Case("no sink", lambda _: Latencies()),
    Case(
        "zmq, a subscriber",
        lambda port: ZmqStream(port, patience=20),
        "zmq",
        "tcp://127.0.0.1:{port}",
        measures_ages=True,
    ),
    Case("zmq, nobody", ZmqStream),
    Case(
        "zmq, a stopped subscriber",
        lambda port: ZmqStream(port, patience=20),
        "zmq",
        "tcp://127.0.0.1:{port}",
        stopped=True,
    ),
    Case("zmq, strangers with nonsense", ZmqStream, "hostile"),
    Case("osc, a receiver", OscStream, "osc", measures_ages=True),
    Case("osc, nobody", OscStream),
    Case("osc, a stopped receiver", OscStream, "osc", stopped=True),
    Case(
        "lsl, an inlet",
        lambda port: LslStream(f"benchmark {port}", patience=20),
        "lsl",
        "benchmark {port}",
        measures_ages=True,
    ),
    Case("lsl, nobody", lambda port: LslStream(f"benchmark {port}")),
    Case(
        "lsl, a stopped inlet",
        lambda port: LslStream(f"benchmark {port}", patience=20),
        "lsl",
        "benchmark {port}",
        stopped=True,
    ),
    Case(
        "mqtt, mosquitto and a subscriber",
        lambda port: MqttStream(port=port, patience=20),
        "mqtt",
        broker="# as it is",
        measures_ages=True,
    ),
    Case(
        "mqtt, mosquitto with set_tcp_nodelay",
        lambda port: MqttStream(port=port, patience=20),
        "mqtt",
        broker="set_tcp_nodelay true",
        measures_ages=True,
    ),
    Case("mqtt, no broker", lambda port: MqttStream(port=port)),
    Case("mqtt, a stopped broker", lambda port: MqttStream(port=port, patience=20), broker="# as it is", stopped=True),
    Case("mqtt, nonsense in place of a broker", lambda port: MqttStream(port=port), "hostile broker"),
    Case("output open-ephys, switched at every frame", lambda port: OpenEphysOutput(1, port=port, patience=20), "gui"),
    Case(
        "output open-ephys, a stopped GUI",
        lambda port: OpenEphysOutput(1, port=port, patience=20, timeout=0.5),
        "gui",
        stopped=True,
    ),
    Case("output zmq, nobody", ZmqOutput),
    Case("output osc, nobody", OscOutput),
    Case("output lsl, nobody", lambda port: LslOutput(f"markers {port}")),
    Case("output mqtt, no broker", lambda port: MqttOutput(port=port)),
]


def run(frames: int, component: Sink | Output | None, began: Callable[[], None] = lambda: None) -> list[float]:
    """The loop's latencies in seconds, without the first second."""
    latencies = Latencies()
    sinks = [latencies, *([component] if isinstance(component, Sink) else [])]
    processors = [Toggle(component)] if isinstance(component, Output) else []
    session = Session(source=Camera(frames), model=Waiting(KEYPOINTS), sinks=sinks, processors=processors)
    running = threading.Thread(target=session.run)
    running.start()
    while not latencies.values and running.is_alive():
        time.sleep(0.01)
    began()
    running.join()
    return latencies.values[RATE:]


class Baseline:
    """The same without the sink, in another process."""

    def __init__(self, frames: int) -> None:
        command = [sys.executable, __file__, "--baseline", str(frames)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def start(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def latencies(self) -> list[float]:
        return json.loads(self._process.communicate(timeout=600)[0])


def run_case(case: Case, frames: int) -> tuple[list[float], list[float], list[float]]:
    """The loop's latencies, those without the sink, and the frames' ages at their receipt, without the first second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(port, case.broker)) if case.broker else None
        receiver = Receiver(case.receiver, case.address.format(port=port)) if case.receiver else None

        baseline = Baseline(frames)

        def began() -> None:
            baseline.start()
            if case.stopped and receiver is not None:
                receiver.stop()
            elif case.stopped and broker is not None:
                broker.send_signal(signal.SIGSTOP)

        latencies = run(frames, case.component(port), began)
        without = baseline.latencies()
        if receiver is not None:
            receiver.close()
        return latencies, without, receiver.ages[RATE:] if receiver is not None and case.measures_ages else []


@contextmanager
def mosquitto(port: int, more: str) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{more}\n")
        process = subprocess.Popen([str(MOSQUITTO), "-c", str(settings)], stderr=subprocess.DEVNULL)
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        yield process
        process.kill()
        process.wait()


def in_ms(values: list[float]) -> str:
    return " | ".join(f"{1e3 * value:.2f}" for value in np.percentile(values, (50, 95, 99)))


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--baseline", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.baseline:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(run(options.baseline, None)))
        return
    frames = int(options.seconds * RATE) + RATE
    cases = [case for case in CASES if options.only in case.name and (MOSQUITTO or not case.broker)]
    with_sink: dict[str, list[float]] = {case.name: [] for case in cases}
    without: dict[str, list[float]] = {case.name: [] for case in cases}
    ages: dict[str, list[float]] = {case.name: [] for case in cases}
    ratios: dict[str, list[float]] = {case.name: [] for case in cases}
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        for _ in range(options.rounds):
            for case in cases:
                latencies, base, received = run_case(case, frames)
                with_sink[case.name] += latencies
                without[case.name] += base
                ages[case.name] += received
                ratios[case.name].append(float(np.percentile(latencies, 99) / np.percentile(base, 99)))
    info = system_info()
    load = os.getloadavg()[1]
    print(
        f"{info['processor']}, {info['cpus']} CPUs, Python {info['python']}; {RATE} frames/s, {KEYPOINTS} keypoints, model {1e3 * MODEL_TIME:g} ms, "
        f"{options.seconds:g} s, {options.rounds} rounds in turns; load {load:.1f}\n"
    )
    print(
        "| from the capture stamp to the receipt in another process, ms | p50 | p95 | p99 | frames |\n|---|---|---|---|---|"
    )
    for case in cases:
        if ages[case.name]:
            print(f"| {case.name} | {in_ms(ages[case.name])} | {len(ages[case.name])} |")
    print(
        "\n| the loop's latency, ms | p50 | p95 | p99 | p50 without | p99 without | p50 ratio | p99 ratio | of the rounds |\n|---|---|---|---|---|---|---|---|---|"
    )
    for case in cases:
        mine, base = with_sink[case.name], without[case.name]
        middle, late = (np.percentile(mine, share) / np.percentile(base, share) for share in (50, 99))
        without_sink = " | ".join(f"{1e3 * np.percentile(base, share):.2f}" for share in (50, 99))
        spread = f"{min(ratios[case.name]):.2f} to {max(ratios[case.name]):.2f}"
        print(f"| {case.name} | {in_ms(mine)} | {without_sink} | {middle:.2f} | {late:.2f} | {spread} |")


if __name__ == "__main__":
    main()
