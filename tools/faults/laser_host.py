"""A live session with a laser, to be killed by the tests: `python laser_host.py PORT FAULT EVENTS`.

It prints the `time.perf_counter()` at which its own fault starts. Until then the laser is always on.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dlclive_processors import Stimulate

from dlclive_core import Frame, Pose, Processor, Session
from dlclive_core.testing import BlobModel, LiveBlobSource

AT = 60  # the index of the frame at which the fault starts
WHOLE_FRAME = [[0, 0], [160, 0], [160, 120], [0, 120]]


def print_time() -> None:
    print(time.perf_counter(), flush=True)


class Faulty(Processor):
    def __init__(self, fault: str) -> None:
        self.fault = fault

    def process(self, pose: Pose, frame: Frame) -> Pose:
        if frame.index >= AT and self.fault == "hang":
            print_time()
            time.sleep(10)
        if frame.index >= AT and self.fault == "exception":
            print_time()
            raise ValueError("a processor that fails")
        return pose


class StallingSource(LiveBlobSource):
    stalls = False

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        if self.stalls and frame.index == AT:
            print_time()
            time.sleep(5)
            return Frame(frame.image, frame.index, time.perf_counter())
        return frame


class SlowModel(BlobModel):
    hangs = False
    calls = 0

    def predict(self, image, *, boxes=None):
        self.calls += 1
        if self.hangs and self.calls == AT:
            print_time()
            time.sleep(10)
        return super().predict(image, boxes=boxes)


def main(port: str, fault: str, events: str) -> None:
    source, model = StallingSource(frames=10**6, interval=0.01), SlowModel()
    source.stalls, model.hangs = fault == "stall", fault == "model hangs"
    laser = Stimulate(
        port, polygon=WHOLE_FRAME, keypoint="k0", width=50, events=Path(events), overwrite=True, max_age=0.1
    )
    session = Session(
        source=source, model=model, processors=[laser, Faulty(fault)], max_frames=AT if fault == "end" else None
    )
    session.run()
    if fault == "end":
        print_time()


if __name__ == "__main__":
    main(*sys.argv[1:])
