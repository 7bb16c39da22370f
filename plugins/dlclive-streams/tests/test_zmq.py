"""ZeroMQ: what real subscribers in other processes get, and what bad ones cannot do."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from dlclive_streams import ZmqOutput, ZmqStream

from dlclive_core import Estimate, PluginError, Pose, Reason, Session, Sink, Skeleton, TriggerEvent, UsageError
from dlclive_core.testing import BlobModel, BlobSource, NullModel, SinkContract, estimates, run_info

EVENT = TriggerEvent(
    trigger="corner",
    frame=7,
    time=0.25,
    individual="mouse",
    event="enter",
    begins=True,
    x=1.5,
    y=float("nan"),
    confidence=0.75,
    value=float("inf"),
)


class TestZmqStreamKeepsTheContract(SinkContract):
    @pytest.fixture
    def sink(self) -> Sink:
        return ZmqStream(0)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_subscriber_gets_every_pose_once_in_order(start_receiver, free_port: int, encoding: str) -> None:
    """From a whole session; the receiver connects first, as the option `patience` waits for it."""
    receiver = start_receiver("receive_zmq.py", f"tcp://127.0.0.1:{free_port}", "pose", encoding)
    source = BlobSource(frames=60, visible=0.8)
    sink = ZmqStream(free_port, format=encoding, queue=1000, patience=60)
    report = Session(source=source, model=BlobModel(), sinks=[sink]).run()
    messages = receiver.take(60)
    assert report.sinks[0].written == 60
    assert {topic for topic, _ in messages} == {"pose"}
    assert [message["sequence"] for _, message in messages] == list(range(60))
    assert [message["frame"] for _, message in messages] == list(range(60))
    for _, message in messages:
        truth = source.truth(message["frame"])
        assert message["keypoints"] == ["k0", "k1", "k2"]
        assert message["individuals"] == ["individual_1"]
        assert message["time"] == pytest.approx(message["frame"] / 100)
        pose = np.array(message["pose"], np.float32)  # None becomes NaN
        assert pose.shape == (1, 3, 3)
        np.testing.assert_allclose(pose[0], truth, atol=0.5)
    assert all(before[1]["captured_at"] <= after[1]["captured_at"] for before, after in pairwise(messages))
    missing = [message["frame"] for _, message in messages if message["pose"][0][0] == [None, None, 0.0]]
    assert missing == [frame for frame in range(60) if frame % 10 >= 8]


def test_values_are_exact_and_names_are_those_of_the_pose(open_with_subscriber) -> None:
    run = run_info(BlobModel().card)
    with ZmqStream(0, patience=60) as sink:
        receiver = open_with_subscriber(sink, run)
        skeleton = Skeleton(("k0", "k1", "k2"))
        values = np.float32([[[0.1, 1 / 3, 0.9], [np.inf, -np.inf, np.nan], [1e-30, 3e38, 1.0]]])
        (estimate,) = estimates(1)
        for ids in (("Minnie",), ("bell\x07",), None):
            sink.write(replace_pose(estimate, Pose(values, skeleton, ids)))
        sink.write(replace_pose(estimate, Pose(np.repeat(values, 3, 0), skeleton, ("a", "a", "b"))))
        sink.write(replace_pose(estimate, Pose.missing(skeleton, 0)))
        messages = [message for _, message in receiver.take(5)]
    assert [message["individuals"] for message in messages] == [
        ["Minnie"],
        ["bell\\x07"],
        ["individual_1"],
        ["individual_1", "individual_2", "individual_3"],
        [],
    ]
    sent = np.array(messages[0]["pose"], np.float32)
    np.testing.assert_array_equal(sent, np.where(np.isfinite(values), values, np.nan))
    assert messages[4]["pose"] == []


def test_an_output_tells_its_changes_and_the_events(open_with_subscriber) -> None:
    with ZmqOutput(0, topic="left", patience=60, lifespan=60) as output:
        receiver = open_with_subscriber(output, 0.0, "left/")
        assert not output.is_on
        output.notify(EVENT)
        output.renew(True, Reason.CONDITION, 7, 0.012)
        output.renew(True, Reason.CONDITION, 8, 0.012)
        assert output.is_on
        output.renew(False, Reason.MISSING, 9, float("nan"))
        output.renew(False, Reason.MISSING, 10, 0.01)
        messages = receiver.take(3)
        counts = output.counts()
    assert [topic for topic, _ in messages] == ["left/event", "left/state", "left/state"]
    event, on, off = (message for _, message in messages)
    assert event == {
        "version": 1, "trigger": "corner", "event": "enter", "begins": True, "individual": "mouse", "frame": 7, "time": 0.25,
        "x": 1.5, "y": None, "confidence": 0.75, "value": None,
    }  # fmt: skip
    assert (on["on"], on["reason"], on["frame"], on["age"]) == (True, "condition", 7, 0.012)
    assert (off["on"], off["reason"], off["frame"], off["age"]) == (False, "missing", 9, None)
    assert on["decided_at"] <= off["decided_at"]
    assert (counts["changes"], counts["unsent"]) == (2, 0)


def test_closing_tells_off(open_with_subscriber) -> None:
    output = ZmqOutput(0, patience=60, lifespan=60)
    receiver = open_with_subscriber(output, 0.0)
    output.renew(True, Reason.CONDITION, 0, 0.0)
    output.close()
    states = [message["on"] for _, message in receiver.take(2)]
    assert states == [True, False]
    output.close()


@pytest.mark.parametrize("kind", [ZmqStream, ZmqOutput])
def test_a_port_that_another_program_has_is_one_line(kind: type[ZmqStream] | type[ZmqOutput]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        _refused(kind(port), f"^port {port} of 127.0.0.1 is taken; give another port, or end the program that has it")


def test_a_port_that_the_run_itself_has_is_told_apart() -> None:
    with ZmqStream(0) as first:
        first.open(run_info())
        port = int(first.address.rpartition(":")[2])
        for second in (ZmqStream(port), ZmqOutput(port)):
            _refused(
                second, f"^two zmq streams or outputs of this run publish on port {port}; give each a port of its own"
            )
    again = ZmqStream(port)
    again.open(run_info())
    again.close()


def _refused(publisher: ZmqStream | ZmqOutput, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        publisher.open(run_info() if isinstance(publisher, ZmqStream) else 0.0)
    assert "\n" not in str(raised.value)
    publisher.close()


@pytest.mark.parametrize("host", ["198.51.100.7", "no-such-host.invalid"])
def test_a_host_that_is_not_this_computer_is_one_line(host: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot listen at {host}, port .* give an address of this computer"):
        ZmqStream(host=host).open(run_info())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70000}, "port is 70000; give a number at least 0 and at most 65535"),
        ({"topic": ""}, "topic is ''; give printable text"),
        ({"topic": "a\nb"}, "topic is"),
        ({"format": "pickle"}, "format is 'pickle'; choose from json, msgpack"),
        ({"queue": 0}, "queue is 0"),
        ({"patience": -1}, "patience is -1"),
        ({"host": "127.0.0.1:5555"}, None),
        ({"host": "tcp://127.0.0.1"}, "host is 'tcp://127.0.0.1'; give a name or an address"),
    ],
)
def test_bad_options_are_refused_at_once(options: dict[str, object], message: str | None) -> None:
    if message is None:
        with pytest.raises(UsageError):
            ZmqStream(**options).open(run_info())
        return
    with pytest.raises(UsageError, match=f"^{message}"):
        ZmqStream(**options)


def test_nobody_listening_costs_nothing_and_is_said(caplog) -> None:
    with ZmqStream(0, patience=0.01) as sink, caplog.at_level(logging.WARNING):
        sink.open(run_info())
        for estimate in estimates(50):
            sink.write(estimate)
    assert "no subscriber at tcp://127.0.0.1:" in caplog.text


def test_a_slow_run_does_not_lapse_and_a_stopped_one_does(open_with_subscriber) -> None:
    output = ZmqOutput(0, patience=60, lifespan=0.05)
    receiver = open_with_subscriber(output, 0.0)
    output.renew(True, Reason.CONDITION, 3, 0.0)
    states = [(message["on"], message["reason"]) for _, message in receiver.take(2)]
    assert states == [(True, "condition"), (False, "lapsed")]
    assert not output.is_on
    output.renew(True, Reason.CONDITION, 4, 0.0)  # the same onset: it stays off
    assert not output.is_on
    output.renew(False, Reason.CONDITION, 5, 0.0)
    output.renew(True, Reason.CONDITION, 6, 0.0)
    assert receiver.next()[1]["on"] is True
    assert output.counts()["lapsed"] >= 1
    output.close()


def test_the_state_is_repeated_if_asked_for(open_with_subscriber) -> None:
    output = ZmqOutput(0, patience=60, repeat=0.01)
    receiver = open_with_subscriber(output, 0.0)
    assert [message["on"] for _, message in receiver.take(5)] == [False] * 5
    output.close()


def test_a_session_that_fails_tells_off(start_receiver, free_port: int) -> None:
    """With a trigger of another package: the output is switched off by whatever ends the session."""
    processors = pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    receiver = start_receiver("receive_zmq.py", f"tcp://127.0.0.1:{free_port}")

    def condition(pose: Pose, frame: object) -> bool:
        if frame.index == 5:
            raise RuntimeError("the condition is broken")
        return frame.index >= 2

    trigger = processors.Stimulate(condition=condition, output=ZmqOutput(free_port, patience=60, lifespan=60))
    with pytest.raises(PluginError, match="the condition is broken"):
        Session(source=BlobSource(frames=20), model=NullModel(3), processors=[trigger]).run()
    states = [(message["on"], message["frame"]) for topic, message in receiver.take(2) if topic == "state"]
    assert states == [(True, 2), (False, -1)]


def replace_pose(estimate: Estimate, pose: Pose) -> Estimate:
    return replace(estimate, pose=pose)
