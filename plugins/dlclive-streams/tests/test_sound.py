"""Sounds: the samples, and what a device is given: a library in its place, and PortAudio, which ALSA lets write into a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
import wave
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from dlclive_streams import SoundOutput
from dlclive_streams.sound.pulse import read_wav, tone

from dlclive_core import DataError, DependencyError, OutputError, Reason, UsageError


class Device:
    """In place of `sounddevice.OutputStream`: the test asks for blocks, as the device's thread does."""

    opened: ClassVar[list[Device]] = []
    latency = 0.0125

    def __init__(self, *, samplerate: int, device: Any, channels: int, dtype: str, latency: str, callback: Any) -> None:
        if device == "nowhere":
            raise ValueError("No output device matching\n'nowhere'")
        self.rate, self.channels, self.callback, self.is_running = samplerate, channels, callback, False
        Device.opened.append(self)

    def start(self) -> None:
        self.is_running = True

    def close(self) -> None:
        self.is_running = False

    def block(self, count: int = 480, status: str = "") -> np.ndarray:
        out = np.full((count, self.channels), 9.0, np.float32)
        self.callback(out, count, None, status)
        return out


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    library = types.ModuleType("sounddevice")
    library.OutputStream, library.PortAudioError = Device, type("PortAudioError", (Exception,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(Device, "opened", [])
    return Device


def test_a_tone_is_played_once_when_it_is_switched_on(device: type[Device]) -> None:
    with SoundOutput(frequency=1000, duration=0.015, volume=0.5, lifespan=60) as output:
        output.open(0.0)
        (played,) = device.opened
        assert (played.rate, played.channels, played.is_running, output.latency) == (48000, 1, True, 0.0125)
        assert not played.block().any()
        output.renew(True, Reason.CONDITION, 0, 0.0)
        output.renew(True, Reason.CONDITION, 1, 0.0)
        assert output.is_on
        sound = np.concatenate([played.block(), played.block()])
        np.testing.assert_array_equal(sound[:720], tone(1000, 0.015, 0.5, 48000))
        assert not sound[720:].any()
        assert not output.is_on  # its duration is over
        assert not played.block(status="underflow").any()
        output.renew(False, Reason.CONDITION, 2, 0.0)
        output.renew(True, Reason.CONDITION, 3, 0.0)
        assert played.block().any()
        output.renew(False, Reason.CONDITION, 4, 0.0)
        assert not played.block().any()
        assert output.counts() == {"changes": 4, "lapsed": 0, "underruns": 1}
    assert not played.is_running
    output.close()


def test_a_tone_has_its_frequency_and_no_clicks() -> None:
    samples = tone(1000, 0.5, 0.5, 48000)[:, 0]
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * 2 == 1000  # bins of 2 Hz
    assert 0.49 < np.abs(samples).max() <= 0.5
    assert np.abs(samples[[0, -1]]).max() < 1e-3
    assert tone(1000, 1e-9, 0.5, 48000).shape == (1, 1)


@pytest.mark.parametrize(("width", "tolerance"), [(1, 0.01), (2, 1e-4), (4, 1e-6)])
def test_wav_files_are_read(tmp_path: Path, width: int, tolerance: float, device: type[Device]) -> None:
    path = tmp_path / "two.wav"
    values = np.stack([np.sin(np.arange(200) / 5), np.cos(np.arange(200) / 5)], axis=1) * 0.9
    whole = {1: (values * 128 + 128).astype("u1"), 2: (values * 2**15).astype("<i2"), 4: (values * 2**31).astype("<i4")}
    with wave.open(str(path), "wb") as file:
        file.setparams((2, width, 44100, 0, "NONE", ""))
        file.writeframes(whole[width].tobytes())
    with SoundOutput(path, volume=0.5, lifespan=60) as output:
        output.open(0.0)
        output.renew(True, Reason.CONDITION, 0, 0.0)
        assert (device.opened[0].rate, device.opened[0].channels) == (44100, 2)
        np.testing.assert_allclose(device.opened[0].block(200), values / 2, atol=tolerance)


def test_files_that_are_no_sound_are_one_line(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for number in range(200):
        path = tmp_path / f"{number}.wav"
        head = b"RIFF\xff\xff\x00\x00WAVEfmt \x10\x00\x00\x00" if number % 2 else b""
        path.write_bytes(head + generator.bytes(int(generator.integers(0, 100))))
        with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path))}"):
            read_wav(path, 1.0)
    with pytest.raises(DataError, match="cannot be read as a WAV file"):
        read_wav(tmp_path / "none.wav", 1.0)


PLAY = """
import os, sys, time
try:
    import sounddevice
except (ImportError, OSError) as error:
    sys.exit(f"skip: {error}")
from dlclive_core import Reason
from dlclive_streams import SoundOutput
with SoundOutput(frequency=1000, duration=0.2, lifespan=60) as output:
    output.open(0.0)
    output.renew(True, Reason.CONDITION, 0, 0.0)
    until = time.monotonic() + 60
    while output.is_on and time.monotonic() < until:
        time.sleep(0.01)
    if output.is_on:
        sys.exit("the sound does not end")
    written = os.path.getsize(sys.argv[1])  # closing discards what PortAudio still holds
    while os.path.getsize(sys.argv[1]) < written + 400_000 and time.monotonic() < until:
        time.sleep(0.01)
"""
"""In a process of its own: PortAudio looks for devices once."""


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
def test_portaudio_gets_every_sample(tmp_path: Path) -> None:
    played = tmp_path / "played.raw"
    settings = tmp_path / "asound.conf"
    settings.write_text(
        "pcm.nothing { type null }\n"
        f'pcm.!default {{ type file slave.pcm nothing file "{played}" format raw hint {{ show on }} }}\n'
        "ctl.!default { type null }\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(played)],
        env={**os.environ, "ALSA_CONFIG_PATH": str(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stderr.startswith("skip: "):
        pytest.skip(f"PortAudio is not here: {done.stderr[6:].strip()}; on Debian: apt-get install libportaudio2")
    assert done.returncode == 0, done.stderr
    samples = np.frombuffer(played.read_bytes()[: played.stat().st_size // 4 * 4], np.float32)
    sound = tone(1000, 0.2, 0.5, 48000)[:, 0]
    begin = np.flatnonzero(samples)[0] - np.flatnonzero(sound)[0]
    np.testing.assert_array_equal(samples[begin : begin + len(sound)], sound)


def test_a_device_that_is_not_there_is_one_line(device: type[Device]) -> None:
    output = SoundOutput(device="nowhere")
    with pytest.raises(OutputError, match=r"^no sound can be played: No output device matching 'nowhere'; `python -m"):
        output.open(0.0)
    output.close()


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(DependencyError, match=r"dlclive-streams\[sound\]"):
        SoundOutput().open(0.0)


@pytest.mark.parametrize("options", [{"frequency": 30000}, {"volume": 1.5}, {"duration": 0}, {"rate": 1}])
def test_bad_options_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"^{next(iter(options))} is "):
        SoundOutput(**options)
