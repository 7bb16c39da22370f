"""Live sessions in this process: stalling sources, slow models and sinks, processors that raise."""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil

from dlclive_core import Frame, MemorySink, Pose, Processor, Session, SessionReport, Tolerant
from dlclive_core.testing import BlobModel, LiveBlobSource, NullModel, StallingSource
from tools.faults.row import Row

PERIOD = 0.01


class Sleepy(NullModel):
    """A model that sleeps before each prediction."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def predict(self, image, *, boxes=None):
        time.sleep(self._seconds)
        return super().predict(image, boxes=boxes)


class Camera(LiveBlobSource):
    """Returns the same picture every time, because drawing is too slow for some machines. Catches up after a delay."""

    def draw(self, index: int) -> np.ndarray:
        if not hasattr(self, "_image"):
            self._image = super().draw(0)
        return self._image


def for_a_while(session: Session, seconds: float) -> SessionReport:
    """Run the session and stop it while frames arrive. The last frame of a source that ends would wait for a slow model."""
    timer = threading.Timer(seconds, session.stop)
    timer.start()
    try:
        return session.run()
    finally:
        timer.cancel()


class TimedStallingSource(StallingSource):
    """Records when it returned the last frame, on `time.perf_counter()`."""

    last_at = 0.0

    def read(self, timeout: float) -> Frame:
        frame = super().read(timeout)
        self.last_at = time.perf_counter()
        return frame


def stall(runs: int, seconds: float = 5.0) -> Row:
    """A source that stalls: the delay until the state is "stale", and the recovery."""
    stale_delays, recovery_delays, threads, exact = [], [], set(), set()
    bound = 2 * PERIOD + 0.05
    for _ in range(runs):
        source = TimedStallingSource(at=100, seconds=seconds, frames=round((2 + seconds) / PERIOD), interval=PERIOD)
        session = Session(source=source, model=NullModel(), sinks=[MemorySink()])
        thread = threading.Thread(target=session.run)
        thread.start()
        while source._next < 100:
            time.sleep(0.001)
        while session.state != "stale":
            time.sleep(0.001)
        stale_delays.append(time.perf_counter() - source.last_at)
        while not source.reconnects:
            threads.add(threading.active_count())
            time.sleep(0.01)
        resumed_at = time.perf_counter()
        while session.state == "stale":
            time.sleep(0.001)
        recovery_delays.append(time.perf_counter() - resumed_at)
        thread.join()
        report = session.report
        assert report is not None
        exact.add(report.frames_read == report.processed + report.dropped and report.lost == round(seconds / PERIOD))
    in_time = max(stale_delays) <= bound and max(recovery_delays) <= 0.1
    measured = (
        f"stale after {1e3 * max(stale_delays):.0f} ms at most, running again {1e3 * max(recovery_delays):.0f} ms after the "
        f"first frame, threads unchanged: {'yes' if len(threads) == 1 else 'no'}, gap counted exactly: "
        f"{'yes' if exact == {True} else 'no'}"
    )
    return Row(
        f"source silent for {seconds:g} s, then resumes",
        "StallingSource at 100 frames/s",
        f"state STALE <= {1e3 * bound:.0f} ms; recovers by itself",
        measured,
        runs,
        len(threads) == 1 and exact == {True},
        in_time,
    )


def slow_model(runs: int, seconds: float = 10.0) -> Row:
    """A camera at 100 frames/s and a model that takes 30 ms: the age of the frame when inference starts."""
    ages, exact, dropped = [], True, 0
    for _ in range(runs):
        source = Camera(frames=10**6, interval=PERIOD)
        report = for_a_while(Session(source=source, model=Sleepy(0.03), sinks=[MemorySink()]), seconds)
        ages.append(report.stage("age"))
        exact &= report.frames_read == source._next == report.processed + report.dropped
        dropped += report.drops.slot
    worst = max(age.p50_ms for age in ages)
    measured = f"median {worst:.1f} ms at most, p99 {max(age.p99_ms for age in ages):.1f} ms; "
    measured += f"{dropped} frames overwritten, all counted: {exact}"
    return Row(
        "model of 30 ms, camera at 100 frames/s",
        "a model that sleeps",
        "median age of the frame when inference starts < 15 ms",
        measured,
        runs,
        exact,
        worst < 15,
    )


def slow_consumer(runs: int, seconds: float = 10.0, percentile: int = 99) -> Row:
    """A camera at 90 frames/s and a loop at 10 Hz: the newest frame is used, the others are counted.

    `percentile` is as for `slow_sink`.
    """
    period, service, ages, exact, counts = 1 / 90, 0.1, [], True, [0, 0, 0]
    for _ in range(runs):
        source, sink = Camera(frames=10**6, interval=period), MemorySink()
        report = for_a_while(Session(source=source, model=Sleepy(service), sinks=[sink]), seconds)
        latency = report.stage("latency")
        ages.append(latency.p99_ms if percentile == 99 else latency.p50_ms)
        exact &= report.frames_read == source._next == len(sink.indices) + report.drops.total
        counts = [a + b for a, b in zip(counts, (report.frames_read, report.processed, report.dropped), strict=True)]
    bound = 1e3 * (period + service) + 10
    measured = f"{counts[0]} in = {counts[1]} processed + {counts[2]} dropped; "
    measured += f"age of the finished pose's frame, p{percentile}: {max(ages):.1f} ms"
    return Row(
        "reader at 10 Hz, camera at 90 Hz",
        "a model that sleeps 100 ms",
        f"in = processed + dropped exactly; the newest frame is used: age <= period + service + 10 ms = {bound:.0f} ms",
        measured,
        runs,
        exact,
        max(ages) <= bound,
    )


def compared(latencies: dict[bool, list[float]]) -> tuple[str, dict[int, float]]:
    """A text with the median and p99 without (False) and with (True) a load, and the relative growth of each."""
    text, growth = [], {}
    for percentile in (50, 99):
        without, loaded = (1e3 * float(np.percentile(latencies[is_loaded], percentile)) for is_loaded in (False, True))
        growth[percentile] = loaded / without - 1
        share = f"{100 * growth[percentile]:+.0f} %"
        text.append(f"p{percentile} {without:.2f} ms without, {loaded:.2f} ms with ({share})")
    return "; ".join(text), growth


class SlowSink(MemorySink):
    """A sink that is ten times too slow: it waits, or computes."""

    def __init__(self, seconds: float, *, computes: bool) -> None:
        super().__init__()
        self._seconds, self._computes = seconds, computes

    def write(self, estimate) -> None:
        until = time.perf_counter() + self._seconds
        while self._computes and time.perf_counter() < until:
            pass
        time.sleep(max(0.0, until - time.perf_counter()))
        self.indices.append(estimate.frame.index)


def slow_sink(runs: int, *, computes: bool, seconds: float = 10.0, percentile: int = 99) -> Row:
    """The loop's latency with and without a sink that is ten times too slow, measured alternately.

    On a busy machine the tail of the latencies reflects the load, so `percentile` is 50 there: a sink that blocks the loop
    also moves the median.
    """
    latencies: dict[bool, list[float]] = {False: [], True: []}
    grown, dropped, exact = 0.0, 0, True
    for _ in range(runs):
        for slow in (False, True):
            quick, other = MemorySink(), SlowSink(0.3, computes=computes)
            source = Camera(frames=round(seconds / PERIOD), interval=PERIOD)
            before = psutil.Process().memory_info().rss
            sinks = [quick, other] if slow else [quick]
            report = Session(
                source=source, model=Sleepy(0.03), sinks=sinks, queue_size=8
            ).run()  # returns when everything is written
            if slow:
                grown = max(grown, (psutil.Process().memory_info().rss - before) / 2**20)
                dropped += report.sinks[1].dropped
                exact &= report.sinks[1].written + report.sinks[1].dropped == report.processed
            latencies[slow] += quick.latencies
    text, growth = compared(latencies)
    measured = f"{text}; {dropped} estimates dropped, all counted: {exact}; memory +{grown:.1f} MB"
    kind = "computes in Python" if computes else "waits"
    return Row(
        f"sink that {kind} 10 times too long",
        "300 ms in write, 33 poses/s",
        f"loop's p{percentile} grows <= 10 %; drops counted; memory bounded (20 MB)",
        measured,
        runs,
        exact and grown <= 20,
        growth[percentile] <= 0.1,
    )


class Unreliable(Processor):
    """A processor that raises at every hundredth pose."""

    calls = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.calls += 1
        if self.calls % 100 == 0:
            raise ValueError("every hundredth")
        return pose


def raising(frames: int = 5000) -> Row:
    """The session obeys `on_error`: skip, disable, stop."""
    results = []
    for on_error in ("skip", "disable", "stop"):
        sink = MemorySink()
        source = Camera(frames=frames)
        session = Session(source=source, model=NullModel(), processors=[Tolerant(Unreliable(), on_error)], sinks=[sink])
        source.is_live = False  # processes every frame, so that the counts are known
        session = Session(source=source, model=NullModel(), processors=session.processors, sinks=[sink])
        try:
            session.run()
        except Exception as error:
            results.append((on_error, len(sink.indices), type(error).__name__))
        else:
            assert session.report is not None
            results.append((on_error, len(sink.indices), session.report.processors[0].failures))
    expected = [("skip", frames, frames // 100), ("disable", frames, 1), ("stop", 99, "PluginError")]
    measured = "; ".join(f"{on_error}: {count} poses, {outcome}" for on_error, count, outcome in results)
    return Row(
        "processor raises at every 100th pose",
        "a processor",
        "on_error obeyed: stop, skip, disable; counted",
        measured,
        len(results),
        results == expected,
    )


class Changing(Camera):
    """Changes to a smaller size, then to grey, then back to RGB at full size."""

    def draw(self, index: int) -> np.ndarray:
        image = super().draw(index)
        cut = [image, image[:96, :128], image[:96, :128, 0], image][min(index // 80, 3)]
        return np.ascontiguousarray(cut)


def changing_shape(folder) -> Row:
    """Frames that change their size and colours during the run."""
    from dlclive_io import PoseTable, VideoRecording

    folder.mkdir(parents=True, exist_ok=True)
    source = Changing(frames=400, interval=PERIOD)
    sinks = [PoseTable(folder / "poses.h5"), VideoRecording(folder / "video.mkv"), MemorySink()]
    report = Session(source=source, model=BlobModel(), sinks=sinks).run()
    changes = sum(event.kind == "shape" for event in report.events)
    video = report.sinks[1]
    video_state = f"video {'finished' if video.finished else 'ended: ' + video.error}"
    good = report.complete and changes == 3 and report.sinks[0].finished and report.sinks[2].finished
    measured = f"{changes} changes reported as events, poses until the end; {video_state}"
    return Row(
        "frame size and colours change during the run",
        "a source",
        "no crash; events; the loop and the other sinks continue",
        measured,
        1,
        good,
    )
