"""ZeroMQ: what bad subscribers cannot do. Nothing of ours listens but these sockets."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import zmq
from dlclive_streams import ZmqStream
from dlclive_streams.zeromq.publisher import Publisher

from dlclive_core.testing import estimates, run_info

GREETING = b"\xff" + b"\x00" * 8 + b"\x7f\x03\x00NULL" + b"\x00" * 48
"""ZMTP 3.0 with the NULL mechanism, https://rfc.zeromq.org/spec/23/, and then the command READY of a subscriber."""
READY = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"


def test_a_subscriber_that_does_not_read_loses_messages_and_the_others_do_not(start_receiver) -> None:
    publisher = Publisher("127.0.0.1", 0, queue=10, patience=60)
    opening = threading.Thread(target=publisher.open)
    opening.start()
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", port_of(publisher)))
    greet(stuck)
    stuck.sendall(READY + b"\x00\x08\x01numbers")
    opening.join()
    receiver = start_receiver("receive_zmq.py", publisher.address, "numbers")
    number = 0
    while receiver.is_empty:  # until its subscription has arrived
        publisher.send("numbers", b"%d" % number)
        number += 1
    last = receiver.next()[1]
    padding = b" " * 100_000
    began = number
    while number < began + 300:  # 30 MB, one at a time: what a socket and a queue hold is far less
        publisher.send("numbers", b"%d" % number + padding)
        while last < number:
            last = receiver.next()[1]
        number += 1
    assert publisher.unsent == 0
    received = 0
    stuck.settimeout(60)
    closing = threading.Thread(target=publisher.close)
    closing.start()
    while data := read_some(stuck):
        received += len(data)
    closing.join()
    stuck.close()
    assert len(padding) < received < 300 * len(padding) / 2


def test_random_bytes_to_the_port_do_no_harm(open_with_subscriber) -> None:
    """Strangers that talk nonsense, half of them behind a valid greeting; a subscriber gets everything meanwhile."""
    sink = ZmqStream(0, queue=1000, patience=60)
    receiver = open_with_subscriber(sink, run_info())
    port = port_of(sink)
    generator = random.Random(1)
    for estimate in estimates(100):
        for _ in range(5):
            send_nonsense(port, generator)
        sink.write(estimate)
    assert [message["sequence"] for _, message in receiver.take(100)] == list(range(100))
    sink.close()


def test_requests_that_are_no_subscriptions_are_discarded() -> None:
    """Large ones end their connection."""
    publisher = Publisher("127.0.0.1", 0, patience=60)
    opening = threading.Thread(target=publisher.open)
    opening.start()
    with zmq.Context() as context, context.socket(zmq.XSUB) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(f"tcp://127.0.0.1:{port_of(publisher)}")
        stranger.send(b"\x01")
        opening.join()
        for size in (0, 1, 100, 2000, 1_000_000):
            stranger.send(b"\x05" * size)
            publisher.send("pose", b"{}")
        assert stranger.recv_multipart() == [b"pose", b"{}"]
        assert publisher.unsent == 0
    publisher.close()


def test_strangers_while_it_opens_and_closes_do_not_end_the_process(free_port: int) -> None:
    """libzmq 4.3.5 aborts when a peer that looks older than ZeroMQ 4 is greeted by a socket that closes."""
    script = (
        "import sys, time\n"
        "from dlclive_streams.zeromq.publisher import Publisher\n"
        "for _ in range(250):\n"
        "    publisher = Publisher('127.0.0.1', int(sys.argv[1]))\n"
        "    publisher.open()\n"
        "    for _ in range(3):\n"
        "        publisher.send('pose', b'{}')\n"
        "        time.sleep(0.003)\n"
        "    publisher.close()\n"
    )
    command = [sys.executable, "-c", script, str(free_port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        generator = random.Random(2)
        while program.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", free_port), timeout=1) as stranger:
                stranger.sendall(generator.choice((b"", GREETING)) + generator.randbytes(200))
        assert program.stderr is not None
        assert (program.returncode, program.stderr.read()) == (0, "")


def port_of(component: Publisher | ZmqStream) -> int:
    """The port that it listens at, once it does."""
    while not component.address:
        threading.Event().wait(0.001)
    return int(component.address.rpartition(":")[2])


def read_some(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except ConnectionError:
        return b""


def greet(connection: socket.socket) -> None:
    """Send the greeting and read the other's, without which libzmq takes no more."""
    connection.sendall(GREETING)
    read = b""
    while len(read) < len(GREETING) and (data := connection.recv(len(GREETING) - len(read))):
        read += data


def send_nonsense(port: int, generator: random.Random) -> None:
    """One stranger's connection: random bytes alone, behind a greeting, as a command, or as a long message."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as stranger:
        kind = generator.randrange(4)
        if kind:
            greet(stranger)
        head = (b"", b"", READY, READY + b"\x02" + generator.randbytes(8) + b"\x01")[kind]
        stranger.sendall(head + generator.randbytes(generator.randrange(1, 300)))
