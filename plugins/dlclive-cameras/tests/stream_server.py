"""Sends a stream of numbered pictures to whoever connects, over HTTP on 127.0.0.1: a program for tests, killed by them.

python stream_server.py PORT FORMAT FPS FIRST
"""

from __future__ import annotations

import socket
import sys
import time
from itertools import count

import av
import numpy as np

BITS, BLOCK, HEIGHT = 12, 16, 96
HELD_FROM, HELD_FOR = 120, 60  # frames that "held" keeps back, as a network does, and then delivers at once


def draw(number: int) -> np.ndarray:
    """(96, 192, 3) RGB: the number in black and white blocks; below them red on the left, blue on the right."""
    image = np.zeros((HEIGHT, BITS * BLOCK, 3), np.uint8)
    image[BLOCK:, :96, 0] = 230
    image[BLOCK:, 96:, 2] = 230
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if number >> bit & 1 else 0
    return image


class Client:
    """A connected reader, as the file that PyAV writes to."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.is_held = False
        self.waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.waiting.append(bytes(data))
        if not self.is_held:
            for piece in self.waiting:
                self.connection.sendall(piece)
            self.waiting = []
        return len(data)


def serve(connection: socket.socket, kind: str, fps: float, first: int) -> None:
    connection.recv(65536)  # the request
    holds, kind = kind == "held", "mpegts" if kind == "held" else kind
    content = "video/mp2t" if kind == "mpegts" else "multipart/x-mixed-replace;boundary=ffmpeg"
    connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: {content}\r\n\r\n".encode())
    if kind == "silent":
        time.sleep(3600)
    stalls = kind == "stalls"
    kind = "mpjpeg" if stalls else kind
    options = {"flush_packets": "1"}
    client = Client(connection)
    with av.open(client, "w", format=kind, options=options) as container:
        codec = "libx264" if kind == "mpegts" else "mjpeg"
        stream = container.add_stream(codec, rate=round(fps))
        stream.width, stream.height = BITS * BLOCK, HEIGHT
        stream.pix_fmt = "yuv420p" if kind == "mpegts" else "yuvj420p"
        if kind == "mpegts":
            stream.codec_context.gop_size = 5
            stream.options = {"tune": "zerolatency", "preset": "ultrafast", "crf": "10"}
        began = time.monotonic()
        for number in count():
            if stalls and number == 20:
                time.sleep(3600)
            time.sleep(max(0.0, began + number / fps - time.monotonic()))
            client.is_held = holds and HELD_FROM <= number < HELD_FROM + HELD_FOR
            frame = av.VideoFrame.from_ndarray(draw((first + number) % 4096), format="rgb24")
            container.mux(stream.encode(frame))


def main(port: int, kind: str, fps: float, first: int) -> None:
    with socket.create_server(("127.0.0.1", port), reuse_port=False) as server:
        print("listening", flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                try:
                    serve(connection, kind, fps, first)
                except OSError:
                    continue


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
