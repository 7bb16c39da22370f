"""Lab Streaming Layer: what a real inlet in another process gets. LSL is limited to this computer: no network is needed."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from dlclive_streams import LslOutput, LslStream
from dlclive_streams.lsl import library
from dlclive_streams.lsl.channels import Channels
from dlclive_streams.lsl.clock import LslClock

from dlclive_core import ModelCard, Pose, Reason, Session, Sink, Skeleton, TriggerEvent, UsageError
from dlclive_core.testing import BlobModel, BlobSource, SinkContract, estimates, run_info

try:
    import pylsl
except (ImportError, RuntimeError) as error:
    pytest.skip(f"LSL's library cannot be loaded: {' '.join(str(error).split())[:100]}", allow_module_level=True)

CARD = ModelCard(
    net_type="t",
    skeleton=Skeleton(("nose", "left ear")),
    individuals=("Ada", "Bo & Co"),
    multi_animal=True,
    unique_keypoints=("lever",),
)


@pytest.fixture
def name() -> str:
    """Of a stream that no other test, and nobody else on this computer, offers."""
    return f"dlclive test {uuid.uuid4().hex[:8]}"


class TestLslStreamKeepsTheContract(SinkContract):
    @pytest.fixture
    def sink(self, name: str) -> Sink:
        return LslStream(name)


def test_an_inlet_gets_every_pose_once_in_order(start_receiver, name: str) -> None:
    """From a whole session, which waits for the inlet."""
    source = BlobSource(frames=60, visible=0.8)
    reports = []
    session = Session(source=source, model=BlobModel(), sinks=[LslStream(name, patience=60)])
    running = threading.Thread(target=lambda: reports.append(session.run()))
    running.start()
    receiver = start_receiver("receive_lsl.py", name)
    samples = receiver.take(60)
    running.join()
    assert reports[0].sinks[0].written == 60
    for number, (_, _, values) in enumerate(samples):
        np.testing.assert_allclose(np.array(values, np.float32).reshape(3, 3), source.truth(number), atol=0.5)
    stamps = [stamp for stamp, _, _ in samples]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == 60


def test_stamps_are_the_capture_times_on_lsls_clock(start_receiver, name: str) -> None:
    """Both processes ask LSL's clock of this computer: a stamp lies between the capture and the receipt."""
    with LslStream(name, patience=60, lag=0.25) as sink:
        receiver = open_late(start_receiver, sink, run_info(BlobModel().card), name)
        (estimate,) = estimates(1)
        before = pylsl.local_clock()
        captured = time.perf_counter()
        after = pylsl.local_clock()
        sink.write(replace(estimate, frame=replace(estimate.frame, captured_at=captured)))
        sink.write(replace(estimate, frame=replace(estimate.frame, captured_at=math.nan)))
        (stamp, received, _), (now, later, _) = receiver.take(2)
    assert before - 1e-3 <= stamp + 0.25 <= after + 1e-3
    assert stamp < received
    assert after <= now + 1e-3 <= later + 2e-3


def test_the_meta_data_are_those_of_xdf(start_receiver, name: str) -> None:
    run = replace(run_info(CARD), source="cam <1>")
    with LslStream(name, patience=60, lag=0.0125) as sink:
        text, kind, rate, source_id = open_late(start_receiver, sink, run, name).ready
    assert (kind, rate) == ("MoCap", 0.0)
    description = ElementTree.fromstring(text).find("desc")
    assert description is not None
    fields = ("label", "marker", "object", "type", "unit")
    channels = [tuple(channel.findtext(field) for field in fields) for channel in description.iter("channel")]
    assert len(channels) == (2 * 2 + 1) * 3
    assert channels[:3] == [
        ("Ada_nose_x", "nose", "Ada", "PositionX", "pixels"),
        ("Ada_nose_y", "nose", "Ada", "PositionY", "pixels"),
        ("Ada_nose_confidence", "nose", "Ada", "Confidence", "normalized"),
    ]
    assert channels[9][:3] == ("Bo & Co_left ear_x", "left ear", "Bo & Co")
    assert channels[-1] == ("single_lever_confidence", "lever", "single", "Confidence", "normalized")
    assert description.findtext("acquisition/manufacturer") == "dlclive"
    assert description.findtext("acquisition/compensated_lag") == "0.0125"
    assert description.findtext("setup/name") == "cam <1>"
    assert description.findtext("setup/bounds/maximum/X") == "160"
    with LslStream(name, patience=60) as again:
        assert open_late(start_receiver, again, run, name).ready[3] == source_id
    with LslStream(name, patience=60, source_id="mine") as other:
        assert open_late(start_receiver, other, run, name).ready[3] == "mine"


def test_individuals_keep_their_channels() -> None:
    channels = Channels(CARD)

    def objects(ids: tuple[str, ...] | None, count: int) -> list[float]:
        keypoints = np.arange(1, count + 1, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
        return channels.sample(Pose(keypoints, CARD.skeleton, ids))[::6]

    assert objects(("Bo & Co", "Ada"), 2)[:2] == [2.0, 1.0]
    assert objects(None, 2)[:2] == [1.0, 2.0]
    assert channels.left_out == 0
    assert objects(None, 4)[:2] == [1.0, 2.0]
    assert channels.left_out == 2
    tracked = Channels(CARD)
    values = [
        tracked.sample(Pose(np.ones((1, 2, 3), np.float32), CARD.skeleton, (ids,)))[::6]
        for ids in ("7", "9", "7", "11")
    ]
    assert [[not math.isnan(value) for value in row[:2]] for row in values] == [
        [True, False], [False, True], [True, False], [False, False],
    ]  # fmt: skip
    assert tracked.left_out == 1


def test_ten_thousand_random_poses_raise_nothing() -> None:
    generator = np.random.default_rng(0)
    channels = Channels(CARD)
    for _ in range(10_000):
        animals = int(generator.integers(0, 6))
        values = generator.normal(0, 1e3, (animals, 2, 3)).astype(np.float32)
        values[generator.random(values.shape) < 0.2] = generator.choice(np.float32([np.nan, np.inf]))
        ids = tuple(generator.choice(["Ada", "Bo & Co", "x", "", "7"], animals)) if generator.random() < 0.5 else None
        assert len(channels.sample(Pose(values, CARD.skeleton, ids))) == 15


def test_an_output_streams_markers_with_the_time_of_their_frame(start_receiver, name: str) -> None:
    event = TriggerEvent(
        trigger="corner", frame=7, time=0.25, individual="Ada", event="enter", begins=True, x=1.0, y=2.0, confidence=0.9,
        value=math.nan,
    )  # fmt: skip
    with LslOutput(name, patience=60, lifespan=60) as output:
        receiver = open_late(start_receiver, output, 0.0, name)
        assert receiver.ready[1:3] == ["Markers", 0.0]
        began = pylsl.local_clock()
        output.notify(event)
        output.renew(True, Reason.CONDITION, 7, 0.5)
        output.renew(True, Reason.CONDITION, 8, 0.5)
        output.renew(False, Reason.CONDITION, 9, math.nan)
        ended = pylsl.local_clock()
        enter, on, off = receiver.take(3)
        assert output.counts()["changes"] == 2
    assert [marker for (_, _, (marker,)) in (enter, on, off)] == ["corner/enter/Ada", "on", "off"]
    assert enter[0] == on[0]
    assert began <= on[0] + 0.5 + 1e-3 <= ended + 2e-3
    assert began <= off[0] + 1e-3 <= ended + 2e-3


def test_closing_and_lapsing_send_off(start_receiver, name: str) -> None:
    output = LslOutput(name, patience=60, lifespan=0.05)
    receiver = open_late(start_receiver, output, 0.0, name)
    output.renew(True, Reason.CONDITION, 0, 0.0)
    assert [receiver.next()[2] for _ in range(2)] == [["on"], ["off"]]
    output.renew(False, Reason.CONDITION, 1, 0.0)
    output.renew(True, Reason.CONDITION, 2, 0.0)
    output.close()
    assert [receiver.next()[2] for _ in range(2)] == [["on"], ["off"]]
    assert receiver.next() == "lost"
    output.close()


def test_a_receiver_that_is_stopped_or_killed_costs_nothing(start_receiver, name: str) -> None:
    """Many more samples than its buffer holds; then it is killed."""
    with LslStream(name, patience=60) as sink:
        receiver = open_late(start_receiver, sink, run_info(BlobModel().card), name)
        if sys.platform != "win32":
            import signal

            receiver.process.send_signal(signal.SIGSTOP)
        written = list(estimates(10))
        for _ in range(1500):
            for estimate in written:
                sink.write(estimate)
        receiver.process.kill()
        for estimate in written:
            sink.write(estimate)


def test_nobody_receiving_is_said_if_asked_to_wait(name: str, caplog) -> None:
    with LslStream(name, patience=0.01) as sink, caplog.at_level(logging.WARNING):
        sink.open(run_info())
    assert f"no receiver of the LSL stream {name} within 0.01 s; going on without" in caplog.text


def test_one_process_has_one_configuration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_network", False)
    for component, opened_with in ((LslStream(name, network=True), run_info()), (LslOutput(name, network=True), 0.0)):
        with pytest.raises(UsageError, match=r"give network=true to all its lsl streams, or to none$"):
            component.open(opened_with)
        component.close()


def test_a_library_that_cannot_be_loaded_is_one_line() -> None:
    script = (
        "import os, sys\n"
        "from dlclive_core import DependencyError\n"
        "from dlclive_core.testing import run_info\n"
        "from dlclive_streams import LslStream\n"
        "for broken in ('file', 'package'):\n"
        "    if broken == 'file':\n        os.environ['PYLSL_LIB'] = __import__('json').__file__\n"
        "    else:\n        sys.modules['pylsl'] = None\n"
        "    try:\n        LslStream('x').open(run_info())\n"
        "    except DependencyError as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("LSL's library cannot be loaded: ")
    assert first.endswith("in the environment variable PYLSL_LIB")
    assert second.startswith("LSL cannot be used: ")
    assert "pip install" in second


@pytest.mark.parametrize("options", [{"lag": -1}, {"patience": math.nan}, {"name": "a\nb"}, {"source_id": "x" * 201}])
def test_bad_options_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"^{next(iter(options))} is "):
        LslStream(**options)


def test_the_clock_follows_a_jump_and_ignores_noise() -> None:
    """Clocks that count differently while the computer sleeps."""
    moment, ahead = [100.0], [5.0]
    clock = LslClock(lambda: moment[0] + ahead[0], lambda: moment[0])
    assert clock.at(100.0) == 105.0
    moment[0], ahead[0] = 102.0, 5.0001
    assert clock.at(102.0) == 107.0
    moment[0], ahead[0] = 104.0, 3605.0
    assert clock.at(104.0) == 3709.0
    assert clock.at(math.inf) == 3709.0


def open_late(start_receiver, component, opened_with, name: str):
    """Open a component whose `patience` waits for the receiver that is started meanwhile."""
    opening = threading.Thread(target=component.open, args=(opened_with,))
    opening.start()
    receiver = start_receiver("receive_lsl.py", name)
    opening.join()
    return receiver
