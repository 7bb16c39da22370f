"""Live sessions in this process: sources that stall, models and sinks that are slow, processors that raise."""

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
    """Answers after a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def predict(self, image, *, boxes=None):
        time.sleep(self._seconds)
        return super().predict(image, boxes=boxes)


class Camera(LiveBlobSource):
    """Gives the same picture, because drawing one takes longer than some machines have; catches up after a delay."""

    def draw(self, index: int) -> np.ndarray:
        if not hasattr(self, "_image"):
            self._image = super().draw(0)
        return self._image


def for_a_while(session: Session, seconds: float) -> SessionReport:
    """Stop it while frames come: the last frame of a source that ends is never overwritten, and waits long for a slow model."""
    timer = threading.Timer(seconds, session.stop)
    timer.start()
    try:
        return session.run()
    finally:
        timer.cancel()


def stall(runs: int, seconds: float = 5.0) -> Row:
    """A source that stalls: how soon the state is "stale", and whether it recovers."""
    noticed, recovered, threads, lost = [], [], set(), set()
    bound = 2 * PERIOD + 0.05
    for _ in range(runs):
        source = StallingSource(at=100, seconds=seconds, frames=round((2 + seconds) / PERIOD), interval=PERIOD)
        session = Session(source=source, model=NullModel(), sinks=[MemorySink()])
        thread = threading.Thread(target=session.run)
        thread.start()
        while source._next < 100:
            time.sleep(0.001)
        last = session._running.capture.last_at if session._running else 0.0  # the 99th came a moment ago
        while session.state != "stale":
            last = session._running.capture.last_at if session._running else 0.0
            time.sleep(0.001)
        noticed.append(time.perf_counter() - last)
        while not source.reconnects:
            threads.add(threading.active_count())
            time.sleep(0.01)
        back = time.perf_counter()
        while session.state == "stale":
            time.sleep(0.001)
        recovered.append(time.perf_counter() - back)
        thread.join()
        report = session.report
        assert report is not None
        lost.add(report.frames_read == report.processed + report.dropped and report.lost == round(seconds / PERIOD))
    in_time = max(noticed) <= bound and max(recovered) <= 0.1
    measured = (
        f"stale after {1e3 * max(noticed):.0f} ms at most, running again {1e3 * max(recovered):.0f} ms after the first frame, "
        f"threads unchanged: {'yes' if len(threads) == 1 else 'no'}, gap counted exactly: {'yes' if lost == {True} else 'no'}"
    )
    what = f"source silent for {seconds:g} s, then goes on"
    return Row(
        what,
        "StallingSource at 100 frames/s",
        f"state STALE <= {1e3 * bound:.0f} ms; recovers by itself",
        measured,
        runs,
        len(threads) == 1 and lost == {True},
        in_time,
    )


def slow_model(runs: int, seconds: float = 10.0) -> Row:
    """100 frames/s and a model of 30 ms: how old the frame is when inference begins."""
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
        "age when inference begins < 15 ms at the median",
        measured,
        runs,
        exact,
        worst < 15,
    )


def slow_consumer(runs: int, seconds: float = 10.0, percentile: int = 99) -> Row:
    """90 frames/s and a loop of 10 Hz: the newest frame is used, the others are counted; `percentile` as for `slow_sink`."""
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
    """The median and p99 without (False) and with (True) something, in words, and by which share each grew."""
    text, growth = [], {}
    for percentile in (50, 99):
        without, within = (1e3 * float(np.percentile(latencies[which], percentile)) for which in (False, True))
        growth[percentile] = within / without - 1
        share = f"{100 * growth[percentile]:+.0f} %"
        text.append(f"p{percentile} {without:.2f} ms without, {within:.2f} ms with it ({share})")
    return "; ".join(text), growth


class SlowSink(MemorySink):
    """Ten times too slow: waits, or computes."""

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
    """Beside a sink that is ten times too slow: the loop's latency with it and without it, turn about.

    On a busy machine the tail says how busy it is, and `percentile` is 50: a sink that the loop waits for moves that, too.
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
            ).run()  # it ends when all is written
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
    """Raises at every hundredth pose."""

    calls = 0

    def process(self, pose: Pose, frame: Frame) -> Pose:
        self.calls += 1
        if self.calls % 100 == 0:
            raise ValueError("every hundredth")
        return pose


def raising(frames: int = 5000) -> Row:
    """`on_error` is obeyed: skip, disable, stop."""
    found = []
    for on_error in ("skip", "disable", "stop"):
        sink = MemorySink()
        source = Camera(frames=frames)
        session = Session(source=source, model=NullModel(), processors=[Tolerant(Unreliable(), on_error)], sinks=[sink])
        source.is_live = False  # every frame, so that the numbers are known
        session = Session(source=source, model=NullModel(), processors=session.processors, sinks=[sink])
        try:
            session.run()
        except Exception as error:
            found.append((on_error, len(sink.indices), type(error).__name__))
        else:
            assert session.report is not None
            found.append((on_error, len(sink.indices), session.report.processors[0].failures))
    wanted = [("skip", frames, frames // 100), ("disable", frames, 1), ("stop", 99, "PluginError")]
    measured = "; ".join(f"{name}: {count} poses, {what}" for name, count, what in found)
    return Row(
        "processor raises at every 100th pose",
        "a processor",
        "on_error obeyed: stop, skip, disable; counted",
        measured,
        len(found),
        found == wanted,
    )


class Changing(Camera):
    """Other sizes, then grey, then RGB again."""

    def draw(self, index: int) -> np.ndarray:
        image = super().draw(index)
        cut = [image, image[:96, :128], image[:96, :128, 0], image][min(index // 80, 3)]
        return np.ascontiguousarray(cut)


def changing_shape(folder) -> Row:
    """Frames that change their size and their colours in the middle."""
    from dlclive_io import PoseTable, VideoRecording

    folder.mkdir(parents=True, exist_ok=True)
    source = Changing(frames=400, interval=PERIOD)
    sinks = [PoseTable(folder / "poses.h5"), VideoRecording(folder / "video.mkv"), MemorySink()]
    report = Session(source=source, model=BlobModel(), sinks=sinks).run()
    noted = sum(event.kind == "shape" for event in report.events)
    video = report.sinks[1]
    kept = f"video {'finished' if video.finished else 'ended: ' + video.error}"
    good = report.complete and noted == 3 and report.sinks[0].finished and report.sinks[2].finished
    measured = f"{noted} changes noted as events, poses to the end; {kept}"
    return Row(
        "frame size and colours change in the run",
        "a source",
        "no crash; events; the loop and the other sinks go on",
        measured,
        1,
        good,
    )
