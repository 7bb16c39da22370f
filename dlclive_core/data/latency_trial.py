"""One measurement of the time from a light in the camera's view to an output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTrial:
    """One light, and the output's answer to it. Times are in seconds.

    Attributes:
        number: of the trial, from 1.
        interval: the random time for which it was dark before.
        lit_at: when the light was switched on, by the device's clock.
        latency: from the light to the output, by the same clock; None if there was no answer in time.
        frame: number of the frame in which the light was seen first; None if it was not.
        age: from that frame's capture, as the host knows it, to the command, by the host's clock; NaN without a frame.
    """

    number: int
    interval: float
    lit_at: float
    latency: float | None
    frame: int | None
    age: float

    @property
    def rest(self) -> float | None:
        """The part that the host does not see: the wait for an exposure, camera and transport, and the line to the device."""
        return None if self.latency is None or self.frame is None else self.latency - self.age
