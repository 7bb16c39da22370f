"""The inference worker of deeplabcut-live-gui 2.0.0, without its windows, for another process.

    python -m tools.compat.gui_worker GUI_FOLDER MODEL.pt FRAMES.npz [--packages FOLDER]

Needs `dlclive`, ours or deeplabcut-live's, and PySide6, which may lie in the folder of packages. The worker gets a socket
processor of the GUI with one client, and records. Requests: {"run": [first, last]} gives these frames to the worker, each as
soon as the one before is done, and returns the seconds that they took; {"counts": true} returns what came out of it so far.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import numpy as np

from tools.parity.partner import serve

_LIMIT = 120.0  # seconds for one frame on a busy machine


class Worker:
    """The GUI's worker, its processor, and a client that counts what is broadcast."""

    def __init__(self, model: Path, frames: Path) -> None:
        from dlclivegui.config import DLCProcessorSettings
        from dlclivegui.processors.dlc_processor_socket import BaseProcessorSocket
        from dlclivegui.services.dlc_processor import DLCLiveProcessor

        self.frames = np.load(frames)["frames"]
        self.calls: list[float | None] = []  # the frame_time of each call
        self.sent: list[float] = []
        self.received = 0
        calls = self.calls

        class Counting(BaseProcessorSocket):  # type: ignore[misc]  # of a package that is not installed here
            def process(self, pose: Any, **kwargs: Any) -> Any:
                calls.append(kwargs.get("frame_time"))
                return super().process(pose, **kwargs)

        self.processor = Counting(bind=("127.0.0.1", 0), authkey=b"compat", save_original=True)
        self.processor.start_recording()
        client = Client(self.processor.listener.address, authkey=b"compat")
        threading.Thread(target=self._receive, args=(client,), daemon=True).start()
        self.worker = DLCLiveProcessor()
        self.errors: list[str] = []
        self.worker.error.connect(self.errors.append)
        settings = DLCProcessorSettings(model_path=str(model), model_type="pytorch", device="cpu", single_animal=True)
        self.worker.configure(settings, processor=self.processor)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """See the module."""
        if "run" in request:
            first, last = request["run"]
            began = time.perf_counter()
            for frame in self.frames[first:last]:
                self._give(frame)
            return {"seconds": time.perf_counter() - began}
        time.sleep(0.5)  # for the last message to the client
        times = [value for value in self.calls if value is not None]
        late = [called - sent for called, sent in zip(times, self.sent, strict=False)]
        return {
            "frames": len(self.sent),
            "poses": self.worker.get_stats().frames_processed,
            "calls": len(self.calls),
            "with_time": len(times),
            "in_order": times == sorted(times) and all(delay >= -0.05 for delay in late),
            "recorded": len(self.processor.frame_time),
            "received": self.received,
        }

    def _give(self, frame: Any) -> None:
        """Give the worker a frame, and wait for its pose."""
        done = self.worker.get_stats().frames_processed
        self.sent.append(time.time())
        self.worker.enqueue_frame(frame, self.sent[-1])
        limit = time.perf_counter() + _LIMIT
        while self.worker.get_stats().frames_processed == done:
            if time.perf_counter() > limit:
                raise TimeoutError(f"no pose for {_LIMIT:g} s: {self.errors}")
            time.sleep(0.0005)

    def _receive(self, client: Any) -> None:
        while True:
            try:
                client.recv()
            except (EOFError, OSError):
                return
            self.received += 1


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="The GUI's inference worker")
    parser.add_argument("gui", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("frames", type=Path)
    parser.add_argument("--packages", type=Path, help="where PySide6 lies, if not here")
    options = parser.parse_args()
    sys.path.insert(0, str(options.gui))
    if options.packages is not None:
        sys.path.append(str(options.packages))
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import QCoreApplication

    application = QCoreApplication([])
    worker = Worker(options.model, options.frames)
    serve(worker.answer)
    worker.worker.shutdown()
    del application
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
