"""The sink that sends poses as OSC messages."""

from __future__ import annotations

from collections.abc import Mapping

from dlclive_core import Estimate, RunInfo, Sink
from dlclive_streams.osc.addresses import check_prefix
from dlclive_streams.osc.packets import PosePackets
from dlclive_streams.osc.udp_sender import UdpSender
from dlclive_streams.run_times import RunTimes


class OscStream(Sink):
    """Sends every keypoint of every frame by UDP: `/pose/<individual>/<keypoint>` with frame, time, x, y, confidence.

    Before them, `/frame` has the number of the message, by which a receiver notices what the network lost. A missing keypoint
    is (NaN, NaN, 0). Names are made fit for addresses: "left ear" is `left_ear`. UDP does not know whether anybody receives.

    Args:
        port: of the receiver.
        host: of the receiver.
        prefix: put before all addresses, such as `/rig1`.
        bundle: one packet for each frame, up to 8 kB; otherwise one for each message, for receivers without bundles.

    Raises:
        UsageError: an invalid option.
        OutputError: the host has no address (in `open`).
        DependencyError: python-osc is not installed.

    Attributes:
        unsent: packets that the system did not take.
    """

    def __init__(self, port: int = 9000, *, host: str = "127.0.0.1", prefix: str = "", bundle: bool = True) -> None:
        self._sender = UdpSender(host, port)
        self._prefix = check_prefix(prefix)
        self._bundle = bool(bundle)
        self._packets: PosePackets | None = None
        self._times: RunTimes | None = None

    @property
    def unsent(self) -> int:
        return self._sender.unsent

    @property
    def statistics(self) -> Mapping[str, float]:
        """What was not sent (`unsent`)."""
        return {"unsent": self._sender.unsent}

    def open(self, run: RunInfo) -> None:
        """Look up the receiver."""
        self._times = RunTimes(run)
        self._packets = PosePackets(run.card, self._prefix, bundle=self._bundle)
        self._sender.open()

    def write(self, estimate: Estimate) -> None:
        """Send a pose. Never waits."""
        assert self._packets is not None
        assert self._times is not None
        frame = estimate.frame
        time, captured_at = self._times.since_start(frame), self._times.captured_at(frame)
        for packet in self._packets.packets(estimate.pose, frame.index, time, captured_at):
            self._sender.send(packet)

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()
