"""Receivers for benchmarks/streams.py, each in a process of its own: python stream_receivers.py zmq|osc|lsl|mqtt|gui ADDRESS

Prints "ready", and when its standard input ends a JSON list: seconds from the capture stamp to the receipt of each frame. "gui" answers
as Open Ephys' Network Events. "hostile" talks nonsense to a port, 200 times a second.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from contextlib import suppress

ages: list[float] = []


def receive_zmq(address: str) -> None:
    import zmq

    subscriber = zmq.Context().socket(zmq.SUB)
    subscriber.subscribe("")
    subscriber.connect(address)
    print("ready", flush=True)
    while True:
        _, payload = subscriber.recv_multipart()
        now = time.time()
        ages.append(now - json.loads(payload)["captured_at"])


def receive_osc(port: str) -> None:
    from pythonosc.osc_packet import OscPacket

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(port)))
    print("ready", flush=True)
    while True:
        packet = server.recv(65536)
        now = time.time()
        ages.append(now - OscPacket(packet).messages[0].message.params[3])


def receive_lsl(name: str) -> None:
    import pylsl

    pylsl.set_config_content("[multicast]\nResolveScope = machine\nIPv6 = disable\n[log]\nlevel = -2\n")
    print("ready", flush=True)
    found: list[pylsl.StreamInfo] = []
    while not found:
        found = pylsl.resolve_byprop("name", name, timeout=1.0)
    inlet = pylsl.StreamInlet(found[0], recover=False)
    with suppress(Exception):  # the stream ends
        while True:
            _, stamp = inlet.pull_sample()
            ages.append(pylsl.local_clock() - stamp)


def receive_mqtt(port: str) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    def receive(_client: object, _data: object, message: object) -> None:
        now = time.time()
        ages.append(now - json.loads(message.payload)["captured_at"])

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe("#")
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = receive
    client.connect("127.0.0.1", int(port))
    client.loop_forever()


def answer_as_gui(port: str) -> None:
    import zmq

    gui = zmq.Context().socket(zmq.REP)
    gui.bind(f"tcp://127.0.0.1:{port}")
    print("ready", flush=True)
    while True:
        gui.send(b"TTLHandled:" + gui.recv().removeprefix(b"TTL"))


def talk_nonsense(port: str) -> None:
    greeting = b"\xff" + b"\x00" * 8 + b"\x7f\x03\x00NULL" + b"\x00" * 48
    print("ready", flush=True)
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=1) as stranger:
            stranger.sendall(random.choice((b"", greeting)) + random.randbytes(200))
        time.sleep(0.005)


def answer_nonsense(port: str) -> None:
    server = socket.create_server(("127.0.0.1", int(port)))
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        with suppress(OSError), connection:
            connection.recv(1000)
            connection.sendall(random.choice((b"", b"\x20\x02\x00\x00")) + random.randbytes(200))


KINDS = {
    "zmq": receive_zmq,
    "osc": receive_osc,
    "lsl": receive_lsl,
    "mqtt": receive_mqtt,
    "gui": answer_as_gui,
    "hostile": talk_nonsense,
    "hostile broker": answer_nonsense,
}

if __name__ == "__main__":
    threading.Thread(target=KINDS[sys.argv[1]], args=(sys.argv[2],), daemon=True).start()
    sys.stdin.read()
    print(json.dumps(ages), flush=True)
    os._exit(0)
