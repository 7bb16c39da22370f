"""MQTT: what a real subscriber gets from a real broker, mosquitto and amqtt, and brokers that are gone, slow or hostile."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from dlclive_streams import MqttOutput, MqttStream
from dlclive_streams.mqtt.broker import Broker

from dlclive_core import OutputError, Reason, Session, Sink, TriggerEvent, UsageError
from dlclive_core.testing import BlobModel, BlobSource, SinkContract, estimates, run_info

MOSQUITTO = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
HERE = Path(__file__).parent


@pytest.fixture(params=["mosquitto", "amqtt"])
def start_broker(request, tmp_path: Path, wait_for) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Starts a broker at a port of this computer, and ends it after the test."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed; on Debian: apt-get install mosquitto")
    if request.param == "amqtt" and find_spec("amqtt") is None:
        pytest.skip("amqtt is not installed: pip install amqtt")
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "amqtt_broker.py"), str(port)]
        if request.param == "mosquitto":
            settings = tmp_path / "mosquitto.conf"
            settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
            command = [str(MOSQUITTO), "-c", str(settings)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: listens(port))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


class TestMqttStreamKeepsTheContract(SinkContract):
    """Without a broker."""

    @pytest.fixture
    def sink(self, free_port: int) -> Sink:
        return MqttStream(port=free_port)


def test_a_subscriber_gets_every_pose_once_in_order(start_broker, start_receiver, free_port: int) -> None:
    start_broker(free_port)
    receiver = start_receiver("receive_mqtt.py", free_port)
    source = BlobSource(frames=60, visible=0.8)
    sink = MqttStream(port=free_port, topic="lab/rig 1", patience=60, queue=1000)
    Session(source=source, model=BlobModel(), sinks=[sink]).run()
    messages = receiver.take(60)
    assert sink.unsent == 0
    assert {(topic, retained) for topic, retained, _ in messages} == {("lab/rig 1/pose", False)}
    assert [message["sequence"] for _, _, message in messages] == list(range(60))
    for _, _, message in messages:
        assert message["time"] == pytest.approx(message["frame"] / 100)
        np.testing.assert_allclose(np.float32(message["pose"])[0], source.truth(message["frame"]), atol=0.5)


def test_an_output_tells_its_changes_and_the_events_and_its_state_is_retained(
    start_broker, start_receiver, free_port: int
) -> None:
    start_broker(free_port)
    receiver = start_receiver("receive_mqtt.py", free_port)
    event = TriggerEvent(
        trigger="corner", frame=7, time=0.25, individual="mouse", event="enter", begins=True, x=1.5, y=2.5, confidence=0.75,
        value=float("nan"),
    )  # fmt: skip
    with MqttOutput(port=free_port, patience=60, lifespan=60) as output:
        output.open(0.0)
        first = receiver.next()
        assert (first[0], first[2]["on"]) == ("dlclive/state", False)
        output.notify(event)
        output.renew(True, Reason.CONDITION, 7, 0.012)
        output.renew(True, Reason.CONDITION, 8, 0.012)
        told, on = receiver.take(2)
        assert (told[0], told[2]["event"], told[2]["value"]) == ("dlclive/event", "enter", None)
        assert (on[0], on[2]["on"], on[2]["frame"], on[2]["reason"]) == ("dlclive/state", True, 7, "condition")
        late = start_receiver("receive_mqtt.py", free_port)
        said = [item for item in (late.ready, late.next()) if item != "ready"]  # amqtt sends the retained message first
        topic, retained, state = said[0]
        assert (topic, retained, state["on"]) == ("dlclive/state", True, True)
        assert output.counts()["unsent"] == 0
    assert receiver.next()[2]["on"] is False
    while late.next()[2]["on"]:  # amqtt may send the retained message twice
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="a killed process closes its connection in another way there")
def test_the_broker_tells_off_when_the_program_is_killed(start_broker, start_receiver, free_port: int) -> None:
    start_broker(free_port)
    receiver = start_receiver("receive_mqtt.py", free_port)
    script = (
        "import sys, time\n"
        "from dlclive_core import Reason\n"
        "from dlclive_streams import MqttOutput\n"
        "output = MqttOutput(port=int(sys.argv[1]), patience=60, lifespan=60)\n"
        "output.open(0.0)\n"
        "output.renew(True, Reason.CONDITION, 0, 0.0)\n"
        "time.sleep(600)\n"
    )
    program = subprocess.Popen([sys.executable, "-c", script, str(free_port)])
    assert [receiver.next()[2]["on"] for _ in range(2)] == [False, True]
    program.send_signal(signal.SIGKILL)
    program.wait()
    topic, _, state = receiver.next()
    assert (topic, state["on"], state["reason"], state["decided_at"]) == ("dlclive/state", False, "host gone", None)


def test_a_broker_that_comes_later_and_goes_away_is_followed(
    start_broker, start_receiver, free_port: int, wait_for, caplog
) -> None:
    """Nothing waits for it: what is published without it is counted, and it is connected to when it is there."""
    written = list(estimates(3))
    with caplog.at_level(logging.WARNING), MqttStream(port=free_port) as sink:
        sink.open(run_info(BlobModel().card))
        for estimate in written:
            sink.write(estimate)
        assert sink.unsent == 3
        process = start_broker(free_port)
        receiver = start_receiver("receive_mqtt.py", free_port)
        wait_for(sink._broker._connected.is_set)
        sink.write(written[0])
        assert receiver.next()[2]["sequence"] == 3
        process.kill()
        process.wait()
        wait_for(lambda: not sink._broker._connected.is_set())
        sink.write(written[1])
        assert sink.unsent == 4
        start_broker(free_port)
        receiver = start_receiver("receive_mqtt.py", free_port)
        wait_for(sink._broker._connected.is_set)
        sink.write(written[2])
        assert receiver.next()[2]["sequence"] == 5
    assert f"the MQTT broker at 127.0.0.1, port {free_port}, is gone; connecting again" in caplog.text


def test_a_broker_that_stops_reading_bounds_what_waits(free_port: int, wait_for) -> None:
    """It accepts the connection and reads nothing more: the system's buffers fill, then the queue, and the rest is counted."""
    with one_connection(free_port, b"\x20\x02\x00\x00") as port:
        broker = Broker("127.0.0.1", port, queue=5, patience=60)
        broker.open()
        for _ in range(100):
            broker.publish("a", b"x" * 1_000_000)
        assert broker.unsent > 0
        assert len(broker._waiting) <= 5
        broker.close()


def test_messages_that_were_lost_with_their_connection_are_counted(free_port: int, wait_for) -> None:
    """The broker reads nothing, and then hangs up: what waited is unsent, and the next message goes to the new connection."""
    stranger = one_connection(free_port, b"\x20\x02\x00\x00")
    with stranger as port:
        broker = Broker("127.0.0.1", port, patience=60)
        broker.open()
        for _ in range(30):
            broker.publish("a", b"x" * 1_000_000)
        assert broker.unsent == 0
        stranger.hang_up()
        wait_for(lambda: len(stranger.connections) == 2 and broker._connected.is_set())
        broker.publish("a", b"x")
        assert 20 < broker.unsent <= 30  # the system had taken the first ones
        broker.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\x20\x02\x00\x05", "refuses the connection: Not authorized"),
        (b"\x00" * 100, ""),
        (b"\xff" * 100, ""),
        (b"\x20\xff\xff\xff\xff\xff\xff", ""),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ""),
    ],
)
def test_a_stranger_in_place_of_a_broker_does_no_harm(
    answer: bytes, said: str, free_port: int, wait_for, caplog
) -> None:
    with caplog.at_level(logging.WARNING), one_connection(free_port, answer) as port, MqttOutput(port=port) as output:
        output.open(0.0)
        for number in range(20):
            output.renew(number % 2 == 0, Reason.CONDITION, number, 0.0)
        assert output.counts()["changes"] == 20
        if said:
            wait_for(lambda: said in caplog.text)


def test_random_answers_of_a_broker_do_no_harm(free_port: int) -> None:
    """Each connection is answered otherwise, half of them after a correct greeting."""
    generator = np.random.default_rng(0)
    for number in range(20):
        answer = (b"\x20\x02\x00\x00" if number % 2 else b"") + generator.bytes(int(generator.integers(1, 60)))
        with one_connection(free_port, answer) as port:
            broker = Broker("127.0.0.1", port, patience=0.05)
            broker.open()
            for _ in range(10):
                broker.publish("a", b"x")
            broker.close()


def test_no_broker_is_said_if_asked_to_wait(free_port: int, caplog) -> None:
    with caplog.at_level(logging.WARNING), MqttStream(port=free_port, patience=0.01) as sink:
        sink.open(run_info())
    assert f"no MQTT broker at 127.0.0.1, port {free_port}, within 0.01 s; going on without" in caplog.text


def test_a_host_without_an_address_is_one_line() -> None:
    for component in (MqttStream("no-such-host.invalid"), MqttOutput("no-such-host.invalid")):
        with pytest.raises(OutputError, match=r"^host 'no-such-host.invalid' has no address: .*; check the name"):
            component.open(run_info() if isinstance(component, MqttStream) else 0.0)
        component.close()


@pytest.mark.parametrize("topic", ["", "a/#", "+/a", "$SYS", "/a", "a\x00b"])
def test_topics_that_cannot_be_published_to_are_refused(topic: str) -> None:
    for kind in (MqttStream, MqttOutput):
        with pytest.raises(UsageError, match=r"^topic is "):
            kind(topic=topic)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class one_connection:  # noqa: N801 - used as a function
    """A stranger at a port that answers each connection with the same bytes, and reads only the first 1000 of it."""

    def __init__(self, port: int, answer: bytes) -> None:
        self._answer, self._ending = answer, False
        self._server = socket.create_server(("127.0.0.1", port))
        self.connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._server.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._ending = True
        with suppress(OSError), socket.create_connection(self._server.getsockname(), timeout=10):
            pass  # closing a socket does not end its accept() everywhere; a connection does
        self._thread.join(10)
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End the connections that there are."""
        for connection in self.connections:
            connection.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while not self._ending:
                connection, _ = self._server.accept()
                self.connections.append(connection)
                with suppress(OSError):
                    connection.recv(1000)
                    connection.sendall(self._answer)
