"""The messages of ZeroMQ and MQTT, whatever the pose and the clocks; and sessions that stream to nobody."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import msgpack
import numpy as np
import pytest
from dlclive_streams import LslStream, MqttStream, OscOutput, OscStream, ZmqOutput, ZmqStream
from dlclive_streams.messages import PoseMessages, encode
from dlclive_streams.osc.packets import PosePackets
from dlclive_streams.run_times import RunTimes

from dlclive_core import Estimate, Frame, ModelCard, Pose, Processor, Reason, RunInfo, Session, Skeleton
from dlclive_core.testing import BlobModel, BlobSource, estimates, run_info

CARD = ModelCard(
    net_type="t",
    skeleton=Skeleton(("nose", "tail")),
    individuals=("Ada", "Bo"),
    unique_keypoints=("lever",),
    multi_animal=True,
)
IMAGE = np.zeros((4, 4, 3), np.uint8)


def random_estimates(count: int, seed: int) -> list[Estimate]:
    """Up to ten times the animals, none, values and times that are not numbers, identities of any kind, time backwards."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        animals = int(generator.integers(0, 20))
        values = generator.normal(0, 10 ** generator.uniform(-30, 37), (animals, 2, 3)).astype(np.float32)
        values[generator.random(values.shape) < 0.2] = generator.choice(np.float32([np.nan, np.inf, -np.inf, 0]))
        names = ["Ada", "Bo", "", "a/b", "é\x07", "\ud800", "x" * 1000, f"track {number}"]
        ids = tuple(generator.choice(names, animals)) if generator.random() < 0.5 else None
        unique = generator.normal(0, 1, (1, 3)).astype(np.float32) if generator.random() < 0.5 else None
        moment = float(generator.choice([number, -number, math.nan, math.inf, 1e300]))
        frame = Frame(IMAGE, int(generator.integers(0, 2**40)), moment, moment if generator.random() < 0.5 else None)
        found.append(Estimate(frame, Pose(values, CARD.skeleton, ids, unique), moment, moment, moment))
    return found


def test_a_name_with_half_a_character_is_sent_in_all_encodings() -> None:
    """Such as that of a video whose name is no text to the system: the session is called after it."""
    message = {"session": "vid\ud800eo"}
    assert msgpack.unpackb(encode(message, "msgpack")) == {"session": "vid\\ud800eo"}
    assert json.loads(encode(message, "json")) == message


def test_an_animal_of_the_project_that_is_called_like_a_row() -> None:
    """Its row and the one whose name it has are both sent."""
    card = replace(CARD, individuals=("individual_3", "Bo"))
    pose = Pose(np.arange(4 * 2 * 3, dtype=np.float32).reshape(4, 2, 3), CARD.skeleton)
    estimate = Estimate(Frame(IMAGE, 0, 0.0, 0.0), pose, 0.0, 0.0, 0.0)
    message = PoseMessages(run_info(card)).message(estimate)
    assert message["individuals"] == ("individual_3", "Bo", "individual_3-2", "individual_4")
    packets = PosePackets(card, bundle=False).packets(pose, 0, 0.0, 0.0)
    addresses = [packet.partition(b"\0")[0].decode() for packet in packets[1:]]
    assert len(addresses) == len(set(addresses)) == 4 * 2


@pytest.mark.parametrize("is_live", [True, False])
def test_random_poses_are_messages_that_can_be_read(is_live: bool) -> None:
    run = run_info(CARD, is_live=is_live)
    messages, packets, times = PoseMessages(run), PosePackets(CARD), RunTimes(run)
    for number, estimate in enumerate(random_estimates(1000, seed=int(is_live))):
        message = messages.message(estimate)
        read = json.loads(encode(message, "json"))
        assert read == msgpack.unpackb(encode(message, "msgpack"))
        assert read["sequence"] == number
        assert len(read["individuals"]) == len(set(read["individuals"])) == len(read["pose"]) == len(estimate.pose)
        sent = np.array(read["pose"], np.float32).reshape(estimate.pose.keypoints.shape)
        is_finite = np.isfinite(estimate.pose.keypoints)
        np.testing.assert_array_equal(sent[is_finite], estimate.pose.keypoints[is_finite])
        assert np.isnan(sent[~is_finite]).all()
        frame = estimate.frame
        assert packets.packets(estimate.pose, frame.index, times.since_start(frame), times.captured_at(frame))


def test_times_are_those_of_the_run_or_of_the_recording() -> None:
    (estimate,) = estimates(1)
    frame = replace(estimate.frame, index=30, device_time=7.0)
    live, recorded = run_info(is_live=True), run_info(is_live=False, fps=30.0)
    assert RunTimes(live).since_start(frame) == frame.captured_at - live.started_clock
    assert RunTimes(recorded).since_start(frame) == 7.0
    assert RunTimes(recorded).since_start(replace(frame, device_time=None)) == 1.0
    expected = live.started_at.timestamp() + frame.captured_at - live.started_clock
    assert RunTimes(live).captured_at(frame) == pytest.approx(expected, abs=1e-5)


class Toggle(Processor):
    """Switches outputs at every frame."""

    def __init__(self, *switched: ZmqOutput | OscOutput) -> None:
        self._switched = switched

    def open(self, run: RunInfo) -> None:
        for output in self._switched:
            output.open(run.started_clock)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        for output in self._switched:
            output.renew(frame.index % 2 == 0, Reason.CONDITION, frame.index, 0.0)
        return pose

    def close(self) -> None:
        for output in self._switched:
            output.close()


def test_a_session_that_streams_to_nobody_loses_nothing(free_port: int) -> None:
    sinks = [ZmqStream(0), OscStream(9), LslStream("nobody listens"), MqttStream(port=free_port)]
    switched = (ZmqOutput(0, lifespan=60), OscOutput(9, lifespan=60))
    report = Session(
        source=BlobSource(frames=500), model=BlobModel(), processors=[Toggle(*switched)], sinks=sinks
    ).run()
    assert report.processed == 500
    assert [(sink.written, sink.dropped, sink.error) for sink in report.sinks] == [(500, 0, "")] * 4
    assert [output.counts()["changes"] for output in switched] == [500, 500]
    assert sinks[3].unsent == 500
