"""The output that plays a sound on the computer's own device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DependencyError, OutputError, check_number, check_whole, install_command
from dlclive_streams.changes import Change
from dlclive_streams.message_output import MessageOutput
from dlclive_streams.sound.pulse import read_wav, tone


class SoundOutput(MessageOutput):
    """Plays a tone, or a WAV file, when it is switched on; ends it when it is switched off before.

    The sound is made before the run, and the device's stream runs all the time, playing silence: what remains is the device's
    own latency, `latency`, typically 5 to 30 ms and never certain. Have it measured by a microphone before you rely on it.

    Safe as far as a sound is: it ends by itself, after its duration.

    Args:
        file: a WAV file, relative to the current folder; None: a tone.
        frequency: of the tone, in Hz.
        duration: of the tone, in seconds.
        volume: from 0 to 1, where 1 is the device's largest.
        rate: samples per second of the tone.
        device: number or a part of the name of the device; None: the system's.
        lifespan: see `MessageOutput`.

    Raises:
        UsageError: an invalid option.
        DataError: the file cannot be read (in `open`).
        DependencyError: sounddevice or its library is not installed (in `open`).
        OutputError: there is no such device, or it does not play this (in `open`).
    """

    safety = "the sound ends by itself after its duration"

    def __init__(
        self,
        file: str | Path | None = None,
        *,
        frequency: float = 4000.0,
        duration: float = 0.1,
        volume: float = 0.5,
        rate: int = 48000,
        device: int | str | None = None,
        lifespan: float = 0.5,
    ) -> None:
        super().__init__(lifespan=lifespan)
        self._file = None if file is None else Path(file)
        self._rate = check_whole("rate", rate, least=8000, most=192_000)
        self._frequency = check_number("frequency", frequency, least=20, most=self._rate / 2)
        self._duration = check_number("duration", duration, least=0.001, most=60)
        self._volume = check_number("volume", volume, least=0, most=1)
        self._device = device
        self._samples: NDArray[np.float32] = np.zeros((0, 1), np.float32)
        self._next: int | None = None  # the sample to play next; None: silence
        self._stream: Any = None
        self._underruns = 0

    @property
    def is_on(self) -> bool:
        """Whether it is switched on, and the sound is not over."""
        return super().is_on and self._next is not None

    @property
    def latency(self) -> float:
        """Seconds to the loudspeaker, as the device reports them; 0 while it is not open."""
        return 0.0 if self._stream is None else float(self._stream.latency)

    def counts(self) -> Mapping[str, float]:
        """Those of `MessageOutput`, and how often the device had nothing to play in time (`underruns`)."""
        return {**super().counts(), "underruns": self._underruns}

    def _connect(self) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:  # OSError: PortAudio is missing
            raise DependencyError(
                f"sounds cannot be played: {error}; run: {install_command('dlclive-streams[sound]')}; on Debian also: "
                "apt-get install libportaudio2"
            ) from None
        rate = self._rate
        if self._file is None:
            self._samples = tone(self._frequency, self._duration, self._volume, rate)
        else:
            self._samples, rate = read_wav(self._file, self._volume)
        self._next, self._underruns = None, 0
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=rate,
                device=self._device,
                channels=self._samples.shape[1],
                dtype="float32",
                latency="low",
                callback=self._play,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise OutputError(
                f"no sound can be played: {' '.join(str(error).split())}; `python -m sounddevice` lists the devices"
            ) from None

    def _disconnect(self) -> None:
        stream, self._stream = self._stream, None
        self._next = None
        if stream is not None:
            stream.close()

    def _send(self, change: Change) -> None:
        self._next = 0 if change.on else None

    def _play(self, out: NDArray[np.float32], count: int, _times: Any, status: Any) -> None:
        """Fill the device's next `count` samples. Called by the device's thread."""
        out.fill(0)
        if status:
            self._underruns += 1
        begin = self._next
        if begin is not None:
            part = self._samples[begin : begin + count]
            out[: len(part)] = part
            following = begin + count if begin + count < len(self._samples) else None
            if self._next == begin:  # it was not switched meanwhile
                self._next = following
