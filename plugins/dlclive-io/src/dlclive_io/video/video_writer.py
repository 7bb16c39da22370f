"""A video file that opens even if its writer is killed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from dlclive_io.video import matroska_clock
from dlclive_io.video.ffmpeg_name import ffmpeg_name

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
TIME_BASES = {"mp4": Fraction(1, 90_000), "matroska": matroska_clock.TICK}
"""Unit of the timestamps in seconds."""

DEFAULT_FPS = 30.0
CODECS = ("libx264", "ffv1")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")

KEY_FRAME_SECONDS = Fraction(1, 2)

_PIECE = Fraction(1, 5)  # seconds that Matroska buffers; MP4 buffers from key frame to key frame
_ALIGNED = 16  # bytes; FFmpeg's scaler complains about less
_BT601 = 6  # SMPTE 170M in ISO/IEC 23091-2: the default matrix of FFmpeg's scaler


@dataclass(frozen=True, slots=True)
class Encoding:
    """Settings of the encoder.

    Attributes:
        codec: "libx264" (H.264, yuv420p) or "ffv1" (lossless; forty times the size).
        crf: quality of H.264 from 0 (lossless) to 51.
        preset: of libx264, speed against size.
        threads: of the encoder; 0: one per core.
    """

    codec: str = "libx264"
    crf: int = 20
    preset: str = "veryfast"
    threads: int = 0

    @property
    def is_subsampled(self) -> bool:
        """Whether 2 x 2 pixels share one colour, which requires an even size."""
        return self.codec == "libx264"

    def options(self) -> dict[str, str]:
        """FFmpeg's options."""
        if self.codec != "libx264":
            return {"slicecrc": "1"}
        return {"preset": self.preset, "crf": str(self.crf), "tune": "zerolatency", "forced-idr": "1"}


class VideoWriter:
    """Encodes images of one shape, RGB or grey.

    A killed process loses at most half a second: no look-ahead (`zerolatency`), a key frame every half second of video
    time, packets flushed at once, and a fragmented MP4, which becomes an ordinary one at the end. A grey image is used as
    full-range luma, without conversion.

    Args:
        path: of the file.
        format: "mp4" or "matroska", whatever the suffix is.
        rate: frames per second.
        encoding: settings of the encoder.

    Attributes:
        time_base: unit of the timestamps in seconds.
        size: (width, height), None before the first image.
        frames: number of images encoded.
        packet_bytes: total size of the packets so far.
    """

    def __init__(self, path: Path, format: str, rate: Fraction, encoding: Encoding | None = None) -> None:
        options = {"flush_packets": "1"}
        if format == "mp4":
            options["movflags"] = "hybrid_fragmented+delay_moov"
        else:
            options["cluster_time_limit"] = str(int(_PIECE / matroska_clock.TICK))
            options |= matroska_clock.OPTIONS
        self._container = av.open(ffmpeg_name(path), "w", format=format, options=options)
        self._reformatter = VideoReformatter()
        self._rate = rate
        self._path = path
        self._clock_is_fine = format == "matroska"
        self.time_base = TIME_BASES[format]
        self._encoding = encoding or Encoding()
        self._stream: VideoStream | None = None
        self._next_key: Fraction = Fraction(0)
        self._planes = np.empty((0, 0), np.uint8)  # of a grey picture: luma, and neutral chroma
        self.size: tuple[int, int] | None = None
        self.frames = 0
        self.packet_bytes = 0

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Encode (H, W, 3) RGB or (H, W) grey, all of one shape; even sizes if `is_subsampled`. `pts` must increase."""
        if self._stream is None:
            self._stream = self._start(image)
        frame = self._frame(image)
        frame.pts, frame.time_base = pts, self.time_base
        if pts * self.time_base >= self._next_key:
            frame.pict_type = PictureType.I
            self._next_key = pts * self.time_base + KEY_FRAME_SECONDS
        self._mux(self._stream.encode(frame))
        self.frames += 1

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        try:
            if self._stream is not None:
                self._mux(self._stream.encode(None))
        finally:
            is_started, self._stream = self._stream is not None, None
            self._container.close()
            if is_started and self._clock_is_fine:
                matroska_clock.set_clock(self._path)  # FFmpeg has written the head anew

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            self.packet_bytes += packet.size
            if self._clock_is_fine:
                packet.time_base = matroska_clock.FFMPEG_TICK
            self._container.mux(packet)

    def _frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        grey = image.ndim == 2
        if not self._encoding.is_subsampled:
            if grey:  # FFV1 may keep a reference: copy
                return av.VideoFrame.from_ndarray(image, format="gray")
            return self._reformatter.reformat(_on(image, "rgb24"), format="bgr0")
        if not grey:
            return self._reformatter.reformat(_on(image, "rgb24"), format="yuv420p", dst_colorspace=_BT601)
        self._planes[: len(image)] = image
        frame = _on(self._planes, "yuv420p")  # x264 has copied it when `encode` returns
        frame.color_range = ColorRange.JPEG
        return frame

    def _start(self, image: NDArray[np.uint8]) -> VideoStream:
        height, width = image.shape[:2]
        grey = image.ndim == 2
        added = self._container.add_stream(self._encoding.codec, rate=self._rate, options=self._encoding.options())
        stream = cast("VideoStream", added)
        stream.width, stream.height = width, height
        codec = stream.codec_context
        codec.time_base = self.time_base
        codec.gop_size = 10_000  # key frames are requested by time
        codec.thread_count = self._encoding.threads
        if not self._encoding.is_subsampled:
            stream.pix_fmt = "gray" if grey else "bgr0"
            codec.thread_type = "SLICE"  # frame threads would hold pictures back
        else:
            stream.pix_fmt = "yuv420p"
            codec.colorspace = _BT601
            if grey:
                codec.color_range = ColorRange.JPEG
                self._planes = np.full((height * 3 // 2, width), 128, np.uint8)
        if self._clock_is_fine:
            self._container.start_encoding()  # writes the head
            self._clock_is_fine = matroska_clock.set_clock(self._path)
        self.size = (width, height)
        return stream


def frame_rate(fps: float | None) -> Fraction:
    """Frames per second as containers store them; 30 if unknown or impossible."""
    if fps is None or not math.isfinite(fps) or fps <= 0:
        fps = DEFAULT_FPS
    return Fraction(fps).limit_denominator(1001) or Fraction(fps).limit_denominator(10**6) or Fraction(1, 10**6)


def _on(image: NDArray[np.uint8], format: str) -> VideoFrame:
    """A frame that shares the image's memory, if possible; the caller reads it before the image changes.

    Copying a large image takes milliseconds and holds the GIL, which blocks the session's loop.
    """
    row = image.strides[0]
    if row > 0 and row % _ALIGNED == 0 == image.ctypes.data % _ALIGNED and image[0].flags.c_contiguous:
        return av.VideoFrame.from_numpy_buffer(image, format=format)
    return av.VideoFrame.from_ndarray(image, format=format)


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of an image with an odd size: yuv420p has one colour per 2 x 2 pixels."""
    rows, columns = image.shape[0] % 2, image.shape[1] % 2
    if not rows and not columns:
        return image
    return np.pad(image, ((0, rows), (0, columns), *(((0, 0),) * (image.ndim - 2))), mode="edge")
