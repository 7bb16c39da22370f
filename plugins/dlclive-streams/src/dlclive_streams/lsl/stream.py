"""The sink that streams poses to Lab Streaming Layer."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from dlclive_core import Estimate, RunInfo, Sink, check_number, printable
from dlclive_streams.announcement import tell
from dlclive_streams.lsl.channels import Channels
from dlclive_streams.lsl.outlet import Outlet


class LslStream(Sink):
    """Streams every pose as one sample of the type MoCap, stamped with the time at which its frame was captured.

    Channels are x, y and confidence of each keypoint of each individual, with their names, as in XDF's MoCap meta-data. The
    rate is irregular, because frames may be dropped. A receiver that does not keep up loses the oldest of 6000 samples.

    Args:
        name: of the stream; by default `dlclive` and the session's name.
        network: whether other computers may find it. LSL's ports are open to the network in any case: see `docs/streams.md`.
        source_id: by which receivers take the stream up again after an interruption; by default made from this computer's
            name, those of the stream and the source, and the channels'.
        lag: seconds from the exposure to the arrival of a frame, if you know them: they are subtracted from the stamps, and
            written as `compensated_lag` into the meta-data.
        patience: seconds to wait at the start for the first receiver, so that it misses no frame; then it goes on without.

    Raises:
        UsageError: an invalid option; in `open`, LSL was configured otherwise in this process.
        DependencyError: pylsl or its library cannot be loaded (in `open`).
    """

    def __init__(
        self,
        name: str = "",
        *,
        network: bool = False,
        source_id: str = "",
        lag: float = 0.0,
        patience: float = 0.0,
    ) -> None:
        self._outlet = Outlet("MoCap", name, source_id, network=network, patience=patience)
        self._lag = check_number("lag", lag, least=0, most=10)
        self._channels: Channels | None = None

    @property
    def left_out(self) -> int:
        """Number of individuals, over all frames, for which there were no channels."""
        return 0 if self._channels is None else self._channels.left_out

    def open(self, run: RunInfo) -> None:
        """Offer the stream."""
        channels = self._channels = Channels(run.card)
        labels = [channel.label for channel in channels.channels]

        def describe(description: Any) -> None:
            _describe(description, run, channels, self._lag)

        name = f"dlclive {printable(PurePath(run.name).name)}" if run.name else "dlclive"
        tell(run, f"LSL stream {self._outlet.name or name!r}")
        self._outlet.open(name, False, len(labels), describe, (run.source, *labels))

    def write(self, estimate: Estimate) -> None:
        """Push a pose. Never waits."""
        assert self._channels is not None
        self._outlet.push(self._channels.sample(estimate.pose), estimate.frame.captured_at - self._lag)

    def close(self) -> None:
        """Withdraw the stream."""
        self._outlet.close()


def _describe(description: Any, run: RunInfo, channels: Channels, lag: float) -> None:
    """XDF's meta-data of the content type MoCap."""
    parent = description.append_child("channels")
    for channel in channels.channels:
        child = parent.append_child("channel")
        for field in ("label", "marker", "object", "type", "unit"):
            child.append_child_value(field, getattr(channel, field))
    acquisition = description.append_child("acquisition")
    acquisition.append_child_value("manufacturer", "dlclive")
    acquisition.append_child_value("model", run.card.net_type)
    acquisition.append_child_value("settings", run.card.scorer)
    acquisition.append_child_value("compensated_lag", f"{lag:g}")
    setup = description.append_child("setup")
    setup.append_child_value("name", printable(run.source))
    if run.frame_size is not None:
        bounds = setup.append_child("bounds")
        for limit, values in (("minimum", (0, 0)), ("maximum", run.frame_size)):
            corner = bounds.append_child(limit)
            for axis, value in zip("XY", values, strict=True):
                corner.append_child_value(axis, str(value))
