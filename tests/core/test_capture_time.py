"""The capture times of frames that waited in transit."""

import numpy as np
import pytest

from dlclive_core import Frame
from dlclive_core.session.capture_time import CaptureTime

IMAGE = np.zeros((2, 2), np.uint8)
FPS = 30.0
TRANSIT = 0.05  # seconds of transit without delay


def errors(sent: list[float], came: list[float], device: list[float] | None = None) -> list[float]:
    """How much newer each frame seems than an undelayed one, in seconds."""
    times = CaptureTime()
    frames = [
        Frame(IMAGE, number, at, clock)
        for number, (at, clock) in enumerate(zip(came, sent if device is None else device, strict=True))
    ]
    corrected = [times.corrected(frame).captured_at for frame in frames]
    return [at - (true + TRANSIT) for at, true in zip(corrected, sent, strict=True)]


def stalled(seconds: float, at: float = 4.0, stall: float = 2.0) -> tuple[list[float], list[float]]:
    """(sent, arrived) times; frames sent during the stall arrive at its end, all at once."""
    sent = [number / FPS for number in range(int(seconds * FPS))]
    return sent, [
        max(time + TRANSIT, at + stall + number * 1e-4) if at < time < at + stall else time + TRANSIT
        for number, time in enumerate(sent)
    ]


def test_the_age_of_a_frame_includes_its_wait() -> None:
    sent, came = stalled(8)
    raw = [at - (true + TRANSIT) for at, true in zip(came, sent, strict=True)]
    assert max(raw) > 1.9
    assert max(errors(sent, came)) < 0.02


def test_jitter_does_not_age_frames() -> None:
    random = np.random.default_rng(1)
    sent = [number / FPS for number in range(600)]
    came = np.maximum.accumulate([time + TRANSIT + random.exponential(0.01) for time in sent]).tolist()
    assert np.abs(errors(sent, came)[30:]).max() < 0.02


@pytest.mark.parametrize("drift", [-0.02, -1e-4, 1e-4, 0.001, 0.02])
def test_clock_drift_does_not_age_frames(drift: float) -> None:
    """An hour; 0.001 is 29.97 frames/s counted as 30."""
    sent = [number / 10 for number in range(36_000)]
    seconds = errors(sent, [time + TRANSIT for time in sent], [time * (1 + drift) for time in sent])
    assert np.abs(seconds).max() < 0.02


def test_a_clock_in_another_unit_changes_nothing() -> None:
    sent = [number / FPS for number in range(300)]
    assert errors(sent, [time + TRANSIT for time in sent], [time / 1000 for time in sent]) == pytest.approx([0.0] * 300)


def test_a_reset_clock_changes_nothing_at_first() -> None:
    sent = [number / FPS for number in range(600)]
    device = [time + 1000 if number < 300 else time for number, time in enumerate(sent)]
    assert np.abs(errors(sent, [time + TRANSIT for time in sent], device)).max() < 1e-6


@pytest.mark.parametrize(("captured_at", "device_time"), [(5.0, None), (float("nan"), 1.0), (5.0, float("nan"))])
def test_without_times_a_frame_is_unchanged(captured_at: float, device_time: float | None) -> None:
    frame = Frame(IMAGE, 0, captured_at, device_time)
    assert CaptureTime().corrected(frame) is frame
