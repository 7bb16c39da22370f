"""OSC: what a real server in another process gets, and the bytes on the wire."""

from __future__ import annotations

import logging
import math
import socket
import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from dlclive_streams import OscOutput, OscStream
from dlclive_streams.osc.addresses import address_parts
from dlclive_streams.osc.packets import LARGEST_PACKET, PosePackets
from pythonosc.osc_packet import OscPacket

from dlclive_core import ModelCard, OutputError, Pose, Reason, Session, Sink, Skeleton, TriggerEvent, UsageError
from dlclive_core.testing import BlobModel, BlobSource, SinkContract, estimates, run_info

CARD = ModelCard(
    net_type="t",
    skeleton=Skeleton(("nose", "left ear")),
    individuals=("mus/1", "mus_1"),
    multi_animal=True,
    unique_keypoints=("lever",),
)


class TestOscStreamKeepsTheContract(SinkContract):
    @pytest.fixture
    def sink(self) -> Sink:
        return OscStream(9)


@pytest.mark.parametrize("bundle", [True, False])
def test_a_server_gets_every_pose_once_in_order(start_receiver, bundle: bool) -> None:
    receiver = start_receiver("receive_osc.py")
    source = BlobSource(frames=40, visible=0.8)
    Session(source=source, model=BlobModel(), sinks=[OscStream(receiver.ready, prefix="/rig", bundle=bundle)]).run()
    messages = receiver.take(40 * 4)
    frames = [messages[index : index + 4] for index in range(0, 160, 4)]
    for number, (head, *points) in enumerate(frames):
        address, sequence, frame, time, captured_at, individuals = head
        assert (address, sequence, frame, individuals) == ("/rig/frame", number, number, 1)
        assert time == pytest.approx(number / 100)
        assert captured_at > 1.7e9
        assert [point[0] for point in points] == [f"/rig/pose/individual_1/k{index}" for index in range(3)]
        assert all(point[1:3] == [number, time] for point in points)
        np.testing.assert_allclose(np.float32([point[3:] for point in points]), source.truth(number), atol=0.5)
    assert all(before[0][4] <= after[0][4] for before, after in pairwise(frames))


def test_the_bytes_are_those_of_the_specification() -> None:
    """By hand from https://opensoundcontrol.stanford.edu/spec-1_0.html; the tags are those that Bonsai's readers expect."""
    packets = PosePackets(CARD, bundle=False)
    pose = Pose(np.float32([[[1, 2, 0.5], [np.nan, np.nan, 0]]]), CARD.skeleton, unique=np.float32([[7, 8, 1]]))
    frame, nose, ear, *_, lever = packets.packets(pose, 258, 0.25, 1e9)
    assert frame == b"/frame\x00\x00,hhddi\x00\x00" + struct.pack(">qqddi", 0, 258, 0.25, 1e9, 1)
    assert nose == b"/pose/mus_1/nose\x00\x00\x00\x00,hdfff\x00\x00" + struct.pack(">qdfff", 258, 0.25, 1, 2, 0.5)
    assert ear[: len(ear) - 28] == b"/pose/mus_1/left_ear\x00\x00\x00\x00,hdfff\x00\x00"
    assert ear[-12:] == b"\x7f\xc0\x00\x00\x7f\xc0\x00\x00\x00\x00\x00\x00"  # NaN, NaN, 0
    assert lever == b"/pose/single/lever\x00\x00,hdfff\x00\x00" + struct.pack(">qdfff", 258, 0.25, 7, 8, 1)
    (bundle,) = PosePackets(CARD).packets(pose, 258, 0.25, 1e9)
    assert bundle.startswith(b"#bundle\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x34/frame\x00")


def test_every_address_has_the_same_tags_in_all_messages() -> None:
    """Whatever the pose: a reader with types ends on the first message that is different."""
    generator = np.random.default_rng(0)
    packets = PosePackets(CARD)
    tags: dict[str, set[str]] = {}
    for number in range(300):
        animals = int(generator.integers(0, 5))
        values = generator.normal(0, 1e3, (animals, 2, 3)).astype(np.float32)
        values[generator.random(values.shape) < 0.2] = generator.choice(np.float32([np.nan, np.inf, -np.inf, 3e38]))
        ids = None if number % 2 else tuple(generator.choice(["a b", "a_b", "mus/1", "é", "", "x" * 300], animals))
        unique = None if number % 3 else generator.normal(0, 1, (1, 3)).astype(np.float32)
        for packet in packets.packets(Pose(values, CARD.skeleton, ids, unique), number, math.nan, math.inf):
            for item in OscPacket(packet).messages:
                tags.setdefault(item.message.address, set()).add(osc_tags(item.message._dgram))
                assert len(item.message.params) <= 8
    assert all(len(found) == 1 for found in tags.values())
    assert {"/frame", "/pose/mus_1/nose", "/pose/mus_1-2/nose", "/pose/single/lever", "/pose/a_b/left_ear"} <= set(tags)


def test_an_animal_of_the_project_that_is_gone_is_sent_as_missing() -> None:
    packets = PosePackets(CARD, bundle=False)
    for ids, expected in ((("mus_1",), [False, True]), ((), [True, True])):
        keypoints = np.ones((len(ids), 2, 3), np.float32)
        found = packets.packets(Pose(keypoints, CARD.skeleton, ids), 0, 0.0, 0.0)[1:]
        values = {
            OscPacket(item).messages[0].message.address: OscPacket(item).messages[0].message.params for item in found
        }
        missing = [math.isnan(values[f"/pose/{animal}/nose"][2]) for animal in ("mus_1-2", "mus_1")]
        assert missing == expected


def test_many_identities_of_a_tracker_need_no_more_memory() -> None:
    packets = PosePackets(CARD)
    values = np.ones((10, 2, 3), np.float32)
    for number in range(300):
        packets.packets(Pose(values, CARD.skeleton, tuple(f"track_{number}_{row}" for row in range(10))), 0, 0.0, 0.0)
    assert len(packets._others) <= 1010


def test_large_poses_are_several_packets_that_every_system_sends() -> None:
    card = CARD.with_(skeleton=Skeleton(tuple(f"keypoint_{number}" for number in range(300))))
    found = PosePackets(card).packets(Pose(np.ones((2, 300, 3), np.float32), card.skeleton), 5, 0.0, 0.0)
    assert max(map(len, found)) <= LARGEST_PACKET
    assert sum(len(OscPacket(packet).messages) for packet in found) == 1 + 600


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["snout", "left ear"], ["snout", "left_ear"]),
        (["a/b", "a*b", "a b"], ["a_b", "a_b-2", "a_b-3"]),
        (["", "é", "#*,/?[]{}"], ["_", "_-2", "_________"]),
    ],
)
def test_names_are_made_fit_and_stay_different(names: list[str], parts: list[str]) -> None:
    assert list(address_parts(names)) == parts


def test_an_output_tells_its_changes_and_the_events(start_receiver) -> None:
    receiver = start_receiver("receive_osc.py")
    event = TriggerEvent(
        trigger="left corner", frame=7, time=0.25, individual="mouse", event="enter", begins=True, x=1.5, y=2.5,
        confidence=0.75, value=1e300,
    )  # fmt: skip
    with OscOutput(receiver.ready, prefix="/a/b", lifespan=60) as output:
        output.open(0.0)
        output.notify(event)
        output.renew(True, Reason.CONDITION, 7, 0.012)
        output.renew(True, Reason.CONDITION, 8, 0.012)
        output.notify(replace(event, event="end", begins=False, individual="\ud800", value=math.nan))
        assert output.counts() == {"changes": 1, "lapsed": 0, "unsent": 0}
    enter, on, end, off = receiver.take(4)
    assert enter == ["/a/b/event/left_corner", "mouse", "enter", 1, 7, 0.25, 1.5, 2.5, math.inf]
    assert on[:5] == ["/a/b/state", 1, "condition", 7, 0.012]
    assert end[:4] == ["/a/b/event/left_corner", "\\ud800", "end", 0]
    assert off[:5] == ["/a/b/state", 0, "end", -1, 0.0]
    assert on[5] <= off[5]


def test_nobody_receiving_and_a_full_buffer_cost_nothing() -> None:
    """A receiver that never reads: the system's buffer is full, and packets are lost, or counted as unsent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stuck:
        stuck.bind(("127.0.0.1", 0))
        for port in (stuck.getsockname()[1], 9):
            with OscStream(port) as sink:
                sink.open(run_info(BlobModel().card))
                for estimate in list(estimates(10)) * 200:
                    sink.write(estimate)


def test_a_network_that_cannot_be_reached_is_said_once(caplog) -> None:
    """Sending to the broadcast address needs a permission that nobody asked for."""
    with OscStream(9, host="255.255.255.255") as sink, caplog.at_level(logging.WARNING):
        sink.open(run_info(BlobModel().card))
        for estimate in estimates(5):
            sink.write(estimate)
        assert sink.unsent == 5
    assert caplog.text.count("packets to 255.255.255.255, port 9, cannot be sent") == 1


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_a_host_without_an_address_is_one_line(host: str) -> None:
    for component in (OscStream(host=host), OscOutput(host=host)):
        with pytest.raises(OutputError, match=f"^host '{host}' has no address: .*; check the name") as raised:
            component.open(run_info() if isinstance(component, OscStream) else 0.0)
        assert "\n" not in str(raised.value)
        component.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 0}, "port is 0; give a number at least 1 and at most 65535"),
        ({"prefix": "rig"}, "prefix is 'rig'; give a beginning of OSC addresses, such as /rig1"),
        ({"prefix": "/rig/"}, "prefix is '/rig/'"),
        ({"prefix": "/rig one"}, "prefix is '/rig one'"),
        ({"host": "10.0.0.1 9000"}, "host is '10.0.0.1 9000'"),
    ],
)
def test_bad_options_are_refused_at_once(options: dict[str, object], message: str) -> None:
    for kind in (OscStream, OscOutput):
        with pytest.raises(UsageError, match=f"^{message}"):
            kind(**options)


def osc_tags(datagram: bytes) -> str:
    """The type tags of a message."""
    begin = datagram.index(b",")
    return datagram[begin : datagram.index(b"\x00", begin)].decode()
